"""The record of a task: one goal done by one sequence of agents, with all its runs."""

import hashlib
import json
import logging
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.plans import Plan, Privacy
from domain.privacy import most_private
from memory.records import Merge, Records, Value
from memory.workspaces import checked_workspace

TTL_SECONDS = 30 * 24 * 3600.0
"""A task is forgotten this long after it was last run."""

MAX_RATINGS = 20
"""Rated runs that a task remembers, so that rating one of them again replaces its rating."""


class Rating(BaseModel):
    """What a person thought of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepted: bool
    quality: float = Field(ge=0, le=1)
    """What the run earned."""


class TaskRecord(BaseModel):
    """One goal done by one sequence of agents, with all its runs."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    id: str = ""
    """Set by `TaskMemory.remember`."""
    workspace: str
    team: str
    goal: str
    sequence: list[str]
    plan: Plan | None = None
    """Of the latest successful run, or of the latest run where none succeeded."""
    successes: int = Field(default=0, ge=0)
    failures: int = Field(default=0, ge=0)
    last_success: bool
    quality: float | None = Field(default=None, ge=0, le=1)
    """Mean of the successful runs."""
    seconds: float = 0.0
    """Duration of the latest run."""
    error: str = ""
    """Why the latest run failed; empty after a success."""
    degraded: bool = False
    """Whether rule-based twins did the latest run's work in place of a model."""
    created: float = 0.0
    """Unix time in seconds; set by `TaskMemory.remember`."""
    updated: float = 0.0
    """Unix time of the latest run; set by `TaskMemory.remember`."""
    versions: dict[str, str] = Field(default_factory=dict)
    run: str = ""
    user: str = ""
    origin: Literal["run", "import"] = "run"
    """Whether the plan was run here, or came from an export of another memory."""
    privacy: Privacy = "internal"
    """The most private data that its runs worked on."""
    ratings: dict[str, Rating] = Field(default_factory=dict)
    """What a person thought of the latest rated runs, by run."""

    @property
    def route(self) -> str:
        """The sequence in one word; empty for none."""
        return " → ".join(self.sequence)

    def merged(self, later: "TaskRecord") -> "TaskRecord":
        """Return this record with a later run of the same task added."""
        keep_plan = self.successes > 0 and not later.last_success
        return later.model_copy(
            update={
                "plan": self.plan if keep_plan or later.plan is None else later.plan,
                "goal": self.goal if keep_plan else later.goal,  # the words the plan was made for
                "successes": self.successes + later.successes,
                "failures": self.failures + later.failures,
                "quality": _mean([(self.quality, self.successes), (later.quality, later.successes)]),
                "created": min(self.created, later.created),
                "origin": self.origin if keep_plan or later.plan is None else later.origin,
                "privacy": most_private([self.privacy, later.privacy]),
                "ratings": _latest(self.ratings | later.ratings),
            }
        )

    def rated(self, run: str, *, rating: Rating, succeeded: bool, quality: float | None) -> "TaskRecord":
        """Return this record with a person's rating of one of its runs, once a run however often it is rated.

        A run that succeeded and was not accepted counts as a failure; the quality of one that was is what it earned.

        Args:
            run: Id of the run.
            rating: What the person thought.
            succeeded: How the run itself ended.
            quality: What the critic gave it.
        """
        earlier = self.ratings.get(run)
        before = succeeded and (earlier is None or earlier.accepted)
        after = succeeded and rating.accepted
        successes = max(0, self.successes + after - before)
        was = earlier.quality if earlier else quality if quality is not None else self.quality
        update = {
            "successes": successes,
            "failures": max(0, self.failures + before - after),
            "quality": self._requality(successes, (was or 0.0) * before, rating.quality * after),
            "ratings": _latest(self.ratings | {run: rating}),
        }
        if run == self.run:
            update["last_success"] = after
        return self.model_copy(update=update)

    def _requality(self, successes: int, was: float, now: float) -> float | None:
        if self.quality is None or not successes:
            return self.quality
        return min(1.0, max(0.0, (self.quality * self.successes - was + now) / successes))


def _with_run(known: Value | None, run: Value) -> Value:
    """Add a run to what is known of its task; one that was delivered late takes its place in time.

    A repeated node remembers its run once.
    """
    if known and run["run"] and known["run"] == run["run"]:
        return known
    runs = [TaskRecord.model_validate(value) for value in (known, run) if value]
    first, *later = sorted(runs, key=lambda record: record.updated)
    return (first.merged(later[0]) if later else first).model_dump(mode="json")


TASK_RUN = Merge("task_run", _with_run)


def task_key(workspace: str, task: str) -> str:
    """Return where a task is kept; that of no task begins the keys of all."""
    return f"memory:task_history:{checked_workspace(workspace)}:{task}"


def readable(key: str, value: Value | None) -> TaskRecord | None:
    """Return a stored record, or None for a damaged one, which must not keep the others from being read."""
    if value is None:
        return None
    try:
        return TaskRecord.model_validate(value)
    except ValidationError as error:
        logging.getLogger(__name__).warning("the remembered task %s cannot be read: %s", key, error.errors()[0]["msg"])
        return None


async def read_tasks(records: Records, workspace: str, tasks: Sequence[str]) -> Sequence[TaskRecord | None]:
    """Return each of some tasks by its id, or None where it is not remembered or damaged."""
    values = await records.get_many([task_key(workspace, task) for task in tasks])
    return [readable(task, value) for task, value in zip(tasks, values, strict=True)]


def goal_hash(team: str, goal: str, sequence: Sequence[str]) -> str:
    """Return the id of a task: the same team, goal (but for case and spaces) and sequence give the same one."""
    task = json.dumps([team, normalised(goal), list(sequence)])
    return hashlib.sha256(task.encode()).hexdigest()[:32]


def normalised(goal: str) -> str:
    """Return the goal without differences of case and spaces."""
    return " ".join(goal.casefold().split())


def _latest(ratings: dict[str, Rating]) -> dict[str, Rating]:
    return dict(list(ratings.items())[-MAX_RATINGS:])


def _mean(parts: Sequence[tuple[float | None, int]]) -> float | None:
    """Return the mean quality of runs, from the quality and number of each part."""
    rated = [(quality, runs) for quality, runs in parts if quality is not None and runs]
    runs = sum(n for _, n in rated)
    return sum(quality * n for quality, n in rated) / runs if runs else None
