"""Learning: when a memory is calibrated anew, off the road of any request, and where the result is kept."""

import asyncio
from collections.abc import Mapping
from statistics import fmean
from typing import NamedTuple

from domain.errors import StorageError
from memory.encoders import Vectors
from memory.index import ChromaIndex
from memory.learnt import MIN_INFORMED, Learnt, learn, learnable, restored
from memory.records import Records
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

    def __init__(self, records: Records, index: ChromaIndex) -> None:
        self._records = records
        self._index = index
        self._tried: dict[tuple[str, str], int] = {}
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    async def restore(
        self, workspace: str, view: View, goals: Mapping[str, str], vectors: Mapping[str, Vectors]
    ) -> None:
        """Give a view what was learnt before, from its goals and their vectors by task."""
        for team in view.sizes:
            value = await self._records.get(self._key(workspace, team))
            if value is None:
                continue
            learnt = await asyncio.to_thread(restored, value, goals, vectors, self._index.encoder.id)
            if learnt is not None:
                view.learnt[team] = learnt
                self._tried[workspace, team] = learnt.size

    def grown(self, workspace: str, view: View, team: str) -> None:
        """Start learning in the background where a team's memory has grown enough since the last time."""
        size, tried = view.sizes.get(team, 0), self._tried.get((workspace, team), 0)
        if size >= max(MIN_INFORMED, tried + MIN_NEW, tried * GROWTH):
            self._tried[workspace, team] = size
            task = asyncio.create_task(self._in_background(workspace, view, team))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def learn(self, workspace: str, view: View, team: str) -> Calibrated | None:
        """Learn from a team's tasks and keep the result; None where they are too few or of a single route."""
        async with self._turn:
            examples, size = view.examples(team), view.sizes.get(team, 0)
            if not learnable(examples):
                return None
            vectors = await self._index.vectors(workspace, [example.task for example in examples])
            learnt = await asyncio.to_thread(learn, examples, vectors, encoder=self._index.encoder.id, size=size)
            view.take(team, learnt)  # without what was forgotten meanwhile
            self._tried[workspace, team] = size
            await self.save(workspace, view, team)
        return _summary(team, view.learnt.get(team))

    async def save(self, workspace: str, view: View, team: str) -> None:
        """Keep what a view has learnt, or nothing where it has nothing."""
        if team in view.learnt:
            await self._records.put(self._key(workspace, team), await asyncio.to_thread(view.learnt[team].stored))
        else:
            await self._records.delete(self._key(workspace, team))

    async def finish(self) -> None:
        """Wait until all that was started has ended."""
        while self._running:
            await asyncio.gather(*self._running)

    async def _in_background(self, workspace: str, view: View, team: str) -> None:
        try:
            await self.learn(workspace, view, team)
        except StorageError:
            self._tried.pop((workspace, team), None)  # the next task starts it again; requests meet the error as theirs

    def _key(self, workspace: str, team: str) -> str:
        return f"memory:calibration:{checked_workspace(workspace)}:{self._index.encoder.id}:{team}"


def _summary(team: str, learnt: Learnt | None) -> Calibrated | None:
    if learnt is None:
        return None
    found = learnt.calibration
    trusts = learnt.trusts.values()
    return Calibrated(team, len(learnt.tasks), len(trusts), found.accuracy, found.novel_below, fmean(trusts))
