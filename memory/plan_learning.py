"""Learning of plans: from which tasks, and where the result is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from memory.encoders import Vectors
from memory.index import ChromaIndex, IndexDamaged
from memory.learnt import Example as Task
from memory.plan_ranker import MAX_PLANS, Example, bounded, learn, rankable
from memory.plan_shapes import shape_of
from memory.plan_stored import restored, stored
from memory.records import Records, Value
from memory.task_record import TaskRecord
from memory.view import View
from memory.workspaces import checked_workspace


class _Task(Protocol):
    @property
    def task(self) -> str:
        """Id of a remembered task."""


T = TypeVar("T", bound=_Task)


async def vectors_of(
    index: ChromaIndex, workspace: str, view: View, examples: Sequence[T]
) -> tuple[Sequence[T], Vectors]:
    """Return the examples that are still in view, and their vectors; some may have been forgotten meanwhile.

    Raises:
        IndexDamaged: The index lacks the vector of a task in view.
    """
    while True:
        living = [example for example in examples if example.task in view]
        try:
            return living, await index.vectors(workspace, [example.task for example in living])
        except IndexDamaged:
            if all(example.task in view for example in living):
                raise


def tasks_in(value: Value, goals: Mapping[str, str]) -> list[str]:
    """Return the tasks that a record names and that have a goal, each once; the record may be damaged."""
    named = value.get("tasks")
    known = dict.fromkeys(task for task in named if isinstance(task, str)) if isinstance(named, list) else {}
    return [task for task in known if task in goals]


class PlanLearning:
    """Learns which whole plan fits a goal; `memory.learning` says when."""

    def __init__(
        self, records: Records, index: ChromaIndex, task: Callable[[str, str], Awaitable[TaskRecord | None]]
    ) -> None:
        self._records = records
        self._index = index
        self._task = task

    async def learn(self, workspace: str, view: View, team: str, tasks: Sequence[Task]) -> None:
        """Let a view rank by the plans of a team's tasks, the least recent first; with too few, nothing is ranked."""
        known = bounded(await self._examples(workspace, tasks[-MAX_PLANS:]))
        ranker = None
        examples, vectors = await vectors_of(self._index, workspace, view, known)
        if rankable([example.shape for example in examples]):
            encoder, size = self._index.encoder.id, view.sizes.get(team, 0)
            ranker = await asyncio.to_thread(learn, examples, vectors, encoder=encoder, size=size)
        view.take_plans(team, ranker)

    async def restore(self, workspace: str, view: View, team: str, goals: Mapping[str, str]) -> bool:
        """Give a view what was learnt before, from its goals by task and their vectors in the index.

        Returns whether nothing is missing: False where what was kept cannot be used and is to be learnt anew.
        """
        value = await self._records.get(self._key(workspace, team))
        if value is None:
            return True
        tasks = tasks_in(value, goals)
        vectors = dict(zip(tasks, await self._index.vectors(workspace, tasks), strict=True))
        view.take_plans(team, await asyncio.to_thread(restored, value, goals, vectors, self._index.encoder.id))
        return team in view.plans

    async def save(self, workspace: str, view: View, team: str) -> None:
        """Keep what a view has learnt, or nothing where it has nothing."""
        if team in view.plans:
            await self._records.put(self._key(workspace, team), await asyncio.to_thread(stored, view.plans[team]))
        else:
            await self._records.delete(self._key(workspace, team))

    async def _examples(self, workspace: str, tasks: Sequence[Task]) -> list[Example]:
        """Return the tasks that still have a plan that succeeded."""
        records = [(task, await self._task(workspace, task.task)) for task in tasks]
        return [
            Example(task.task, task.goal, shape_of(record.plan))
            for task, record in records
            if record and record.plan and record.successes
        ]

    def _key(self, workspace: str, team: str) -> str:
        return f"memory:plans:{checked_workspace(workspace)}:{self._index.encoder.id}:{team}"
