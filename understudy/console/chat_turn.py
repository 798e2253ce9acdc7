"""One turn of a conversation on the page: pieces that are drawn anew only when what they show has changed."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from domain.questions import Question
from domain.routing import Neighbour, RouteDecision
from understudy.cli.text import one_line
from understudy.console.approval_card import question_cards
from understudy.console.chat_state import Part, Round, Turn
from understudy.console.chat_steps import StepBox
from understudy.console.markup_view import show
from understudy.console.parts import badge, box, button, details, link, steady, text
from understudy.console.plan_graph import plan_graph
from understudy.console.prose import prose

_PARTS: tuple[Part, ...] = (
    "head", "why", "plan", "steps", "critique", "notes", "writing", "ask", "answer",
)  # fmt: skip
_STATES = {
    "running": ("Working", "accent"), "waiting": ("Waits for you", "warn"), "stopped": ("Stopped", "warn"),
}  # fmt: skip
_ENDINGS = {
    "done": ("Done", "good"), "replied": ("Answered", "good"), "asked": ("Asks back", "accent"),
    "refused": ("Refused", "bad"), "rejected": ("Rejected", "warn"), "failed": ("Failed", "bad"),
    "budget_exceeded": ("Budget used up", "warn"), "undone": ("Undone", "warn"),
}  # fmt: skip
_WAYS = {
    "memory": "from memory", "recipe": "by a recipe", "planner": "planned", "reply": "answered at once",
    "ask": "asked back", "refuse": "refused",
}  # fmt: skip


@dataclass(frozen=True)
class Deeds:
    """What can be done about a turn."""

    stop: Callable[[], Awaitable[None]]
    resume: Callable[[], Awaitable[None]]
    question: Callable[[], Awaitable[Question | None]]
    """Returns the open question of the conversation."""
    rate: Callable[[str, int], Awaitable[None]]
    correct: Callable[[str, str], Awaitable[None]]
    answered: Callable[[Question], Awaitable[None]]
    runs: str
    """Address of the page of runs."""
    may_run: bool
    may_answer: bool


class TurnView:
    """A turn on the page."""

    def __init__(self, turn: Turn, deeds: Deeds, number: int) -> None:
        """Draw a turn into the element at hand; `paint` fills it."""
        self._turn, self._deeds, self._number = turn, deeds, number
        self._open = set[str]()
        self._steps = dict[str, StepBox]()
        self._drawers: Mapping[Part, Callable[[], None]] = {
            "head": self._head, "why": self._why, "plan": self._plan, "critique": self._critique,
            "notes": self._notes, "writing": self._writing, "answer": self._answer,
        }  # fmt: skip
        with box("turn", tag="article", aria_label=f"Goal {number}"):
            text(turn.goal, "goal", tag="p")
            self._boxes = {part: box(f"part {part}") for part in _PARTS}
        turn.changed |= set(_PARTS)
        turn.changed_steps |= set(turn.steps)

    async def paint(self) -> None:
        """Draw what has changed."""
        changed, steps = set(self._turn.changed), set(self._turn.changed_steps)
        self._turn.changed.clear()
        self._turn.changed_steps.clear()
        for part in _PARTS:
            if part in changed and part in self._drawers:
                with self._anew(part):
                    self._drawers[part]()
        if changed & {"steps"} or steps:
            self._paint_steps(steps)
        if "ask" in changed:
            await self._ask()

    @contextmanager
    def _anew(self, part: Part) -> Iterator[None]:
        self._boxes[part].clear()
        with self._boxes[part]:
            yield

    @contextmanager
    def _fold(self, key: str, summary: str, *, is_open: bool = False) -> Iterator[None]:
        """Fold something; what a person has opened stays open when it is drawn anew."""
        if is_open and f"-{key}" not in self._open:
            self._open.add(key)

        def toggled(event: Any) -> None:
            self._open -= {key, f"-{key}"}
            self._open.add(key if event.args else f"-{key}")

        with details(summary, is_open=key in self._open) as folded:
            yield
        folded.on("toggle", toggled, js_handler="(event) => emit(event.target.open)")

    def _head(self) -> None:
        turn = self._turn
        with box("row"):
            if turn.outcome is not None:
                badge(*_ENDINGS[turn.outcome.status])
            else:
                words, kind = _STATES.get(turn.state, ("Ended", "plain"))
                badge(words, kind).classes("pulse" if turn.state == "running" else "")
            if turn.decision is not None:
                text(_WAYS[turn.decision.source], "soft small")
            if turn.mode == "rules":
                text("without a model", "soft small", title="The rule-based twins play all roles.")
            if turn.why and turn.state == "stopped":
                text(turn.why, "soft small break")
            self._controls()

    def _controls(self) -> None:
        if not self._deeds.may_run:
            return
        if self._turn.state == "running" and self._turn.outcome is None:
            button("Stop", self._deeds.stop, data_page_key="s", title="Stop at the next safe point (s)")
        if self._turn.state == "stopped":
            button("Resume", self._deeds.resume, look="main", data_page_key="u", title="Go on where it stopped (u)")

    def _why(self) -> None:
        if (decision := self._turn.decision) is None:
            return
        with self._fold("why", "Why this route"), box("inset stack"):
            text(decision.explanation or decision.message or "No reason was given.", "break", tag="p")
            text(_measures(decision), "soft small", tag="p")
            if decision.neighbours:
                _neighbours(decision.neighbours)
            else:
                text("Nothing similar is remembered.", "hint", tag="p")

    def _plan(self) -> None:
        turn = self._turn
        if turn.plan is None:
            return
        count = len([step for step in turn.plan.steps if not step.joins])
        with self._fold("plan", f"Plan: {count} step{'s' * (count != 1)}, {turn.plan.strategy}", is_open=True):
            states = {name: step.state for name, step in turn.steps.items()}
            with box("plan-scroll", tabindex="0", role="group", aria_label="Plan"):
                show(plan_graph(turn.plan, states))
            if turn.plan.rationale:
                text(turn.plan.rationale, "hint break", tag="p")
            if turn.alternatives:
                text(f"{turn.alternatives} other plan(s) were weighed.", "hint", tag="p")
            for problem in turn.problems:
                text(problem, "wrong break", tag="p")

    def _paint_steps(self, changed: set[str]) -> None:
        for name, step in self._turn.steps.items():
            if name not in self._steps and step.state != "planned":
                with self._boxes["steps"]:
                    self._steps[name] = StepBox()
                changed.add(name)
        for name in changed & self._steps.keys():
            self._steps[name].paint(self._turn.steps[name])

    def _critique(self) -> None:
        if not self._turn.rounds:
            return
        last = self._turn.rounds[-1]
        with self._fold("critique", f"Critique: {last.score:.2f} of {last.threshold:.2f} wanted"):
            for each in self._turn.rounds:
                _round(each)

    def _notes(self) -> None:
        for note in self._turn.notes:
            text(note, "note", tag="p")

    def _writing(self) -> None:
        turn = self._turn
        if turn.outcome is None and turn.writing:
            text("Being written", "soft small", tag="p")
            text(turn.writing, "streamed", tag="p")

    async def _ask(self) -> None:
        question = await self._deeds.question() if self._turn.state == "waiting" else None
        with self._anew("ask"):
            if question is not None:
                question_cards(question, self._deeds.answered, may_answer=self._deeds.may_answer)
                if question.status != "open":
                    self._again(question)

    def _again(self, question: Question) -> None:
        with box("row"):
            text("This question is not open any more.", "soft small")
            if self._deeds.may_run and question.status == "expired":
                button("Ask again", self._deeds.resume, look="main")

    def _answer(self) -> None:
        outcome = self._turn.outcome
        if outcome is None:
            return
        if outcome.answer:
            with box("answer-text"):
                prose(outcome.answer)
        if outcome.failure is not None:
            with box("failed", role="note"):
                text(f"{outcome.failure.code}: {outcome.failure.message}", "break", tag="p")
        for what in outcome.undone:
            text(f"Undone: {one_line(what, 300)}", "hint break", tag="p")
        for what in outcome.kept:
            text(f"Kept: {one_line(what, 300)}", "wrong break", tag="p")
        with box("row soft small"):
            text(f"confidence {outcome.confidence:.2f}")
            if outcome.quality is not None:
                text(f"quality {outcome.quality:.2f}")
            if outcome.usage.calls:
                cost = "" if outcome.usage.dollars is None else f", ${outcome.usage.dollars:.4f}"
                text(f"{outcome.usage.calls} model calls, {outcome.usage.tokens:,} tokens{cost}")
            if outcome.degraded and self._turn.mode != "rules":
                badge("degraded", "warn")
            link("Trace", f"{self._deeds.runs}/{self._turn.run}", "small")
        if self._deeds.may_run:
            self._judging()

    def _judging(self) -> None:
        """Offer to rate and correct the answer."""
        run, place = self._turn.run, f"correct-{self._number}"

        def rated(stars: int) -> Callable[[], Awaitable[None]]:
            return lambda: self._deeds.rate(run, stars)

        async def corrected(event: Any) -> None:
            await self._deeds.correct(run, str(event.args or "").strip())

        with box("row"):
            with box("stars", role="group", aria_label="Rate this answer from 1 to 5"):
                for stars in range(1, 6):
                    button(str(stars), rated(stars), look="quiet", aria_label=f"Rate {stars} of 5")
            with self._fold("correct", "Correct it"), box("stack correct"):
                text("What should it have been?", "label", tag="label", for_=place)
                box("input", tag="textarea", id=place, rows="3", maxlength="8000")
                sent = button("Send correction")
                sent.on("click", steady(corrected), js_handler=f"() => emit(document.getElementById('{place}').value)")


def _measures(decision: RouteDecision) -> str:
    way = f"Way: {_WAYS[decision.source]}"
    who = f" · {' → '.join(decision.sequence)}" if decision.sequence else ""
    sure = f" · confidence {decision.confidence:.2f} ({decision.band})" if decision.confidence else ""
    return f"{way}{sure}{who}"


def _neighbours(neighbours: list[Neighbour]) -> None:
    with box("table-wrap", tabindex="0", role="group", aria_label="Remembered tasks"), box("plain", tag="table"):
        with box(tag="thead"), box(tag="tr"):
            for head in ("similarity", "remembered goal", "how", "it went"):
                text(head, tag="th", scope="col")
        with box(tag="tbody"):
            for each in neighbours:
                with box(tag="tr"):
                    text(f"{each.similarity:.2f}", "number", tag="td")
                    text(one_line(each.goal, 160), "break", tag="td")
                    text(" → ".join(each.sequence), "break", tag="td")
                    quality = f", quality {each.quality:.2f}" if each.quality is not None else ""
                    text(("well" if each.success else "badly") + quality, tag="td")


def _round(each: Round) -> None:
    with box("inset"):
        with box("row"):
            text(f"Round {each.number + 1}", "small")
            box("meter", tag="meter", min="0", max="1", value=f"{each.score:.3f}", aria_label=f"Score {each.score:.2f}")
            text(f"{each.score:.2f}", "small")
            if each.stopped:
                text(each.stopped.replace("_", " "), "soft small")
        aspects = ", ".join(f"{name} {score:.2f}" for name, score in each.aspects.items())
        if aspects:
            text(aspects, "hint break", tag="p")
        for issue in each.issues:
            text(f"· {issue}", "hint break", tag="p")
