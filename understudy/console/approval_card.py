"""A question on a page: one card for each thing that is asked, with what is known of it and the ways to answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import ui

from domain.afterwards import afterwards
from domain.approvals import SETTLE, ActionRequest, Decision, takes_words, typed_answer
from domain.cases import current
from domain.consent_words import GIVE_CONSENT
from domain.errors import InvalidDecision
from domain.questions import Question
from domain.voting import standing
from understudy.cli.text import shown_value
from understudy.console.approval_form import Change, Field, changes, edit_of, fields_of
from understudy.console.frame import toast
from understudy.console.parts import Look, badge, box, button, details, heading, steady, text
from understudy.console.visits import caller_here

Done = Callable[[Question], Awaitable[None]]
_LONG = 400
"""Characters from which a value is folded."""
_OWN_WORDS: Mapping[str, tuple[tuple[str, str, Look], ...]] = {
    SETTLE: (("It happened", "it happened", "main"), ("It did not: try again", "it did not", "plain"),
             ("Stop", "stop", "danger")),
    GIVE_CONSENT: (("This time", "this time", "main"), ("Always", "always", "plain"), ("Never", "never", "plain"),
                   ("Not this time", "no", "danger")),
}  # fmt: skip
"""What is said on the buttons of questions that have answers of their own, and what each means."""
_ASKED = {"review_plan": "Review the plan", "review_result": "Review the result", "review_step": "Review a step",
          SETTLE: "Did it happen?", GIVE_CONSENT: "Consent"}  # fmt: skip


def question_cards(question: Question, done: Done, *, may_answer: bool) -> None:
    """Show the cards of a question.

    Args:
        question: As it stands.
        done: Called after an answer was taken, with how the question stands then.
        may_answer: Whether the visitor has the permission to answer.
    """
    for request in current(question):
        ApprovalCard(question, request, done, may_answer=may_answer).show()


class ApprovalCard:
    """One request of a question."""

    def __init__(self, question: Question, request: ActionRequest, done: Done, *, may_answer: bool) -> None:
        self._question, self._request, self._done = question, request, done
        self._may_answer = may_answer
        self._place = f"{question.id}-{[each.id for each in question.requests].index(request.id)}"
        self._title = _ASKED.get(request.name, request.name)

    def show(self) -> None:
        """Draw the card."""
        with box("asked card", tag="section", tabindex="0", aria_label=f"Question: {self._title}", data_item="1"):
            self._head()
            text(self._request.description, "ask-what", tag="p")
            self._facts()
            self._arguments()
            self._votes()
            decided = standing(self._request, self._question.votes).decision
            if self._question.status != "open" or decided is not None:
                self._closed(decided)
            elif self._may_answer:
                self._answers = box("stack")
                self._offer()
            else:
                text("You may read this; an approver of the workspace answers.", "hint", tag="p")

    def _head(self) -> None:
        with box("row between"):
            with box("row"):
                heading(self._title, 3)
                badge(self._request.checkpoint or self._request.id, "accent")
                if self._question.level:
                    badge(f"escalated {self._question.level}×", "warn")
            if self._question.due is not None and self._question.status == "open":
                text("", "badge due", data_due=str(self._question.due), title=afterwards(self._question))

    def _facts(self) -> None:
        facts = self._request.facts.lines() if self._request.facts else []
        if facts:
            with box("facts", tag="dl"):
                for label, words in facts:
                    text(label, tag="dt")
                    text(words, "break", tag="dd")

    def _arguments(self) -> None:
        if not self._request.args:
            return
        with box("arguments", tag="dl"):
            for name, value in self._request.args.items():
                text(name, "mono", tag="dt")
                with box("break", tag="dd"):
                    _value(value)

    def _votes(self) -> None:
        said = [vote for vote in self._question.votes if vote.request == self._request.id]
        for vote in said:
            why = f": {vote.decision.message}" if vote.decision.message else ""
            text(f"{vote.by} said {vote.decision.type}{why}", "hint", tag="p")
        if self._request.patience.quorum > 1:
            approved = len(standing(self._request, self._question.votes).approvals)
            text(f"{approved} of {self._request.patience.quorum} have approved", "hint", tag="p")

    def _closed(self, decided: Decision | None) -> None:
        with box("row"):
            if decided is not None:
                badge(decided.type, "bad" if decided.type == "reject" else "good")
                words = f"by {decided.by}" if decided.by else ""
                text(f"{words}{f': {decided.message}' if decided.message else ''}", "soft small break")
            else:
                badge(self._question.status, "warn")
                text(self._question.why, "soft small break")

    def _offer(self) -> None:
        """Show the ways to answer."""
        self._answers.clear()
        with self._answers, box("row"):
            if self._request.name in _OWN_WORDS:
                for words, meant, look in _OWN_WORDS[self._request.name]:
                    button(words, self._meaning(meant), look=look)
                return
            button("Approve", self._approve, look="main", data_key="a", title="Key: a")
            if fields_of(self._request):
                button("Edit", self._edit, data_key="e", title="Key: e")
            button("Reject", self._reason("reject", "Why not?", "Reject"), look="danger", data_key="r", title="Key: r")
            if takes_words([self._request]):
                button("Ask for changes", self._reason("respond", "What should be different?", "Send"), data_key="m")

    def _meaning(self, meant: str) -> Callable[[], Awaitable[None]]:
        async def answer() -> None:
            decision = typed_answer(meant, [self._request])
            if decision is not None:
                await self._answer(decision.model_dump(exclude_defaults=True, mode="json"))

        return answer

    async def _approve(self) -> None:
        await self._answer({"type": "approve"})

    def _reason(self, kind: str, question: str, words: str) -> Callable[[], None]:
        place = f"why-{self._place}"

        def ask() -> None:
            self._answers.clear()
            with self._answers:
                with box("field"):
                    text(question, "label", tag="label", for_=place)
                    box("input", tag="textarea", id=place, rows="2", maxlength="4000")
                with box("row"):
                    sent = button(words, look="danger" if kind == "reject" else "main")
                    sent.on(
                        "click",
                        steady(send),
                        js_handler=f"() => emit(document.getElementById({json.dumps(place)}).value)",
                    )
                    button("Back", self._offer, look="quiet")
            _focus(place)

        async def send(event: Any) -> None:
            message = str(event.args or "").strip()
            if kind == "respond" and not message:
                toast("Say what should be different.", "bad")
                return
            await self._answer({"type": kind, "message": message})

        return ask

    def _edit(self) -> None:
        """Show the form."""
        self._answers.clear()
        form = f"edit-{self._place}"
        self._fields = fields_of(self._request)
        with self._answers:
            with box("stack edit", id=form, role="group", aria_label="Edit before approving") as fields:
                for number, each in enumerate(self._fields):
                    _input(each, number, f"{form}-{number}")
            fields.on("input", steady(self._changed), js_handler=f"() => emit({_values(form)})", throttle=0.2)
            self._diff = box("stack", role="status", aria_live="polite")
            with box("row"):
                self._save = button("Approve with changes", look="main")
                self._save.on("click", steady(self._approve_edited), js_handler=f"() => emit({_values(form)})")
                button("Back", self._offer, look="quiet")
        self._show_changes({})
        _focus(f"{form}-0")

    def _read(self, given: Any) -> dict[str, Any]:
        """Return the edit that the fields hold."""
        values = given if isinstance(given, Mapping) else {}
        named = {self._fields[int(at)].name: value for at, value in values.items() if int(at) < len(self._fields)}
        return edit_of(self._request, named)

    def _changed(self, event: Any) -> None:
        try:
            edit = self._read(event.args)
        except InvalidDecision as error:
            self._diff.clear()
            with self._diff:
                text(str(error), "wrong", tag="p")
        else:
            self._show_changes(edit)

    def _show_changes(self, edit: Mapping[str, Any]) -> None:
        self._diff.clear()
        with self._diff:
            if not edit:
                text("Nothing is changed yet.", "hint", tag="p")
            for change in changes(self._request, edit):
                _difference(change)

    async def _approve_edited(self, event: Any) -> None:
        edit = self._read(event.args)
        if not edit:
            toast("Nothing is changed. Change something, or go back and approve it as it is.", "bad")
            return
        await self._answer({"type": "edit", "args": edit})

    async def _answer(self, decision: dict[str, Any]) -> None:
        """Give the answer, for exactly what is shown here."""
        caller = await caller_here("approve")
        given = decision | {"request": self._request.id}
        orchestrator, question = caller.orchestrator, self._question
        stands = await orchestrator.answer(question.id, given, by=caller.principal.user, digest=question.digest)
        await caller.installation.dispatch.go_on(orchestrator, question.id)
        toast("Your answer was taken.", "good")
        await self._done(stands)


def _value(value: Any) -> None:
    """Show an argument; a long one is folded."""
    shown = shown_value(value)
    if len(shown) > _LONG:
        with details(f"{shown[:120].strip()} … ({len(shown):,} characters)"):
            text(shown, "value", tag="pre")
    else:
        text(shown, "value", tag="pre")


def _input(each: Field, number: int, place: str) -> None:
    """Draw a field; what it holds at first is its default, so that redrawing the page does not undo what is typed."""
    shared: dict[str, Any] = {"id": place, "data_field": str(number)}
    if each.description:
        shared["aria_describedby"] = f"{place}-hint"
    with box("field"):
        text(each.label, "label", tag="label", for_=place)
        if each.choices:
            with box("input", tag="select", **shared):
                for held, words in each.choices:
                    text(words, tag="option", value=held, selected=True if held == each.value else None)
        elif each.kind in ("text", "json"):
            rows = str(min(14, max(3, each.value.count("\n") + 2 + len(each.value) // 90)))
            mono = " mono" if each.kind == "json" else ""
            box(f"input{mono}", tag="textarea", rows=rows, defaultValue=each.value, **shared)
        else:
            numeric = {"inputmode": "decimal"} if each.kind == "number" else {}
            box("input", tag="input", type="text", defaultValue=each.value, **numeric, **shared)
        if each.description:
            text(each.description, "hint", id=f"{place}-hint")


def _difference(change: Change) -> None:
    with box("diff"):
        text(change.name, "mono soft")
        with box("diff-text", tag="p"):
            for piece in change.pieces:
                tag = {"same": "span", "gone": "del", "new": "ins"}[piece.kind]
                text(piece.text, tag=tag)


def _values(form: str) -> str:
    return f"understudy.values({json.dumps(form)})"


def _focus(place: str) -> None:
    ui.run_javascript(f"document.getElementById({json.dumps(place)})?.focus()")
