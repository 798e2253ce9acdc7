"""The page of conversations: what was asked, how it goes, and what came of it."""

import uuid
from contextlib import suppress
from typing import Any

from nicegui import ui

from domain.errors import UnknownQuestion, UnknownThread
from domain.questions import Question
from understudy.console.chat_follow import Following
from understudy.console.chat_list import conversations
from understudy.console.chat_state import Conversation
from understudy.console.chat_turn import Deeds, TurnView
from understudy.console.composer import Composer
from understudy.console.frame import address, page, toast
from understudy.console.parts import box, button, details, heading, link, text
from understudy.console.visits import caller_here
from understudy.service.caller import Caller
from understudy.threads import checked_thread

SHOWN_TURNS = 20
"""Turns that are drawn at first; earlier ones on request."""
SHOWN_THREADS = 40
"""Conversations in the list; older ones on request."""


@page("/", title="Chat", permission="read", wide=True)
async def new_chat(caller: Caller) -> None:
    """Begin a conversation."""
    await ChatPage(caller, uuid.uuid4().hex[:12]).show()


@page("/c/{thread:path}", title="Chat", permission="read", wide=True)
async def chat(caller: Caller, thread: str) -> None:
    """Show a conversation and go on with it."""
    await ChatPage(caller, checked_thread(thread)).show()


class ChatPage:
    """One conversation in one tab; every tab draws the same from the same events."""

    def __init__(self, caller: Caller, thread: str) -> None:
        self._caller, self._thread = caller, thread
        self._conversation, self._views = Conversation(), dict[str, TurnView]()
        self._first, self._threads = 0, SHOWN_THREADS

    async def show(self) -> None:
        """Draw the page, and keep it up with the conversation."""
        with suppress(UnknownThread):  # a name that nothing was asked under yet
            for stamped in await self._caller.orchestrator.events(self._thread):
                self._conversation.take(stamped)
        self._first = max(0, len(self._conversation.turns) - SHOWN_TURNS)
        with box("chat"):
            with box("chat-list", tag="aside", aria_label="Conversations"):
                link("New conversation", address("/", self._caller), "button main", data_page_key="n", title="Key: n")
                with details("Conversations", "threads-fold", is_open=True):
                    self._list = box()
            with box("chat-main"):
                heading("Conversation", 1, "offscreen")
                self._turns = box("turns", id="turns", data_stick="1", tabindex="0", role="log", aria_label="Turns")
                may_run = self._may("run")
                self._composer = Composer(self._caller, self._thread, self._conversation, may_run=may_run)
                await self._composer.show()
        await self._show_list()
        await self._draw_all()
        Following(self._caller, self._thread, self._conversation, self._paint).start(ui.context.client)

    def _may(self, permission: Any) -> bool:
        return self._caller.principal.permits(self._caller.workspace, permission)

    async def _show_list(self) -> None:
        entries = await self._caller.orchestrator.threads()
        self._list.clear()
        with self._list:
            conversations(self._caller, entries[: self._threads], self._thread)
            if len(entries) > self._threads:
                button("Show older", self._more, look="quiet")

    async def _more(self) -> None:
        self._threads += SHOWN_THREADS
        await self._show_list()

    async def _draw_all(self) -> None:
        self._turns.clear()
        self._views.clear()
        with self._turns:
            if self._first:
                button("Show earlier turns", self._earlier, look="quiet")
            if not self._conversation.turns:
                self._welcome = box("welcome")
                with self._welcome:
                    heading("What should be done?", 2)
                    text(
                        "Type a goal, or drop documents and tables in first. Understudy plans, asks before it changes "
                        "anything, checks its own work, and remembers what worked.",
                        "soft", tag="p",
                    )  # fmt: skip
        await self._paint()

    async def _earlier(self) -> None:
        self._first = max(0, self._first - SHOWN_TURNS)
        for turn in self._conversation.turns:
            turn.changed.clear()
        await self._draw_all()

    async def _paint(self) -> None:
        """Draw what has changed since the last time."""
        moved = False
        for number, turn in enumerate(self._conversation.turns[self._first :], self._first + 1):
            if turn.run not in self._views:
                if not self._views and self._first == 0:
                    self._turns.clear()
                with self._turns:
                    self._views[turn.run] = TurnView(turn, self._deeds(), number)
                moved = True
            moved = moved or "head" in turn.changed
            await self._views[turn.run].paint()
        if moved:
            self._composer.refresh()
            await self._show_list()

    def _deeds(self) -> Deeds:
        return Deeds(
            self._stop, self._resume, self._question, self._rate, self._correct, self._answered,
            runs=address("/runs"), may_run=self._may("run"), may_answer=self._may("approve"),
        )  # fmt: skip

    async def _question(self) -> Question | None:
        try:
            return await self._caller.orchestrator.question(self._thread)
        except UnknownQuestion:
            return None

    async def _stop(self) -> None:
        caller = await caller_here("run")
        grace = caller.installation.settings.drain_grace
        if await caller.installation.dispatch.stop(caller.orchestrator, self._thread, grace=grace):
            toast("It stops at the next safe point.")
        else:
            toast("Nothing is going on here any more.")

    async def _resume(self) -> None:
        caller = await caller_here("run")
        await caller.installation.dispatch.resume(caller.orchestrator, self._thread)
        if (turn := self._conversation.latest) is not None:
            turn.go_on()
            await self._paint()

    async def _rate(self, run: str, stars: int) -> None:
        caller = await caller_here("run")
        await caller.orchestrator.feedback(run, rating=stars)
        toast(f"Rated {stars} of 5. The next route heeds it.", "good")

    async def _correct(self, run: str, words: str) -> None:
        caller = await caller_here("run")
        await caller.orchestrator.feedback(run, correction=words)
        toast("Your correction was taken.", "good")

    async def _answered(self, question: Question) -> None:
        """Show how a question stands after an answer; what follows is told by events."""
        turn = self._conversation.latest
        if turn is not None:
            turn.changed.add("ask")
            await self._paint()
