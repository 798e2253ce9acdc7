"""Threads as the records know them: what was asked in them, under which circumstances, and how they stand."""

import uuid
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.approvals import ActionRequest
from domain.errors import InvalidGoal, StorageAway, UnknownThread
from memory.records import Records

ThreadState = Literal["running", "waiting", "stopped", "ended"]


TITLE_CHARS = 200


class ThreadEntry(BaseModel):
    """What is known about a thread apart from the graph's own state."""

    model_config = ConfigDict(extra="forbid")

    thread: str
    context: dict[str, Any]
    """`graph.context.Context` in which its goals run."""
    goal: str
    run: str
    """Id of the run that the goal started."""
    state: ThreadState = "running"
    updated: float = 0.0
    """Unix time in seconds."""

    @property
    def workspace(self) -> str:
        """Where it is."""
        return str(self.context["workspace"])

    @property
    def key(self) -> str:
        """Its name among the checkpoints and the fences."""
        return checkpoint_thread(self.workspace, self.thread)


class Pending(BaseModel):
    """An open question."""

    model_config = ConfigDict(extra="forbid")

    interrupt: str
    """Id to answer with."""
    requests: list[ActionRequest]
    question: str = ""
    """Its id at the desk; empty where it is not there, because its time is over or its process ended too early."""


class Threads:
    """The entries of threads."""

    def __init__(self, records: Records, clock: Callable[[], float]) -> None:
        self._records, self._clock = records, clock

    async def get(self, workspace: str, thread: str) -> ThreadEntry:
        """Return what is known about a thread, or raise `UnknownThread`."""
        found = await self.find(workspace, thread)
        if found is None:
            msg = f"workspace {workspace!r} has no thread {thread!r}"
            raise UnknownThread(msg)
        return found

    async def find(self, workspace: str, thread: str) -> ThreadEntry | None:
        """Return what is known about a thread, if there is one."""
        found = await self._records.get(_key(workspace, thread))
        return None if found is None else ThreadEntry.model_validate(found, extra="ignore")

    async def listed(self, workspace: str) -> list[ThreadEntry]:
        """Return the workspace's threads, the last touched first."""
        found = [
            ThreadEntry.model_validate(value, extra="ignore")
            for _, value in await self._records.scan(_key(workspace, ""))
        ]
        return sorted(found, key=lambda entry: entry.updated, reverse=True)

    async def may_be_there(self, workspace: str, thread: str) -> bool:
        """Return whether there can be such a thread; while the records are away, nobody knows."""
        try:
            return await self._records.get(_key(workspace, thread)) is not None
        except StorageAway:
            return True

    async def note(self, entry: ThreadEntry, state: ThreadState) -> None:
        """Keep how a thread stands."""
        noted = entry.model_copy(update={"state": state, "updated": self._clock()})
        await self._records.put(_key(entry.workspace, entry.thread), noted.model_dump(mode="json"))

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete a thread's entry, and what it is called."""
        await self._records.delete(_title_key(workspace, thread))
        await self._records.delete(_key(workspace, thread))

    async def titles(self, workspace: str) -> dict[str, str]:
        """Return what people called the workspace's threads, by thread."""
        start = _title_key(workspace, "")
        return {key.removeprefix(start): str(value["title"]) for key, value in await self._records.scan(start)}

    async def title(self, workspace: str, thread: str) -> str:
        """Return what people called a thread; empty where nobody named it."""
        found = await self._records.get(_title_key(workspace, thread))
        return str(found["title"]) if found else ""

    async def rename(self, workspace: str, thread: str, title: str) -> None:
        """Call a thread something; empty takes its name away.

        Raises:
            InvalidGoal: Nothing can be called so.
        """
        called = " ".join(title.split())
        if not called.isprintable() or len(called) > TITLE_CHARS:
            msg = f"a title has up to {TITLE_CHARS} printable characters"
            raise InvalidGoal(msg)
        if called:
            await self._records.put(_title_key(workspace, thread), {"title": called})
        else:
            await self._records.delete(_title_key(workspace, thread))


def checkpoint_thread(workspace: str, thread: str) -> str:
    """Return the name of a workspace's thread among the checkpoints and the fences."""
    return f"{workspace}:{thread}"


def _title_key(workspace: str, thread: str) -> str:
    return f"thread-title:{workspace}:{thread}"


def _key(workspace: str, thread: str) -> str:
    return f"thread:{workspace}:{thread}"


def checked_thread(thread: str | None) -> str:
    """Return the name of a thread, drawn where none is given.

    Raises:
        InvalidGoal: No conversation can have this name.
    """
    if thread is None:
        return uuid.uuid4().hex[:12]
    if not thread.isprintable() or not 0 < len(thread) <= 100:
        msg = f"{thread!r:.60} is not a usable thread name"
        raise InvalidGoal(msg)
    if "/" in thread or thread in (".", ".."):
        msg = f"{thread!r:.60} is not a usable thread name: it is a part of URLs, so it has no / and is not . or .."
        raise InvalidGoal(msg)
    return thread
