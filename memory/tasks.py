"""Task memory: what was asked, which agents did it, and how it ended. Records are the truth, Chroma is their index."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from pydantic import ValidationError

from domain.errors import InvalidSettings, StorageAway
from domain.routing import Neighbour, Recall
from memory.encoders import Vectors
from memory.index import ChromaIndex, Hit, IndexDamaged
from memory.learning import Calibrated, Learning
from memory.lexical import ask_of
from memory.recall import Candidate, Knowledge, judged
from memory.records import Records, Value
from memory.task_record import TASK_RUN, Rating, TaskRecord, goal_hash
from memory.view import View
from memory.workspaces import checked_workspace

__all__ = ["TASK_RUN", "TaskMemory", "TaskRecord", "goal_hash"]

T = TypeVar("T")

TTL_SECONDS = 30 * 24 * 3600.0
"""A task is forgotten this long after it was last run."""
_VIEWS = 64
"""Workspaces whose words are kept in memory."""
_DAY = 86400.0


class TaskMemory:
    """The tasks of all workspaces; every method concerns one of them."""

    def __init__(self, records: Records, index: ChromaIndex, *, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._index = index
        self._clock = clock
        self._views: OrderedDict[str, View] = OrderedDict()
        self._opening = asyncio.Lock()
        self._learning = Learning(records, index)

    async def remember(self, record: TaskRecord) -> TaskRecord:
        """Store a finished run and return the task with all its runs; a run of a known task is added to it."""
        stored = await self._merged(record)
        with suppress(StorageAway):  # then the workspace is not open yet, and gets the task when it is opened
            await self._shown(stored.workspace, [stored])
        return stored

    async def remember_many(self, workspace: str, records: Sequence[TaskRecord]) -> list[TaskRecord]:
        """Store finished runs, as `remember` does each, and return them as they are stored; fast for thousands.

        Raises:
            InvalidSettings: One of them is of another workspace; nothing is stored then.
        """
        strangers = {record.workspace for record in records} - {checked_workspace(workspace)}
        if strangers:
            raise InvalidSettings(f"tasks of {', '.join(sorted(strangers))} cannot be remembered in {workspace}")
        stored = [await self._merged(record) for record in records]
        with suppress(StorageAway):
            await self._shown(workspace, stored)
        return stored

    async def calibrate(self, workspace: str) -> list[Calibrated]:
        """Learn now from the tasks of each team how far its recall can be believed, which else happens by itself.

        Teams with too few tasks, or with tasks of a single sequence, are left out: the encoder's prior judges theirs.
        """
        view = await self._view(workspace)
        found = [await self._learned(workspace, view, team) for team in sorted(view.sizes)]
        return [calibrated for calibrated in found if calibrated]

    async def close(self) -> None:
        """Let what is being learnt be finished; the records and the index stay open."""
        await self._learning.finish()

    async def recall(
        self, workspace: str, team: str, goal: str, *, limit: int = 8, versions: Mapping[str, str] | None = None
    ) -> Recall:
        """Return the team's remembered tasks nearest to `goal` and the confidence in the best sequence.

        Args:
            workspace: Whose memory.
            team: Whose tasks.
            goal: The request.
            limit: How many tasks; what was learnt may add some that speak for its choice.
            versions: Of the team, its prompts and so on, as they are now; tasks done by other ones count less.

        Raises:
            StorageAway: The records cannot be read now.
        """
        view = await self._view(workspace)
        vectors = await self._encoded([goal, ask_of(goal)])
        hits = await self._hits(workspace, view, vectors[0], limit, team)
        judgement = None
        if team in view.learnt:
            judgement = await asyncio.to_thread(view.learnt[team].judgement, goal, vectors[0])
            near = {hit.id for hit in hits}
            hits = [*hits, *(hit for hit in judgement.support if hit.id not in near)]
        candidates = await self._candidates(workspace, view, goal, vectors[1], hits, versions or {})
        histories = {c.route: view.history(team, c.route) for c in candidates}
        return judged(goal, candidates, Knowledge(self._index.encoder.id, judgement, histories))

    async def search(self, workspace: str, query: str, limit: int = 8) -> Sequence[Neighbour]:
        """Return the tasks of all teams nearest to `query`, nearest first."""
        view = await self._view(workspace)
        vectors = await self._encoded([query, ask_of(query)])
        hits = await self._hits(workspace, view, vectors[0], limit, None)
        candidates = await self._candidates(workspace, view, query, vectors[1], hits, {})
        return [candidate.neighbour for candidate in candidates]

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
        """Return the share of runs with this agent that succeeded, 0-1, or None without any or while memory is away."""
        try:
            tasks = [task for task in await self.list(workspace) if agent in task.sequence]
        except StorageAway:
            return None
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
        run = record.model_copy(update={"id": task, "created": now, "updated": now}).model_dump(mode="json")
        merged = await self._records.merge(_key(record.workspace, task), run, TASK_RUN, ttl=TTL_SECONDS)
        return TaskRecord.model_validate(merged)

    async def _shown(self, workspace: str, stored: Sequence[TaskRecord]) -> None:
        """Let recall find tasks as they are stored."""
        view = await self._view(workspace)
        new = list({task.id: task for task in stored if task.id not in view}.values())
        if new:
            vectors = await self._encoded([task.goal for task in new] + [ask_of(task.goal) for task in new])
            view.add(new, vectors[len(new) :])
            add = partial(self._index.add, workspace, [task.id for task in new], vectors[: len(new)])
            await self._indexed(workspace, add)
        for task in stored:
            view.update(task)
        for team in {task.team for task in stored}:
            self._learning.grown(workspace, view, team)

    async def _learned(self, workspace: str, view: View, team: str) -> Calibrated | None:
        return await self._indexed(workspace, partial(self._learning.learn, workspace, view, team))

    async def _candidates(
        self, workspace: str, view: View, goal: str, ask: Vectors, hits: Sequence[Hit], versions: Mapping[str, str]
    ) -> Sequence[Candidate]:
        """Return those of the hits that are still remembered."""
        records = [await self.get(workspace, hit.id) for hit in hits]
        await self._unindex(workspace, [h.id for h, r in zip(hits, records, strict=True) if r is None])
        living = [(hit, record) for hit, record in zip(hits, records, strict=True) if record is not None]
        closeness = view.closeness(goal, ask, [hit for hit, _ in living])
        return [
            Candidate(
                neighbour=_neighbour(record, hit, self._clock()),
                plan=record.plan,
                successes=record.successes,
                failures=record.failures,
                closeness=close,
                changes=sum(versions.get(name, version) != version for name, version in record.versions.items()),
            )
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
        view, vectors = await asyncio.to_thread(View.of, records, self._index.encoder)
        try:
            await self._reconciled(workspace, [r.id for r in records], vectors)
        except IndexDamaged:
            await self._index.renew()
            self._views.clear()  # what other workspaces had in the index is gone too
            await self._index.add(workspace, [r.id for r in records], vectors)
        by_task = {r.id: vector for r, vector in zip(records, vectors, strict=True)}
        await self._learning.restore(workspace, view, {r.id: r.goal for r in records}, by_task)
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
        for team in view.remove(tasks):
            await self._learning.save(workspace, view, team)
        if tasks:
            await self._indexed(workspace, partial(self._index.delete, workspace, tasks))

    async def _encoded(self, texts: Sequence[str]) -> Vectors:
        return await asyncio.to_thread(self._index.encoder.encode, texts)

    async def rated(
        self,
        workspace: str,
        task: str,
        run: str,
        *,
        accepted: bool,
        reward: float,
        succeeded: bool,
        quality: float | None = None,
    ) -> TaskRecord | None:
        """Let a person's rating of a run change its task, and return the task; None where it is not remembered.

        Args:
            workspace: Whose memory.
            task: Id of the task.
            run: Id of the run; rating it again replaces the rating.
            accepted: Whether the run counts as a success for the person.
            reward: What it earned, 0-1.
            succeeded: How the run itself ended.
            quality: What the critic gave it.
        """
        rating = Rating(accepted=accepted, quality=reward)
        while known := await self._records.get(_key(workspace, task)):
            record = TaskRecord.model_validate(known)
            record = record.rated(run, rating=rating, succeeded=succeeded, quality=quality)
            value = record.model_dump(mode="json")
            if await self._records.compare_and_set(_key(workspace, task), known, value, ttl=TTL_SECONDS):
                await self._shown(workspace, [record])
                return record
        return None


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


def _key(workspace: str, task: str) -> str:
    return f"memory:task_history:{checked_workspace(workspace)}:{task}"
