"""Metrics of plug-ins: each takes what a turn left behind and gives a number, a score, or several."""

from collections.abc import Iterable, Iterator

from agents.plugins import guarded, required
from domain.errors import InvalidPlugin
from evals.scoring.evidence import Evidence
from evals.scoring.expectations import Score


def score_metric(name: str, seen: Evidence) -> Iterator[Score]:
    """Yield what a metric found, under its name; a number alone is efficiency and fails nothing.

    Raises:
        InvalidPlugin: No plug-in is called so, it broke down, or it gave something else.
    """
    measure = required("metrics", name)
    for found in guarded(f"metric {name!r}", lambda: _found(measure(seen))):
        if isinstance(found, Score):
            yield found.model_copy(update={"name": f"metrics.{name}.{found.name}"})
        elif isinstance(found, int | float):
            yield Score(name=f"metrics.{name}", value=float(found), kind="efficiency")
        else:
            msg = f"metric {name!r} gave a {type(found).__name__}, not a number or a Score"
            raise InvalidPlugin(msg)


def _found(given: object) -> list[object]:
    return list(given) if isinstance(given, Iterable) and not isinstance(given, str | Score) else [given]
