"""The front door's part that is about whole conversations: asked about, called something, carried elsewhere."""

from domain.events import Explained
from graph.context import Context
from understudy.explaining import explained
from understudy.exporting import markdown_of
from understudy.runs import Runs
from understudy.threads import ThreadEntry
from understudy.wiring import House


class Conversations:
    """What one can do with conversations beside going on with them."""

    _house: House
    _runs: Runs
    _context: Context

    async def ask_about(self, thread: str, question: str) -> Explained:
        """Answer a question about the latest run of a thread, which goes on, waits or rests as it does; not stored.

        Raises:
            UnknownThread: The workspace has no such thread.
            InvalidGoal: The question is empty, too long or not text, or the run has not begun.
        """
        return await self._explained(await self._runs.entry(self._context.workspace, thread), question)

    async def export_thread(self, thread: str) -> str:
        """Return a conversation as Markdown: turns, plans, steps, decisions, critique and sources.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        entry = await self._runs.entry(self._context.workspace, thread)
        events = await self._runs.events(entry.workspace, thread)
        return markdown_of(events, thread=thread, title=(await self.titles()).get(thread, ""))

    async def titles(self) -> dict[str, str]:
        """Return what the workspace's conversations are called, by thread, as far as somebody named them."""
        return await self._runs.titles(self._context.workspace)

    async def title(self, thread: str) -> str:
        """Return what a conversation is called; empty where nobody named it."""
        return await self._runs.title(self._context.workspace, thread)

    async def rename_thread(self, thread: str, title: str) -> None:
        """Call a conversation something; empty: by its goal again.

        Raises:
            UnknownThread: The workspace has no such thread.
            InvalidGoal: Nothing can be called so.
        """
        await self._runs.rename(self._context.workspace, thread, title)

    async def _explained(self, entry: ThreadEntry, question: str) -> Explained:
        return await explained(self._house, self._runs, entry, question)
