"""Two versions on the same recorded tasks: what changed, how sure that is, and which tasks flipped."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import UserError
from evals.results import TaskResult
from evals.statistics import Difference, Interval, Verdict, difference, holm
from evals.turn_traces import Divergence, first_divergence

PASSED = "passed"
_LESS_IS_BETTER = ("efficiency.",)
"""Metrics that begin so cost something."""


class NothingInCommon(UserError):
    """Two versions were not played on the same tasks."""

    code = "nothing_in_common"


class _Compared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricChange(_Compared):
    """How one metric changed."""

    metric: str
    before: float
    after: float
    change: float
    low: float | None
    high: float | None
    """Bounds of the change at 95 %; None where the tasks are too few to tell."""
    verdict: Verdict
    """Of `passed` by its own interval; those of all other metrics hold together (Holm)."""
    tasks: int
    """Pairs that were compared."""

    @property
    def interval(self) -> Interval | None:
        """The bounds, where there are any."""
        return None if self.low is None or self.high is None else Interval(self.low, self.high)


class Flip(_Compared):
    """A task that passes in one version and not in the other."""

    suite: str
    task: str
    to: Literal["passes", "fails"]
    why: list[str]
    """What fails, in the version in which it fails."""
    epoch: int = 1
    parts: Divergence | None = None
    """Where the traces of the two plays part; None where they are alike, or were not kept."""


class Comparison(_Compared):
    """Everything that two versions were compared in."""

    metrics: list[MetricChange]
    flips: list[Flip]
    only_before: list[str]
    only_after: list[str]
    """Tasks that have no pair, as `suite/task`."""
    prompt_drift: list[str] = Field(default_factory=list)
    """Tasks in which the second version asks a model what was not recorded."""
    output_drift: list[str] = Field(default_factory=list)
    """Tasks in which what comes of it is not what was recorded."""

    @property
    def regressed(self) -> bool:
        """Whether the share of tasks that pass is surely lower."""
        return any(m.metric == PASSED and m.verdict == "worse" for m in self.metrics)


Key = tuple[str, str, int]
"""Suite, task, epoch."""
Values = Mapping[str, float]


class _Pair(NamedTuple):
    key: Key
    before: float
    after: float


def compared(before: Sequence[TaskResult], after: Sequence[TaskResult], *, seed: int = 0) -> Comparison:
    """Return how the second version differs from the first on the tasks that both have.

    Epochs are paired by number; those of one task are drawn together.

    Raises:
        NothingInCommon: There is no such task.
    """
    one, other = ({_key(result): result for result in results} for results in (before, after))
    both = sorted(one.keys() & other.keys())
    if not both:
        msg = f"no task was played by both versions: {len(one)} plays before, {len(other)} after"
        raise NothingInCommon(msg)
    values = {key: (one[key].metrics(), other[key].metrics()) for key in both}
    return Comparison(
        metrics=_changes(values, seed),
        flips=[flip for key in both if (flip := _flip(one[key], other[key]))],
        only_before=_names(one.keys() - other.keys()),
        only_after=_names(other.keys() - one.keys()),
        prompt_drift=_names({key for key in both if other[key].drifts}),
        output_drift=_names({key for key in both if other[key].changed_output}),
    )


def _changes(values: Mapping[Key, tuple[Values, Values]], seed: int) -> list[MetricChange]:
    """Return how each metric changed: first the share of tasks that pass, then the others."""
    names = sorted({name for a, b in values.values() for name in a.keys() & b.keys()} - {PASSED})
    paired = {name: _paired(name, values) for name in [PASSED, *names]}
    found = {name: _difference(name, pairs, seed) for name, pairs in paired.items()}
    held = dict(zip(names, holm([found[name] for name in names]), strict=True))
    return [_change(name, pairs, held.get(name, found[name])) for name, pairs in paired.items()]


def _paired(name: str, values: Mapping[Key, tuple[Values, Values]]) -> list[_Pair]:
    return [_Pair(key, a[name], b[name]) for key, (a, b) in values.items() if name in a and name in b]


def _difference(name: str, pairs: Sequence[_Pair], seed: int) -> Difference:
    return difference(
        [pair.before for pair in pairs],
        [pair.after for pair in pairs],
        groups=[pair.key[:2] for pair in pairs],
        higher_is_better=not name.startswith(_LESS_IS_BETTER),
        seed=seed,
    )


def _change(name: str, pairs: Sequence[_Pair], found: Difference) -> MetricChange:
    return MetricChange(
        metric=name,
        before=fmean(pair.before for pair in pairs),
        after=fmean(pair.after for pair in pairs),
        change=found.mean,
        low=found.interval.low if found.interval else None,
        high=found.interval.high if found.interval else None,
        verdict=found.verdict,
        tasks=found.tasks,
    )


def _flip(one: TaskResult, other: TaskResult) -> Flip | None:
    if one.passed == other.passed:
        return None
    failing = one if other.passed else other
    return Flip(
        suite=one.suite,
        task=one.task,
        to="passes" if other.passed else "fails",
        why=failing.reasons,
        epoch=one.epoch,
        parts=first_divergence(one.traces, other.traces) if one.traces and other.traces else None,
    )


def _key(result: TaskResult) -> Key:
    return result.suite, result.task, result.epoch


def _names(keys: set[Key]) -> list[str]:
    return sorted({f"{suite}/{task}" for suite, task, _ in keys})
