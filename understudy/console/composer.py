"""Where a person writes, and drops documents in."""

import asyncio
import json
from dataclasses import replace
from typing import Any

from nicegui import ui

from domain.errors import UnderstudyError
from understudy.console.chat_list import place_of
from understudy.console.chat_state import Conversation
from understudy.console.documents import store_of
from understudy.console.frame import address, toast
from understudy.console.parts import box, button, text
from understudy.console.visits import caller_here
from understudy.document_store import MAX_BYTES, SUFFIXES
from understudy.orchestrator import Orchestrator
from understudy.service.caller import Caller
from understudy.service.dispatch import Strategy

_READ = "() => { const goal = document.getElementById('goal'); const said = goal.value; goal.value = ''; emit(said); }"


class Composer:
    """The field for the next goal of a conversation, with the documents that its runs are given."""

    def __init__(self, caller: Caller, thread: str, conversation: Conversation, *, may_run: bool) -> None:
        self._caller, self._thread, self._conversation = caller, thread, conversation
        self._may_run = may_run

    async def show(self) -> None:
        """Draw it."""
        if not self._may_run:
            text("You may read this workspace; members of it start runs.", "hint composer", tag="p")
            return
        upload = address(f"{place_of(self._thread)}/documents", self._caller)
        form = box("composer", tag="form", data_upload=upload)
        with form:
            self._documents = box("row documents")
            self._state = text("", "soft small state", tag="p", role="status")
            text("What should be done?", "offscreen", tag="label", for_="goal")
            hint = "What should be done? Ctrl+Enter sends."
            box("input goal-input", tag="textarea", id="goal", rows="3", placeholder=hint, maxlength="20000")
            with box("row between"):
                with box("row"):
                    self._file_input()
                button("Send", look="main", type="submit")
        form.on("submit.prevent", self._send, js_handler=_READ)
        ui.on("documents", self._dropped)
        await self._show_documents()
        self.refresh()

    def _file_input(self) -> None:
        with box("button quiet file", tag="label"):
            text("Add documents")
            box("offscreen", tag="input", type="file", multiple=True, accept=",".join(SUFFIXES))
        text(f"or drop them here, up to {MAX_BYTES // 1_000_000} MB each", "soft small wide-only")

    def refresh(self) -> None:
        """Say how the conversation stands."""
        if self._may_run:
            turn = self._conversation.latest
            words = {
                "running": "A run is going on; what you send starts after it.",
                "waiting": "A question is open; “yes” or “no, because …” answers it, too.",
            }
            self._state.text = words.get(turn.state, "") if turn is not None else ""

    async def _send(self, event: Any) -> None:
        said = str(event.args or "")
        try:
            await self._start(said)
        except UnderstudyError as error:
            toast(str(error), "bad")
            ui.run_javascript(f"document.getElementById('goal').value ||= {json.dumps(said)}")

    async def _start(self, goal: str) -> None:
        caller = await caller_here("run")
        installation = caller.installation
        await installation.identity.charge(caller.principal, caller.workspace)
        turn = self._conversation.latest
        strategy: Strategy = "enqueue" if turn is not None and turn.state == "running" else "reject"
        orchestrator = await self._with_documents(caller)
        may = caller.may_answer
        await installation.dispatch.start(orchestrator, goal, thread=self._thread, strategy=strategy, may_answer=may)
        if strategy == "enqueue":
            toast("It starts when the run at hand has ended.")
        self._stay()

    async def _with_documents(self, caller: Caller) -> Orchestrator:
        """Return the caller's orchestrator, whose runs are given the documents of the conversation, if it has any."""
        folder = await asyncio.to_thread(store_of(caller, self._thread).data)
        if folder is None:
            return caller.orchestrator
        return caller.orchestrator.within(replace(caller.orchestrator.context, data=str(folder)))

    def _stay(self) -> None:
        """Have the address be that of the conversation, so that a reload shows it again."""
        ui.navigate.history.replace(address(place_of(self._thread), self._caller))

    async def _dropped(self, _: Any) -> None:
        self._stay()
        await self._show_documents()

    async def _show_documents(self) -> None:
        documents = await asyncio.to_thread(store_of(self._caller, self._thread).listed)
        self._documents.clear()
        with self._documents:
            for each in documents:
                with box("chip"):
                    text(each.name, "break")
                    text(_size(each.size), "soft small")
                    button("×", self._removal(each.name), look="quiet", aria_label=f"Remove {each.name}")

    def _removal(self, name: str) -> Any:
        async def remove() -> None:
            caller = await caller_here("run")
            await asyncio.to_thread(store_of(caller, self._thread).remove, name)
            with self._documents.client:  # what was pressed is gone by then
                await self._show_documents()

        return remove


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, size // 1000)} kB"
