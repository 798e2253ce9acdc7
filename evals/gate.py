"""The gate: what recorded tasks give now, held against the committed baseline."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import UserError
from evals.results import SuiteResult

SLACK = 0.05
"""Share by which model calls and tokens may grow unnoticed."""


class InvalidBaseline(UserError):
    """A baseline cannot be read, or there is none yet."""

    code = "invalid_baseline"


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskBaseline(_Kept):
    """What a task gave."""

    passed: bool
    calls: int = Field(ge=0)
    """Model calls of one play."""
    tokens: int = Field(ge=0)


class Baseline(_Kept):
    """What was accepted: by suite, each of its tasks."""

    suites: dict[str, dict[str, TaskBaseline]] = Field(default_factory=dict)

    def with_results(self, suites: Sequence[SuiteResult], *, every: bool) -> "Baseline":
        """Return the baseline with these suites as they are now; without the others where these are all there are."""
        now = {suite.name: baseline_of(suite) for suite in suites}
        return Baseline(suites=now if every else dict(sorted((self.suites | now).items())))


class Held(NamedTuple):
    """What changed since the baseline, a sentence each."""

    worse: list[str]
    better: list[str]


def baseline_of(suite: SuiteResult) -> dict[str, TaskBaseline]:
    """Return what a suite gave as it is kept: calls and tokens of the first epoch, passed if all epochs did."""
    counts = {task: suite.passes(task) for task in suite.tasks}
    good = {task for task, (passed, trials) in counts.items() if passed == trials}
    return {
        result.task: TaskBaseline(passed=result.task in good, calls=result.calls, tokens=result.tokens)
        for result in sorted(suite.results, key=lambda result: result.task)
        if result.epoch == 1
    }


def held(suites: Sequence[SuiteResult], baseline: Baseline, *, every: bool) -> Held:
    """Return what is worse and what is better than the baseline.

    Args:
        suites: What was run.
        baseline: What was accepted.
        every: Whether these are all the suites there are; then one that is missing is worse.
    """
    worse, better = [], []
    for suite in suites:
        then, now = baseline.suites.get(suite.name, {}), baseline_of(suite)
        worse += [f"{suite.name}/{line}" for line in _lost(then, now)]
        better += [f"{suite.name}/{line}" for line in _won(then, now)]
        for what, before, after in _costs(then, now):
            change = f"{suite.name}: {before} {what} became {after}"
            (worse if after > before * (1 + SLACK) else better if after < before else []).append(change)
    if every:
        gone = baseline.suites.keys() - {suite.name for suite in suites}
        worse += [f"{name}: the suite is gone" for name in sorted(gone)]
    return Held(worse, better)


def _lost(then: dict[str, TaskBaseline], now: dict[str, TaskBaseline]) -> Iterator[str]:
    for task, before in then.items():
        if task not in now:
            yield f"{task} is gone"
        elif before.passed and not now[task].passed:
            yield f"{task} passed and does not any more"
    yield from (f"{task} is new and does not pass" for task in now if task not in then and not now[task].passed)


def _won(then: dict[str, TaskBaseline], now: dict[str, TaskBaseline]) -> Iterator[str]:
    for task, after in now.items():
        if after.passed and (task not in then or not then[task].passed):
            yield f"{task} {'passes now' if task in then else 'is new and passes'}"


def _costs(then: dict[str, TaskBaseline], now: dict[str, TaskBaseline]) -> Iterator[tuple[str, int, int]]:
    """Yield what the tasks cost that passed then and pass now."""
    both = [task for task in then if task in now and then[task].passed and now[task].passed]
    yield "model calls", sum(then[task].calls for task in both), sum(now[task].calls for task in both)
    yield "tokens", sum(then[task].tokens for task in both), sum(now[task].tokens for task in both)


def read_baseline(path: Path) -> Baseline:
    """Return a committed baseline.

    Raises:
        InvalidBaseline: There is none, or it cannot be read.
    """
    try:
        return Baseline.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        msg = f"there is no baseline {path}; --accept writes what is there now"
        raise InvalidBaseline(msg) from error
    except (ValidationError, OSError) as error:
        msg = f"{path} is no baseline: {str(error).splitlines()[-1]}"
        raise InvalidBaseline(msg) from error


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline as it is committed."""
    path.write_text(json.dumps(baseline.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")
