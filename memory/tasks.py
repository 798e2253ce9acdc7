"""Task memory: what was asked, which agents did it, and how it ended. Records are the truth, Chroma is their index."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from domain.errors import InvalidSettings, StorageAway
from domain.routing import REUSE_ABOVE, Neighbour, Recall
from memory.changes import noting
from memory.encoders import Vectors
from memory.index import ChromaIndex
from memory.learning import Calibrated, Learning
from memory.lexical import ask_of
from memory.nearest import Nearest
from memory.picture import pictured
from memory.recall import Knowledge, Lacks, judged
from memory.records import Change, Records
from memory.task_record import TASK_RUN, TTL_SECONDS, Rating, TaskRecord, goal_hash, read_tasks, readable, task_key
from memory.view import View
from memory.views import Views
from memory.workspaces import checked_workspace

__all__ = ["TASK_RUN", "Placed", "TaskMemory", "TaskRecord", "goal_hash"]

_BATCH = 500
"""Records that are stored at once."""


class Placed(NamedTuple):
    """A task with its place in a picture; both coordinates within -1..1."""

    task: TaskRecord
    x: float
    y: float


class TaskMemory:
    """The tasks of all workspaces; every method concerns one of them."""

    def __init__(
        self,
        records: Records,
        index: ChromaIndex,
        *,
        clock: Callable[[], float] = time.time,
        shared: bool = False,
        reuse_above: float = REUSE_ABOVE,
    ) -> None:
        """Take the parts, which stay the caller's to close.

        Args:
            records: The truth.
            index: Their vectors.
            clock: Returns unix time in seconds.
            shared: Whether other processes use the records too; then each sees at its next recall what others changed.
            reuse_above: Confidence above which a remembered plan is reused.
        """
        self._records = records
        self._index = index
        self._clock = clock
        self._shared = shared
        self._reuse_above = reuse_above
        self._learning = Learning(records, index, self.get)
        self._views = Views(records, index, self._learning, clock, shared=shared)
        self._nearest = Nearest(records, index, self._views, clock)

    async def remember(self, record: TaskRecord) -> TaskRecord:
        """Store a finished run and return the task with all its runs; a run of a known task is added to it."""
        return (await self._stored(record.workspace, [self._now_run(record)]))[0]

    async def remember_many(self, workspace: str, records: Sequence[TaskRecord]) -> list[TaskRecord]:
        """Store finished runs, as `remember` does each, and return them as they are stored; fast for thousands.

        Raises:
            InvalidSettings: One of them is of another workspace; nothing is stored then.
        """
        _check_home(workspace, records)
        return list(await self._stored(workspace, [self._now_run(record) for record in records]))

    async def adopt(self, workspace: str, records: Sequence[TaskRecord]) -> int:
        """Store runs of another memory at the times that they have, and return how many; not those past their time.

        Raises:
            InvalidSettings: One of them is of another workspace; nothing is stored then.
        """
        _check_home(workspace, records)
        living = [dated for record in records if self._time_left(dated := self._dated(record)) > 0]
        return len(await self._stored(workspace, living))

    async def calibrate(self, workspace: str) -> list[Calibrated]:
        """Learn now from the tasks of each team how far its recall can be believed, which else happens by itself.

        Teams with too few tasks, or with tasks of a single sequence, are left out: the encoder's prior judges theirs.
        """
        view = await self._views.current(workspace)
        found = [await self._learned(workspace, view, team) for team in sorted(view.sizes)]
        return [calibrated for calibrated in found if calibrated]

    async def settle(self) -> None:
        """Wait until what is being learnt in the background is learnt."""
        await self._learning.finish()

    async def close(self) -> None:
        """Let what is being learnt be finished; the records and the index stay open."""
        await self.settle()

    async def recall(
        self,
        workspace: str,
        team: str,
        goal: str,
        *,
        limit: int = 8,
        versions: Mapping[str, str] | None = None,
        lacks: Lacks | None = None,
    ) -> Recall:
        """Return the team's remembered tasks nearest to `goal` and the confidence in the best sequence.

        Args:
            workspace: Whose memory.
            team: Whose tasks.
            goal: The request.
            limit: How many tasks; what was learnt may add some that speak for its choice.
            versions: Of the team, its prompts and so on, as they are now; tasks done by other ones count less.
            lacks: Tells what the goal asks for and a remembered plan would not do; such a plan is but a hint.

        Raises:
            StorageAway: The records cannot be read now.
        """
        view = await self._views.current(workspace)
        vectors = await self._encoded([goal, ask_of(goal)])
        hits = await self._nearest.hits(workspace, view, vectors[0], limit, team)
        judgement, ranking = None, None
        if team in view.learnt:
            judgement = await asyncio.to_thread(view.learnt[team].judgement, goal, vectors[0])
            near = {hit.id for hit in hits}
            hits = [*hits, *(hit for hit in judgement.support if hit.id not in near)]
        if team in view.plans:
            ranking = await asyncio.to_thread(view.plans[team].ranking, goal, vectors[0])
            near = {hit.id for hit in hits}
            hits = [*hits, *(hit for hit in ranking.hits if hit.id not in near)]
        candidates = await self._nearest.candidates(workspace, view, goal, vectors[1], hits, versions or {})
        histories = {c.route: view.history(team, c.route) for c in candidates}
        known = Knowledge(self._index.encoder.id, judgement, histories, ranking, self._reuse_above)
        known = known if lacks is None else replace(known, lacks=lacks)
        return judged(goal, candidates, known)

    async def search(self, workspace: str, query: str, limit: int = 8) -> Sequence[Neighbour]:
        """Return the tasks of all teams nearest to `query`, nearest first."""
        view = await self._views.current(workspace)
        vectors = await self._encoded([query, ask_of(query)])
        hits = await self._nearest.hits(workspace, view, vectors[0], limit, None)
        candidates = await self._nearest.candidates(workspace, view, query, vectors[1], hits, {})
        return [candidate.neighbour for candidate in candidates]

    async def get(self, workspace: str, task: str) -> TaskRecord | None:
        """Return a task by its id, or None."""
        return readable(task, await self._records.get(task_key(workspace, task)))

    async def get_many(self, workspace: str, tasks: Sequence[str]) -> Sequence[TaskRecord | None]:
        """Return each of some tasks by its id, or None."""
        return await read_tasks(self._records, workspace, tasks)

    async def vectors(self, workspace: str, tasks: Sequence[str]) -> Vectors:
        """Return the vectors of tasks that are remembered, shape [tasks, dimension]."""
        await self._views.current(workspace)
        return await self._views.indexed(workspace, partial(self._index.vectors, workspace, tasks))

    async def list(self, workspace: str, *, beginning: str = "") -> list[TaskRecord]:
        """Return the tasks of a workspace, or those whose ids have this beginning, the latest first."""
        found = [readable(key, value) for key, value in await self._records.scan(task_key(workspace, beginning))]
        return sorted((record for record in found if record), key=lambda record: -record.updated)

    async def latest(self, workspace: str, *, limit: int, offset: int = 0) -> Sequence[TaskRecord]:
        """Return a page of the workspace's tasks, the latest first; reads no others, however many there are.

        Raises:
            StorageAway: The index or the records cannot be reached now.
        """
        ids = (await self._views.current(workspace)).tasks()[::-1][offset : offset + limit]
        return [record for record in await self.get_many(workspace, ids) if record]

    async def placed(self, workspace: str, *, limit: int) -> Sequence[Placed]:
        """Return the latest tasks with their places in a picture in which similar goals are near to each other.

        Raises:
            StorageAway: The index or the records cannot be reached now.
        """
        records = await self.latest(workspace, limit=limit)
        ids = [record.id for record in records]
        vectors = await self._views.indexed(workspace, partial(self._index.vectors, workspace, ids))
        places = (await asyncio.to_thread(pictured, vectors)).places
        return [Placed(record, float(x), float(y)) for record, (x, y) in zip(records, places, strict=True)]

    async def forget(self, workspace: str, task: str) -> bool:
        """Delete a task from records and index for good; return whether it was there.

        While the index is away, its vector goes when the workspace is next opened.
        """
        there = await self._records.delete(task_key(workspace, task))
        await self._records.merge_many(self._noting(workspace, [task]))
        try:
            await self._views.hide(workspace, [task])
        except StorageAway:
            self._views.shut(workspace)
        return there

    async def count(self, workspace: str) -> int:
        """Return how many tasks a workspace remembers."""
        return await self._records.count(task_key(workspace, ""))

    async def success_rate(self, workspace: str, agent: str) -> float | None:
        """Return the share of runs with this agent that succeeded, 0-1, or None without any or while memory is away."""
        try:
            return (await self._views.current(workspace)).success_rate(agent)
        except StorageAway:
            return None

    async def reindex(self, workspace: str) -> int:
        """Fill the workspace's index anew from its records and return how many tasks it holds."""
        ids = await self._views.indexed(workspace, partial(self._index.ids, workspace))
        await self._index.delete(workspace, sorted(ids))
        self._views.shut(workspace)
        await self._views.of(workspace)
        return await self._index.count(workspace)

    async def _stored(self, workspace: str, records: Sequence[TaskRecord]) -> Sequence[TaskRecord]:
        """Store records, each added to what is known of its task; two writers never lose each other's runs."""
        stored = []
        for start in range(0, len(records), _BATCH):
            merges = [self._merge(workspace, record) for record in records[start : start + _BATCH]]
            noted = self._noting(workspace, [merge.value["id"] for merge in merges])
            values = await self._records.merge_many([*merges, *noted])
            part = [TaskRecord.model_validate(value) for value in values[: len(merges)]]
            await self._views.show(workspace, part)
            stored += part
        return stored

    def _merge(self, workspace: str, record: TaskRecord) -> Change:
        task = goal_hash(record.team, record.goal, record.sequence)
        run = record.model_copy(update={"id": task}).model_dump(mode="json")
        return Change(task_key(workspace, task), run, TASK_RUN, self._time_left(record))

    def _now_run(self, record: TaskRecord) -> TaskRecord:
        now = self._clock()
        return record.model_copy(update={"created": now, "updated": now})

    def _dated(self, record: TaskRecord) -> TaskRecord:
        """Return a run with the times that it has; what has none, or one to come, counts as run now."""
        now = self._clock()
        updated = record.updated if record.updated and record.updated < now else now
        created = record.created if record.created and record.created < updated else updated
        return record.model_copy(update={"created": created, "updated": updated})

    def _time_left(self, record: TaskRecord) -> float:
        return record.updated + TTL_SECONDS - self._clock()

    def _noting(self, workspace: str, tasks: Sequence[str]) -> Sequence[Change]:
        """Return what lets other processes see that tasks changed."""
        return [noting(workspace, tasks, TTL_SECONDS)] if self._shared else []

    async def _learned(self, workspace: str, view: View, team: str) -> Calibrated | None:
        return await self._views.indexed(workspace, partial(self._learning.learn, workspace, view, team))

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
        key = task_key(workspace, task)
        while known := await self._records.get(key):
            record = TaskRecord.model_validate(known)
            record = record.rated(run, rating=rating, succeeded=succeeded, quality=quality)
            value = record.model_dump(mode="json")
            if await self._records.compare_and_set(key, known, value, ttl=self._time_left(record)):
                await self._records.merge_many(self._noting(workspace, [task]))
                await self._views.show(workspace, [record])
                return record
        return None


def _check_home(workspace: str, records: Sequence[TaskRecord]) -> None:
    strangers = {record.workspace for record in records} - {checked_workspace(workspace)}
    if strangers:
        raise InvalidSettings(f"tasks of {', '.join(sorted(strangers))} cannot be remembered in {workspace}")
