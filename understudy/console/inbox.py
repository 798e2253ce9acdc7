"""The inbox: what waits for people, the next due first, and what was decided."""

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from domain.questions import Question
from understudy.cli.inbox_text import clock_time
from understudy.cli.text import one_line
from understudy.console.approval_card import question_cards
from understudy.console.chat_list import place_of
from understudy.console.frame import address, empty, page
from understudy.console.parts import badge, box, button, heading, link, text
from understudy.console.visits import caller_here
from understudy.service.caller import Caller

LOOK = 2.0
"""Seconds between two looks at the desk."""
MOST = 100


@page("/inbox", title="Inbox", permission="read")
async def inbox(caller: Caller) -> None:
    """Show what waits for people."""
    await InboxPage(caller).show()


class InboxPage:
    """The questions of a workspace."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._closed, self._words = False, ""
        self._found = list[Question]()
        self._shown: tuple[Any, ...] = ()
        self._cards = dict[str, tuple[Question, ui.element]]()

    async def show(self) -> None:
        """Draw the page, and look again while it is open."""
        with box("row between"):
            with box("row", role="group", aria_label="Which questions"):
                self._open_button = button("Open", self._switch(False), aria_pressed="true")
                self._closed_button = button("Closed", self._switch(True), aria_pressed="false")
            search = box(
                "input search", tag="input", id="search", type="search", placeholder="Filter by words",
                aria_label="Filter questions by words",
            )  # fmt: skip
            search.on("input", self._filter, js_handler="(event) => emit(event.target.value)", throttle=0.2)
        text("j and k move, a approves, e edits, r rejects.", "hint wide-only", tag="p")
        self._list = box("stack questions")
        await self._look()
        ui.timer(LOOK, self._look_again)

    def _switch(self, closed: bool) -> Any:
        async def switch() -> None:
            self._closed, self._shown = closed, ()
            self._open_button.props["aria-pressed"] = str(not closed).lower()
            self._closed_button.props["aria-pressed"] = str(closed).lower()
            self._list.clear()
            self._cards.clear()
            await self._look()

        return switch

    async def _filter(self, event: Any) -> None:
        self._words = str(event.args or "").strip().lower()
        self._draw()

    async def _look_again(self) -> None:
        self._caller = await caller_here("read")
        await self._look()

    async def _look(self) -> None:
        self._found = await self._caller.orchestrator.inbox(closed=self._closed, limit=MOST)
        self._draw()

    def _draw(self) -> None:
        """Draw the list anew where it has changed; cards that stay the same are left alone, with what is typed."""
        found = [question for question in self._found if _fits(question, self._words)]
        shown = tuple((q.id, q.status, q.level, q.due, len(q.votes)) for q in found)
        if shown == self._shown and self._list.default_slot.children:
            return
        self._shown = shown
        wanted = {question.id: question for question in found}
        for name, (known, element) in list(self._cards.items()):
            if name not in wanted or wanted[name] != known:
                element.delete()
                del self._cards[name]
        for child in [c for c in self._list.default_slot.children if "nothing" in c.classes]:
            child.delete()
        self._place(found)

    def _place(self, found: Sequence[Question]) -> None:
        with self._list:
            for question in found:
                if question.id not in self._cards:
                    self._cards[question.id] = question, self._card(question)
            if not found:
                with box("nothing"):
                    self._nothing()
        for index, question in enumerate(found):
            self._cards[question.id][1].move(self._list, index)

    def _nothing(self) -> None:
        if self._words:
            empty("No question has these words.", "Clear the filter to see all.")
        elif self._closed:
            empty("Nothing was decided yet.", "Answered, expired and withdrawn questions are kept here.")
        else:
            empty("Nothing waits for you.", "Runs ask here before they do what they may not do alone.")

    def _card(self, question: Question) -> ui.element:
        caller = self._caller
        may_answer = caller.principal.permits(caller.workspace, "approve")
        element = box("question stack", tag="section", aria_label=f"Question {question.id}")
        with element:
            with box("row between"):
                heading(one_line(question.goal, 160), 2, "break")
                link("Conversation", address(place_of(question.thread), caller), "small")
            with box("row soft small"):
                text(f"for {question.user}")
                text(f"asked {clock_time(question.opened)}")
                if question.status != "open":
                    badge(question.status, "good" if question.status == "decided" else "warn")
                    by = f"by {question.closed_by} " if question.closed_by else ""
                    text(f"{by}{clock_time(question.closed or 0.0)}")
            question_cards(question, self._answered, may_answer=may_answer)
        return element

    async def _answered(self, _: Question) -> None:
        await self._look()


def _fits(question: Question, words: str) -> bool:
    told = [question.goal, question.thread, question.user, *(f"{r.name} {r.description}" for r in question.requests)]
    return all(word in " ".join(told).lower() for word in words.split())
