"""The views of all workspaces: opened at first use, and kept in agreement with the records and the index.

The index is filled only with what it lacks: opening a workspace encodes nothing that was encoded before.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from domain.errors import StorageAway
from memory.changes import changed_since, changes_key, seen_in
from memory.index import ChromaIndex, IndexDamaged
from memory.learning import Learning
from memory.records import Records, Value
from memory.task_record import TTL_SECONDS, TaskRecord, read_tasks, readable, task_key
from memory.view import View
from memory.workspaces import checked_workspace

T = TypeVar("T")

_OPEN = 64
"""Workspaces that are kept open."""
_BATCH = 1000


class Views:
    """Opens views and keeps them true."""

    def __init__(
        self, records: Records, index: ChromaIndex, learning: Learning, clock: Callable[[], float], *, shared: bool
    ) -> None:
        self._records = records
        self._index = index
        self._learning = learning
        self._clock = clock
        self._shared = shared
        self._views: OrderedDict[str, View] = OrderedDict()
        self._opening = asyncio.Lock()

    async def of(self, workspace: str) -> View:
        """Return the view of a workspace as it was last brought up to date."""
        if checked_workspace(workspace) not in self._views:
            async with self._opening:
                if workspace not in self._views:
                    self._views[workspace] = await self._opened(workspace)
        self._views.move_to_end(workspace)
        while len(self._views) > _OPEN:
            self._views.popitem(last=False)
        return self._views[workspace]

    async def current(self, workspace: str) -> View:
        """Return the view of a workspace with what other processes changed and without what is past its time."""
        view = await self.of(workspace)
        if self._shared:
            view = await self._caught_up(workspace, view)
        if outlived := view.before(self._clock() - TTL_SECONDS):
            await self.hide(workspace, outlived)
        return view

    def shut(self, workspace: str) -> None:
        """Have the workspace opened anew at its next use."""
        self._views.pop(workspace, None)

    async def show(self, workspace: str, stored: Sequence[TaskRecord]) -> None:
        """Let recall find tasks as they are stored: now, or when index and encoder are back."""
        try:
            await self._show(workspace, stored)
        except StorageAway:
            self.shut(workspace)  # opened anew, the workspace gets what the index lacks

    async def hide(self, workspace: str, tasks: Sequence[str]) -> None:
        """Remove tasks whose records are gone, by request or because their time was over."""
        if not tasks:
            return
        view = await self.of(workspace)
        for team in view.remove(tasks):
            await self._learning.save(workspace, view, team)
        await self.indexed(workspace, partial(self._index.forget, workspace, tasks))

    async def indexed(self, workspace: str, use: Callable[[], Awaitable[T]]) -> T:
        """Use the index; when it turns out to be damaged, build it anew from the records and use it again."""
        try:
            return await use()
        except IndexDamaged:
            await self._index.renew()
            self._views.clear()
            await self.of(workspace)
            return await use()

    async def _show(self, workspace: str, stored: Sequence[TaskRecord]) -> None:
        view = await self.of(workspace)
        new = {task.id: task.goal for task in stored if task.id not in view}
        await self.indexed(workspace, partial(self._index_goals, workspace, new))
        view = await self.of(workspace)  # another one where the index had to be built anew
        view.add(stored)
        for team in {task.team for task in stored}:
            self._learning.grown(workspace, view, team)

    async def _index_goals(self, workspace: str, goals: dict[str, str]) -> None:
        """Encode goals, by task, and put them into the index."""
        tasks = list(goals)
        for start in range(0, len(tasks), _BATCH):
            part = tasks[start : start + _BATCH]
            vectors = await asyncio.to_thread(self._index.encoder.encode, [goals[task] for task in part])
            await self._index.add(workspace, part, vectors)

    async def _caught_up(self, workspace: str, view: View) -> View:
        noted = await self._records.get(changes_key(workspace))
        changed = changed_since(noted, view.seen)
        if changed is None:
            self.shut(workspace)
            return await self.of(workspace)
        if changed:
            found = await read_tasks(self._records, workspace, changed)
            await self.hide(workspace, [task for task, record in zip(changed, found, strict=True) if record is None])
            await self.show(workspace, [record for record in found if record])
            view.seen = seen_in(noted)
            view = await self.of(workspace)
        return view

    async def _opened(self, workspace: str) -> View:
        view = View()
        # Asked in this order, nothing that another process adds meanwhile is missed, or taken for a stranger.
        if self._shared:
            view.seen = seen_in(await self._records.get(changes_key(workspace)))
        try:
            indexed = await self._index.ids(workspace)
        except IndexDamaged:
            indexed = await self._renewed()
        async for page in self._records.pages(task_key(workspace, "")):
            await asyncio.to_thread(_load, view, page)
        await asyncio.to_thread(view.loaded)
        try:
            await self._reconciled(workspace, view, indexed)
        except IndexDamaged:
            await self._reconciled(workspace, view, await self._renewed())
        return view

    async def _renewed(self) -> set[str]:
        """Begin an empty index, and return what it holds."""
        await self._index.renew()
        self._views.clear()  # what other workspaces had in the index is gone too
        return set()

    async def _reconciled(self, workspace: str, view: View, indexed: set[str]) -> None:
        await self._index.delete(workspace, sorted(task for task in indexed if task not in view))
        await self._index_goals(workspace, {task: goal for task, goal in view.goals.items() if task not in indexed})
        await self._learning.restore(workspace, view)


def _load(view: View, page: Sequence[tuple[str, Value]]) -> None:
    """Add stored tasks to a view, which needs no plans: they are most of what there is to read."""
    view.load([record for key, value in page if (record := readable(key, value | {"plan": None}))])
