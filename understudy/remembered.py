"""What a workspace remembers: shown, forgotten, exported, imported and indexed anew."""

from collections.abc import Sequence

from graph.context import Context
from memory.constraints import Constraints
from memory.exchange import Imported, exported, imported
from memory.lessons import Lessons
from memory.outbox import Refused
from memory.provenance import Provenance
from memory.queued import QueuedRecords
from memory.reindexing import Progress, reindex
from memory.tasks import TaskMemory
from understudy.auditing import WorkspaceAudit
from understudy.forgetting import Forgotten, forget_task, forget_thread
from understudy.runs import Runs
from understudy.wiring import House


class Remembered:
    """What the Orchestrator lets people do with the memory of their workspace."""

    _house: House
    _runs: Runs
    _context: Context

    @property
    def memory(self) -> TaskMemory:
        """What is remembered of finished tasks."""
        return self._house.memory

    @property
    def lessons(self) -> Lessons:
        """What is remembered beside the tasks: episodes, recipes, critiques, profiles, feedback."""
        return self._house.lessons

    @property
    def constraints(self) -> Constraints:
        """The hard rules."""
        return self._house.constraints

    @property
    def person(self) -> Provenance:
        """The one who works here, as the author of what is remembered."""
        return Provenance(writer="person", user=self._context.user)

    @property
    def audit(self) -> WorkspaceAudit:
        """What was decided and done, by whom and why."""
        return WorkspaceAudit(self._house.audit, self._context.workspace, self._context.user)

    async def forget(self, task: str) -> Forgotten:
        """Forget a task for good, with everything that was learnt from it and the threads that it was done in."""
        context = self._context
        return await forget_task(self._house, self._runs, context.workspace, task, by=context.user)

    async def forget_thread(self, thread: str) -> Forgotten:
        """Forget a conversation for good, with everything that its runs left and the tasks that were done only there.

        Raises:
            UnknownThread: The workspace has no such thread.
            ThreadBusy: A run is going on in it.
        """
        context = self._context
        return await forget_thread(self._house, self._runs, context.workspace, thread, by=context.user)

    async def refused(self) -> list[Refused]:
        """Return the writes that the records' server refused for good, oldest first."""
        return await queued.refused() if (queued := self._queued) else []

    async def settle_refused(self, *, again: bool) -> int:
        """Try the refused writes again and return how many are refused again; or give them up, and how many."""
        if (queued := self._queued) is None:
            return 0
        return await (queued.retry_refused() if again else queued.discard_refused())

    @property
    def _queued(self) -> QueuedRecords | None:
        records = self._house.records
        return records if isinstance(records, QueuedRecords) else None

    async def exported(self, *, unredacted: bool = False) -> list[str]:
        """Return the workspace's tasks as JSON lines."""
        lines = await exported(self.memory, self._context.workspace, unredacted=unredacted)
        await self.audit.note_export("tasks", lines)
        return lines

    async def imported(self, lines: Sequence[str]) -> Imported:
        """Add exported tasks to the workspace, marked as imported, and return how many were new.

        Raises:
            InvalidImport: A line cannot be read; nothing was taken in.
        """
        return await imported(self.memory, self._context.workspace, lines)

    async def reindex(self, progress: Progress) -> int:
        """Build the workspace's index anew from its records and return how many tasks it holds."""
        house = self._house
        return await reindex(house.records, house.memory, house.index, self._context.workspace, progress)
