"""What replaying recorded tasks gave: one result a task and epoch, rates with intervals, the same bytes every time."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import UserError
from domain.mistakes import mistakes_in
from evals.scoring.expectations import Score
from evals.statistics import Interval, pass_hat_k, wilson
from evals.turn_traces import TurnTrace

_TAKEN = {f"efficiency.{name}" for name in ("calls", "tokens", "dollars", "model_seconds")}
"""Scores that add up over the turns."""


class InvalidResults(UserError):
    """A file of results is something else, or comes from another version."""

    code = "invalid_results"


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TurnScores(_Result):
    """What one turn of a task was found to be."""

    turn: int
    """From 1."""
    scores: list[Score]


class PromptDrift(_Result):
    """A request that is not the recorded one."""

    role: str
    step: str = ""
    position: int
    diff: str
    answered: bool
    """Whether the recording answered it all the same, as a tolerant replay does."""


class TaskResult(_Result):
    """What one replay of a task gave."""

    suite: str
    task: str
    epoch: int = Field(default=1, ge=1)
    turns: list[TurnScores] = Field(default_factory=list)
    traces: list[TurnTrace] = Field(default_factory=list)
    """What happened, one for each turn that was played."""
    drifts: list[PromptDrift] = Field(default_factory=list)
    unused_calls: int = 0
    """Recorded calls that were not made any more."""
    changed_output: bool = False
    """Whether the answers differ from the recorded run's."""
    faults: list[str] = Field(default_factory=list)
    """Departures from the recording, where none is allowed."""
    error: str = ""
    """Why the task could not be run to its end; empty when it was."""

    @property
    def passed(self) -> bool:
        """Whether everything that was expected is right."""
        return not self.error and not self.faults and all(score.passed for turn in self.turns for score in turn.scores)

    @property
    def failures(self) -> list[str]:
        """What is wrong, one line each."""
        wrong = [f"turn {t.turn}: {s.name}: {s.detail}" for t in self.turns for s in t.scores if not s.passed]
        return [*([self.error] if self.error else []), *wrong, *self.faults]

    @property
    def reasons(self) -> list[str]:
        """The failures in short: of what goes over several lines the first one."""
        return [failure.partition("\n")[0] for failure in self.failures]

    @property
    def calls(self) -> int:
        """Model calls of all turns."""
        return round(self._total("efficiency.calls"))

    @property
    def tokens(self) -> int:
        """Tokens of all model calls, asked and answered."""
        return round(self._total("efficiency.tokens"))

    def _total(self, name: str) -> float:
        return sum(score.value for turn in self.turns for score in turn.scores if score.name == name)

    def metrics(self) -> dict[str, float]:
        """Return what the turns took altogether, each other score's mean over them, and `passed` as 0 or 1.

        What a turn took that nobody knows is not guessed: then the play has no such figure.
        """
        values: dict[str, list[float]] = {}
        for turn in self.turns:
            for score in turn.scores:
                values.setdefault(score.name, []).append(score.value)
        return {"passed": float(self.passed)} | {
            name: sum(found) if name in _TAKEN else fmean(found)
            for name, found in sorted(values.items())
            if name not in _TAKEN or len(found) == len(self.turns)
        }


class SuiteResult(_Result):
    """What a suite gave."""

    name: str
    results: list[TaskResult]

    @property
    def tasks(self) -> list[str]:
        """The tasks by name, each once."""
        return sorted({result.task for result in self.results})

    def passes(self, task: str) -> tuple[int, int]:
        """Return how many epochs of a task passed, and how many there were."""
        return self._counts.get(task, (0, 0))

    @cached_property
    def _counts(self) -> dict[str, tuple[int, int]]:
        trials = Counter(result.task for result in self.results)
        good = Counter(result.task for result in self.results if result.passed)
        return {task: (good[task], often) for task, often in trials.items()}

    @property
    def passed(self) -> int:
        """Tasks that passed in every epoch."""
        return sum(good == all_ for good, all_ in map(self.passes, self.tasks))

    @property
    def interval(self) -> Interval:
        """Wilson's interval of the share of tasks that pass."""
        return wilson(self.passed, len(self.tasks))

    @property
    def epochs(self) -> int:
        """How often each task was played."""
        return max((trials for _, trials in self._counts.values()), default=0)

    @property
    def ordered(self) -> list[TaskResult]:
        """The results, those that failed first, then by name."""
        return sorted(self.results, key=lambda result: (result.passed, result.task, result.epoch))

    def pass_hat(self, k: int) -> float | None:
        """Return the estimated chance that `k` runs of a task all pass, over the tasks; None with fewer epochs."""
        counts = [self.passes(task) for task in self.tasks]
        if not counts or any(trials < k for _, trials in counts):
            return None
        return fmean(pass_hat_k(good, trials, k) for good, trials in counts)

    def efficiency(self) -> dict[str, float | None]:
        """Return seconds of the models, dollars, and the share of steps done by a twin; None where nobody knows.

        Seconds and dollars are those of all plays, so that one that does not know its own leaves none; the share is the
        mean of the plays that had steps. What could not be played took nothing.
        """
        plays = [result.metrics() for result in self.results if result.turns]
        taken: dict[str, float | None] = {}
        for name in ("model_seconds", "dollars"):
            found = [play[key] for play in plays if (key := f"efficiency.{name}") in play]
            taken[name] = round(sum(found), 6) if found and len(found) == len(plays) else None
        shares = [play[key] for play in plays if (key := "efficiency.degraded_share") in play]
        return taken | {"degraded_share": round(fmean(shares), 6) if shares else None}

    def as_json(self) -> dict[str, Any]:
        """Return the suite as JSON: counts first, then the tasks, those that failed first."""
        return {
            "tasks": len(self.tasks),
            "passed": self.passed,
            "failed": len(self.tasks) - self.passed,
            "interval": [round(bound, 4) for bound in self.interval],
            "pass_hat": {str(k): self.pass_hat(k) for k in range(1, self.epochs + 1)},
            "drifts": sum(len(result.drifts) for result in self.results),
            "calls": sum(result.calls for result in self.results),
            "tokens": sum(result.tokens for result in self.results),
            **self.efficiency(),
            "results": [result.model_dump(mode="json") | {"passed": result.passed} for result in self.ordered],
        }


def as_json(suites: Sequence[SuiteResult]) -> dict[str, Any]:
    """Return all suites as one JSON object; the same results give the same bytes."""
    return {
        "suites": {suite.name: suite.as_json() for suite in suites},
        "tasks": sum(len(suite.tasks) for suite in suites),
        "passed": sum(suite.passed for suite in suites),
    }


def from_json(document: Any) -> list[SuiteResult]:
    """Return the suites that `as_json` wrote.

    Raises:
        InvalidResults: It wrote something else.
    """
    try:
        return [
            SuiteResult(
                name=name,
                results=[
                    TaskResult.model_validate({key: value for key, value in result.items() if key != "passed"})
                    for result in suite["results"]
                ],
            )
            for name, suite in document["suites"].items()
        ]
    except (ValidationError, AttributeError, KeyError, TypeError) as error:
        mistakes = mistakes_in(error) if isinstance(error, ValidationError) else error
        msg = f"these are no results of evaluated suites: {mistakes}"
        raise InvalidResults(msg) from error
