"""Learning: when a memory is calibrated anew, off the road of any request, and where the result is kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from statistics import fmean
from typing import NamedTuple

from domain.errors import StorageError
from memory.index import ChromaIndex
from memory.learnt import MIN_INFORMED, Learnt, chosen_of, learn, learnable
from memory.learnt_stored import restored, stored
from memory.plan_learning import PlanLearning, tasks_in, vectors_of
from memory.records import Records
from memory.task_record import TaskRecord
from memory.view import View
from memory.workspaces import checked_workspace

GROWTH = 1.1
MIN_NEW = 10
"""A memory is calibrated anew when it has grown by this factor and this many tasks."""


class Calibrated(NamedTuple):
    """What was learnt from one team's tasks."""

    team: str
    tasks: int
    """Examples, at most `memory.learnt.MAX_EXAMPLES`."""
    routes: int
    accuracy: float
    """Share of the examples whose route is found without having seen them, 0-1."""
    novel_below: float
    """Similarity below which a goal is novel."""
    trust: float
    """Weight against the encoder's shipped prior, 0-1, mean over the routes."""


class Learning:
    """Learns in the background, one memory at a time."""

    def __init__(
        self, records: Records, index: ChromaIndex, task: Callable[[str, str], Awaitable[TaskRecord | None]]
    ) -> None:
        self._records = records
        self._index = index
        self._plans = PlanLearning(records, index, task)
        self._tried: dict[tuple[str, str], int] = {}
        self._turn = asyncio.Lock()
        self._saving = asyncio.Lock()
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def restore(self, workspace: str, view: View) -> None:
        """Give a view what was learnt before, from its goals and their vectors in the index.

        Raises:
            IndexDamaged: The index lacks a vector.
        """
        goals = view.goals
        for team in view.sizes:
            whole = await self._plans.restore(workspace, view, team, goals)
            whole = await self._restore_routes(workspace, view, team, goals) and whole
            known = [part.size for part in (view.learnt.get(team), view.plans.get(team)) if part]
            self._tried.pop((workspace, team), None)
            if whole and known:
                self._tried[workspace, team] = max(known)

    def grown(self, workspace: str, view: View, team: str) -> None:
        """Start learning in the background where a team's memory has grown enough since the last time.

        It is not started twice: what grows while it learns is learnt afterwards, all at once.
        """
        if (workspace, team) not in self._running and self._due(workspace, view, team):
            task = asyncio.create_task(self._in_background(workspace, view, team))
            self._running[workspace, team] = task
            task.add_done_callback(partial(self._ended, workspace, team))

    async def learn(self, workspace: str, view: View, team: str) -> Calibrated | None:
        """Learn from a team's tasks and keep the result; None where they are too few or of a single route."""
        async with self._turn:
            examples, size = chosen_of(view.examples(team)), view.sizes.get(team, 0)
            await self._plans.learn(workspace, view, team, examples)
            await self.save(workspace, view, team)
            living, vectors = await vectors_of(self._index, workspace, view, examples)
            if not learnable(living):
                return None
            learnt = await asyncio.to_thread(learn, living, vectors, encoder=self._index.encoder.id, size=size)
            view.take(team, learnt)  # without what was forgotten meanwhile
            self._tried[workspace, team] = size
            await self.save(workspace, view, team)
        return _summary(team, view.learnt.get(team))

    async def save(self, workspace: str, view: View, team: str) -> None:
        """Keep what a view has learnt, or nothing where it has nothing."""
        async with self._saving:  # one after the other: what was read before a task was forgotten is not put after it
            await self._plans.save(workspace, view, team)
            if team in view.learnt:
                await self._records.put(self._key(workspace, team), await asyncio.to_thread(stored, view.learnt[team]))
            else:
                await self._records.delete(self._key(workspace, team))

    async def finish(self) -> None:
        """Wait until all that was started has ended."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _ended(self, workspace: str, team: str, task: asyncio.Task[None]) -> None:
        self._running.pop((workspace, team))
        if not task.cancelled() and (error := task.exception()):
            logging.getLogger(__name__).error("learning for %s in %s failed", team, workspace, exc_info=error)

    def _due(self, workspace: str, view: View, team: str) -> bool:
        size, tried = view.sizes.get(team, 0), self._tried.get((workspace, team), 0)
        return size >= max(MIN_INFORMED, tried + MIN_NEW, tried * GROWTH)

    async def _in_background(self, workspace: str, view: View, team: str) -> None:
        try:
            while self._due(workspace, view, team):
                self._tried[workspace, team] = view.sizes[team]
                await self.learn(workspace, view, team)
        except StorageError:
            self._tried.pop((workspace, team), None)  # the next task starts it again; requests meet the error as theirs

    async def _restore_routes(self, workspace: str, view: View, team: str, goals: Mapping[str, str]) -> bool:
        """Return whether nothing is missing, as `PlanLearning.restore` does."""
        value = await self._records.get(self._key(workspace, team))
        if value is None:
            return True
        tasks = tasks_in(value, goals)
        vectors = dict(zip(tasks, await self._index.vectors(workspace, tasks), strict=True))
        learnt = await asyncio.to_thread(restored, value, goals, vectors, self._index.encoder.id)
        if learnt is not None:
            view.learnt[team] = learnt
        return learnt is not None

    def _key(self, workspace: str, team: str) -> str:
        return f"memory:calibration:{checked_workspace(workspace)}:{self._index.encoder.id}:{team}"


def _summary(team: str, learnt: Learnt | None) -> Calibrated | None:
    if learnt is None:
        return None
    found = learnt.calibration
    trusts = learnt.trusts.values()
    return Calibrated(team, len(learnt.tasks), len(trusts), found.accuracy, found.novel_below, fmean(trusts))
