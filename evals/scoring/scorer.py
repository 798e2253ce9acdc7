"""One turn of a task scored by every expectation it has; a scorer that breaks down is named, the others go on."""

from collections.abc import Callable, Iterable, Iterator

from domain import events as ev
from domain.errors import UnderstudyError
from domain.outcomes import Usage
from evals.scoring.evidence import Evidence
from evals.scoring.expectations import ExpectedTurn, Score, right
from evals.scoring.plugged import score_metric
from evals.scoring.process import (
    score_critique,
    score_effects,
    score_plan,
    score_questions,
    score_route,
    score_trajectory,
)
from evals.scoring.result import score_quality, score_result
from graph.context import usage_in

Scoring = Callable[[], Iterable[Score]]
BREAKDOWNS = (
    UnderstudyError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a mistake in one expectation or scorer raises; the others are still heard."""


def scored(expected: ExpectedTurn, seen: Evidence, model_seconds: float | None = None) -> list[Score]:
    """Return what every scorer found, correctness first.

    Args:
        expected: What should come of the turn.
        seen: What it left behind.
        model_seconds: What the models took; None where nobody knows.
    """
    return [score for name, scoring in _scorings(expected, seen, model_seconds) for score in _safely(name, scoring)]


def _scorings(expected: ExpectedTurn, seen: Evidence, model_seconds: float | None) -> Iterator[tuple[str, Scoring]]:
    if (route := expected.route) is not None:
        yield "route", lambda: score_route(route, seen)
    if (plan := expected.plan) is not None:
        yield "plan", lambda: score_plan(plan, seen)
    if (trajectory := expected.trajectory) is not None:
        yield "trajectory", lambda: score_trajectory(trajectory, seen)
    if (questions := expected.questions) is not None:
        yield "questions", lambda: score_questions(questions, seen)
    if (result := expected.result) is not None:
        yield "result", lambda: score_result(result, seen)
    if (quality := expected.quality) is not None:
        yield "quality", lambda: score_quality(quality, seen)
    if (effects := expected.effects) is not None:
        yield "effects", lambda: score_effects(effects, seen)
    if (degraded := expected.degraded) is not None:
        yield "degraded", lambda: [_degraded(degraded, seen)]
    for name in expected.metrics:
        yield f"metrics.{name}", lambda name=name: score_metric(name, seen)  # type: ignore[misc]  # binds it now
    yield "critique", lambda: score_critique(seen)
    yield "efficiency", lambda: efficiency(seen, model_seconds)


def _safely(name: str, scoring: Scoring) -> list[Score]:
    """Return what a scorer finds; one that breaks down fails the task under its own name."""
    found: list[Score] = []
    try:
        for score in scoring():
            found.append(score)
    except BREAKDOWNS as error:
        detail = f"the scorer broke down: {type(error).__name__}: {error}"
        found.append(Score(name=f"{name}.error", value=0.0, passed=False, detail=detail))
    return found


def efficiency(seen: Evidence, model_seconds: float | None) -> Iterator[Score]:
    """Yield what the turn took: model calls, tokens, dollars where all prices are known, seconds, degraded share."""
    calls = seen.of(ev.ModelCalled)
    used = sum((usage_in(call) for call in calls), Usage())
    steps = [event.result for event in seen.of(ev.StepFinished)]
    figures: dict[str, float | None] = {
        "calls": used.calls,
        "tokens": used.tokens,
        "dollars": used.dollars,
        "model_seconds": model_seconds,
        "degraded_share": sum(step.degraded for step in steps) / len(steps) if steps else None,
    }
    for name, value in figures.items():
        if value is not None:
            yield Score(name=f"efficiency.{name}", value=value, kind="efficiency")


def _degraded(expected: bool, seen: Evidence) -> Score:
    found = bool(seen.outcome and seen.outcome.degraded)
    return right("degraded", found == expected, "a rule-based twin stepped in" if found else "no twin stepped in")
