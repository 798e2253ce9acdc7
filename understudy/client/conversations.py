"""What a client does with whole conversations, and with what is remembered and told beside them."""

from typing import TYPE_CHECKING, NamedTuple

from domain.events import Explained
from domain.goals import checked_goal
from domain.routing import Neighbour
from understudy.client.calls import Calls
from understudy.client.reading import part, read
from understudy.threads import ThreadState

if TYPE_CHECKING:
    from memory.task_record import TaskRecord
    from understudy.notices.table import Kept

_MOST = 500
"""Things that a server lists at once."""


class Conversation(NamedTuple):
    """A conversation, as a server lists it."""

    thread: str
    title: str
    """What somebody called it; empty: by its goal."""
    goal: str
    """The latest."""
    run: str
    user: str
    state: ThreadState
    updated: float
    """Unix time in seconds."""


class Conversations:
    """What one can do with conversations beside going on with them."""

    _calls: Calls

    async def threads(self) -> list[Conversation]:
        """Return the workspace's conversations, the last touched first; at most so many as a server lists."""
        found = read(list[dict[str, object]], await self._calls.get("threads", limit=_MOST))
        return [read(Conversation, part(each, *Conversation._fields)) for each in found]

    async def titles(self) -> dict[str, str]:
        """Return what the workspace's conversations are called, by thread, as far as somebody named them."""
        return {each.thread: each.title for each in await self.threads() if each.title}

    async def rename_thread(self, thread: str, title: str) -> None:
        """Call a conversation something; empty: by its goal again.

        Raises:
            UnknownThread: The workspace has no such thread.
            InvalidGoal: Nothing can be called so.
        """
        await self._calls.put("threads", thread, "title", body={"title": title})

    async def export_thread(self, thread: str) -> str:
        """Return a conversation as Markdown, and have it noted that it leaves.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        return await self._calls.text("threads", thread, "export")

    async def ask_about(self, thread: str, question: str) -> Explained:
        """Answer a question about the latest run of a thread, which goes on, waits or rests as it does; not stored.

        Raises:
            UnknownThread: The workspace has no such thread.
            InvalidGoal: The question is empty, too long or not text, or the run has not begun.
        """
        body = {"question": checked_goal(question)}
        return read(Explained, await self._calls.post("threads", thread, "ask", body=body))

    async def notices(self, *, limit: int = 100) -> "list[Kept]":
        """Return the workspace's notices to people: what waits first, then the latest."""
        from understudy.notices.table import Kept

        found = read(list[dict[str, object]], await self._calls.get("notices", limit=min(limit, _MOST)))
        return [read(Kept, part(each, *Kept._fields)) for each in found]

    async def latest_tasks(self, *, limit: int) -> "list[TaskRecord]":
        """Return the latest remembered tasks."""
        from memory.task_record import TaskRecord

        return read(list[TaskRecord], part(await self._calls.get("memory", "tasks", limit=limit), "tasks").get("tasks"))

    async def tasks_like(self, text: str, *, limit: int) -> list[Neighbour]:
        """Return the remembered tasks nearest to a text, nearest first."""
        found = await self._calls.get("memory", "tasks", text=text, limit=limit)
        return read(list[Neighbour], part(found, "near").get("near"))
