"""Task memory: what was asked, which agents did it, and how it ended. Records are the truth, Chroma is their index."""

import asyncio
import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.plans import Plan
from domain.routing import Neighbour, Recall
from memory.encoders import Vectors
from memory.index import ChromaIndex, Hit, IndexDamaged
from memory.lexical import ask_of
from memory.recall import Candidate, judged
from memory.records import Records, Value
from memory.view import View
from memory.workspaces import checked_workspace

T = TypeVar("T")

TTL_SECONDS = 30 * 24 * 3600.0
"""A task is forgotten this long after it was last run."""
_VIEWS = 64
"""Workspaces whose words are kept in memory."""
_DAY = 86400.0


class TaskRecord(BaseModel):
    """One goal done by one sequence of agents, with all its runs."""

    model_config = ConfigDict(extra="forbid")

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
                "created": self.created,
            }
        )


def goal_hash(team: str, goal: str, sequence: Sequence[str]) -> str:
    """Return the id of a task: the same team, goal (but for case and spaces) and sequence give the same one."""
    task = json.dumps([team, normalised(goal), list(sequence)])
    return hashlib.sha256(task.encode()).hexdigest()[:32]


def normalised(goal: str) -> str:
    """Return the goal without differences of case and spaces."""
    return " ".join(goal.casefold().split())


