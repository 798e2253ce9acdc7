"""Following a conversation from a page: what happens is taken in as it comes and drawn at intervals."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from nicegui import Client, background_tasks, ui

from domain.errors import AccessError, UnderstudyError
from understudy.console.chat_state import Conversation
from understudy.console.frame import PREFIX, toast
from understudy.console.visits import Visit, caller_for, visit_of
from understudy.service.caller import Caller

PAUSE = 0.08
"""Seconds between two drawings."""
_AGAIN = 3.0
"""Seconds after which a log that could not be read is read again."""
_PROVE_EVERY = 10.0
"""Seconds after which it is looked again whether the visitor may still see this."""


class Following:
    """Keeps a page up with a conversation for as long as the page is open."""

    def __init__(
        self, caller: Caller, thread: str, conversation: Conversation, paint: Callable[[], Awaitable[None]]
    ) -> None:
        """Set up what is begun by `start`.

        Args:
            caller: Who looks.
            thread: The conversation's name.
            conversation: What takes in what is told.
            paint: Draws what has changed.
        """
        self._caller, self._thread, self._conversation, self._paint = caller, thread, conversation, paint
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._proved = time.monotonic()

    def start(self, client: Client) -> None:
        """Begin when the browser is there, and end when it has gone."""
        visit = visit_of(client.request.scope)
        client.on_connect(lambda: self._begin(client, visit))
        client.on_delete(self._end)

    def _begin(self, client: Client, visit: Visit) -> None:
        if self._task is None:
            self._task = background_tasks.create(self._run(visit), name=f"follow {self._thread}", context=client)
            visit.tasks.add(self._task)
            self._task.add_done_callback(visit.tasks.discard)

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self, visit: Visit) -> None:
        may_see = True
        while may_see:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._hear())
                    group.create_task(self._draw(visit))
            except* AccessError:
                ui.navigate.to(f"{PREFIX}/login")
                may_see = False
            except* UnderstudyError as errors:
                toast(str(errors.exceptions[0]), "bad")
            await asyncio.sleep(_AGAIN)

    async def _hear(self) -> None:
        follow = self._caller.orchestrator.follow(self._thread, after=self._conversation.last)
        async for told in follow:
            if self._conversation.take(told) is not None:
                self._changed.set()

    async def _draw(self, visit: Visit) -> None:
        while True:
            try:
                async with asyncio.timeout(_PROVE_EVERY):
                    await self._changed.wait()
            except TimeoutError:
                await self._prove(visit)
                continue
            self._changed.clear()
            if time.monotonic() - self._proved > _PROVE_EVERY:
                await self._prove(visit)
            await self._paint()
            await asyncio.sleep(PAUSE)

    async def _prove(self, visit: Visit) -> None:
        await caller_for(visit, self._caller.workspace, "read")
        self._proved = time.monotonic()