class TaskMemory:
    """The tasks of all workspaces; every method concerns one of them."""

    def __init__(self, records: Records, index: ChromaIndex, *, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._index = index
        self._clock = clock
        self._views: OrderedDict[str, View] = OrderedDict()
        self._opening = asyncio.Lock()

    async def remember(self, record: TaskRecord) -> TaskRecord:
        """Store a finished run and return the task with all its runs; a run of a known task is added to it."""
        view = await self._view(record.workspace)
        stored = await self._merged(record)
        if stored.id not in view:
            vectors = await self._encoded([stored.goal, ask_of(stored.goal)])
            view.add(stored.id, stored.team, stored.goal, vectors[1])
            await self._indexed(stored.workspace, partial(self._index.add, stored.workspace, [stored.id], vectors[:1]))
        return stored

    async def recall(self, workspace: str, team: str, goal: str, *, limit: int = 8) -> Recall:
        """Return the team's remembered tasks nearest to `goal` and the confidence in the best sequence."""
        near = await self._near(workspace, goal, limit, team)
        return judged(goal, near, encoder=self._index.encoder.id)

    async def search(self, workspace: str, query: str, limit: int = 8) -> Sequence[Neighbour]:
        """Return the tasks of all teams nearest to `query`, nearest first."""
        return [candidate.neighbour for candidate in await self._near(workspace, query, limit, None)]

    async def get(self, workspace: str, task: str) -> TaskRecord | None:
        """Return a task by its id, or None."""
        value = await self._records.get(_key(workspace, task))
        return _readable(task, value) if value else None

    async def list(self, workspace: str) -> list[TaskRecord]:
        """Return all tasks of a workspace, the latest first."""
        found = [_readable(key, value) for key, value in await self._records.scan(_key(workspace, ""))]
        return sorted((record for record in found if record), key=lambda record: -record.updated)

    async def forget(self, workspace: str, task: str) -> bool:
        """Delete a task from records and index for good; return whether it was there."""
        there = await self._records.delete(_key(workspace, task))
        await self._unindex(workspace, [task])
        return there

    async def count(self, workspace: str) -> int:
        """Return how many tasks a workspace remembers."""
        return len(await self._records.scan(_key(workspace, "")))

    async def success_rate(self, workspace: str, agent: str) -> float | None:
        """Return the share of runs with this agent that succeeded, 0-1, or None without any."""
        tasks = [task for task in await self.list(workspace) if agent in task.sequence]
        successes, failures = sum(t.successes for t in tasks), sum(t.failures for t in tasks)
        return successes / (successes + failures) if tasks else None

    async def reindex(self, workspace: str) -> int:
        """Fill the workspace's index anew from its records and return how many tasks it holds."""
        await self._index.delete(workspace, sorted(await self._indexed(workspace, partial(self._index.ids, workspace))))
        self._views.pop(checked_workspace(workspace), None)
        await self._view(workspace)
        return await self._index.count(workspace)

    async def _merged(self, record: TaskRecord) -> TaskRecord:
        """Store the record, added to what is known of the task; two writers never lose each other's runs."""
        task, now = goal_hash(record.team, record.goal, record.sequence), self._clock()
        record = record.model_copy(update={"id": task, "created": now, "updated": now})
        while True:
            known = await self._records.get(_key(record.workspace, task))
            if known and record.run and known["run"] == record.run:
                return TaskRecord.model_validate(known)  # a repeated node remembers its run once
            merged = TaskRecord.model_validate(known).merged(record) if known else record
            value = merged.model_dump(mode="json")
            if await self._records.compare_and_set(_key(record.workspace, task), known, value, ttl=TTL_SECONDS):
                return merged

    async def _near(self, workspace: str, goal: str, limit: int, team: str | None) -> Sequence[Candidate]:
        """Return up to `limit` living tasks near the goal, nearest first."""
        view = await self._view(workspace)
        whole, ask = await self._encoded([goal, ask_of(goal)])
        hits = await self._hits(workspace, view, whole, limit, team)
        records = [await self.get(workspace, hit.id) for hit in hits]
        await self._unindex(workspace, [h.id for h, r in zip(hits, records, strict=True) if r is None])
        living = [(hit, record) for hit, record in zip(hits, records, strict=True) if record is not None]
        closeness = view.closeness(goal, ask, [hit for hit, _ in living])
        return [
            Candidate(_neighbour(record, hit, self._clock()), record.plan, record.successes, record.failures, close)
            for (hit, record), close in zip(living, closeness, strict=True)
        ]

    async def _hits(self, workspace: str, view: View, vector: Vectors, limit: int, team: str | None) -> Sequence[Hit]:
        """Return up to `limit` hits of the team.

        The team is looked up here because a metadata filter makes Chroma's query several times slower; the query is
        widened until enough are found.
        """
        fetched = 4 * limit
        while True:
            query = partial(self._index.query, workspace, vector, fetched)
            hits = await self._indexed(workspace, query)
            mine = [hit for hit in hits if hit.id in view and team in (None, view.team(hit.id))]
            if len(mine) >= limit or len(hits) < fetched:
                return mine[:limit]
            fetched *= 4

    async def _indexed(self, workspace: str, use: Callable[[], Awaitable[T]]) -> T:
        """Use the index; when it turns out to be damaged, build it anew from the records and use it again."""
        try:
            return await use()
        except IndexDamaged:
            await self._index.renew()
            self._views.clear()
            await self._view(workspace)
            return await use()

    async def _view(self, workspace: str) -> View:
        """Return the workspace's words; at first use the index is made to agree with the records."""
        checked_workspace(workspace)
        async with self._opening:
            if workspace not in self._views:
                self._views[workspace] = await self._opened(workspace)
            self._views.move_to_end(workspace)
            while len(self._views) > _VIEWS:
                self._views.popitem(last=False)
            return self._views[workspace]

    async def _opened(self, workspace: str) -> View:
        records = await self.list(workspace)
        view, vectors = await asyncio.to_thread(View.of, [(r.id, r.team, r.goal) for r in records], self._index.encoder)
        try:
            await self._reconciled(workspace, [r.id for r in records], vectors)
        except IndexDamaged:
            await self._index.renew()
            self._views.clear()  # what other workspaces had in the index is gone too
            await self._index.add(workspace, [r.id for r in records], vectors)
        return view

    async def _reconciled(self, workspace: str, ids: Sequence[str], vectors: Vectors) -> None:
        indexed = await self._index.ids(workspace)
        await self._index.delete(workspace, sorted(indexed - set(ids)))
        missing = [i for i, task in enumerate(ids) if task not in indexed]
        if missing:
            await self._index.add(workspace, [ids[i] for i in missing], vectors[missing])

    async def _unindex(self, workspace: str, tasks: Sequence[str]) -> None:
        """Remove tasks whose records are gone, by request or because their time was over."""
        view = await self._view(workspace)
        for task in tasks:
            view.remove(task)
        if tasks:
            await self._indexed(workspace, partial(self._index.delete, workspace, tasks))

    async def _encoded(self, texts: Sequence[str]) -> Vectors:
        return await asyncio.to_thread(self._index.encoder.encode, texts)


def _readable(key: str, value: Value) -> TaskRecord | None:
    """Return a stored record, or None for a damaged one, which must not keep the others from being read."""
    try:
        return TaskRecord.model_validate(value)
    except ValidationError as error:
        logging.getLogger(__name__).warning("the remembered task %s cannot be read: %s", key, error.errors()[0]["msg"])
        return None


def _neighbour(record: TaskRecord, hit: Hit, now: float) -> Neighbour:
    return Neighbour(
        task=record.id,
        goal=record.goal,
        sequence=record.sequence,
        similarity=hit.similarity,
        success=record.last_success,
        quality=record.quality,
        age_days=max(0.0, now - record.updated) / _DAY,
    )


def _mean(parts: Sequence[tuple[float | None, int]]) -> float | None:
    """Return the mean quality of runs, from the quality and number of each part."""
    rated = [(quality, runs) for quality, runs in parts if quality is not None and runs]
    runs = sum(n for _, n in rated)
    return sum(quality * n for quality, n in rated) / runs if runs else None


def _key(workspace: str, task: str) -> str:
    return f"memory:task_history:{checked_workspace(workspace)}:{task}"
