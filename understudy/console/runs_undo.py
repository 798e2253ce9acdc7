"""Taking back what a run changed: asked twice, and where the ledger cannot tell, a person says what happened."""

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from domain.approvals import ActionRequest, Decision
from graph.trace import Trace
from understudy.cli.text import clean
from understudy.console.frame import toast
from understudy.console.markup_view import confirmed, may
from understudy.console.parts import box, button, text
from understudy.console.visits import caller_here
from understudy.past import Undone
from understudy.service.caller import Caller

_ANSWERS: tuple[tuple[str, Decision], ...] = (
    ("It happened", Decision(type="approve")),
    ("It did not happen", Decision(type="edit", args={"happened": False})),
    ("Stop here", Decision(type="reject")),
)

Answered = Callable[[ActionRequest, Decision], Awaitable[None]]


def undo_panel(caller: Caller, trace: Trace, changed: Callable[[], Awaitable[None]]) -> None:
    """Offer to take back what a run changed, where there is something and the visitor may.

    Args:
        caller: Who looks at it.
        trace: The run.
        changed: Called after something was done.
    """
    open_effects = [effect for effect in trace.effects if effect.state != "undone"]
    if not open_effects or not may(caller, "run"):
        return
    place, answers, client = box("undo"), dict[str, Decision](), ui.context.client

    async def undo() -> None:
        here = await caller_here("run")
        done = await here.orchestrator.undo(trace.run, answers)
        if done.question is not None:
            _ask(place, done.question, answered)
            return
        toast(_told(done), "bad" if done.kept else "good")
        await changed()

    async def answered(request: ActionRequest, decision: Decision) -> None:
        answers[request.id] = decision.model_copy(update={"by": caller.principal.user})
        with client:  # what was pressed is gone by then
            await undo()

    count = len(open_effects)
    what = "1 effect" if count == 1 else f"{count} effects"
    ends = "" if trace.ended else " The run is given up with it."
    question = f"Take back {what} of this run, the last one first? What somebody changed since is kept.{ends}"
    with place:
        confirmed(f"Undo {what}", question, undo)


def _ask(place: ui.element, request: ActionRequest, answered: Answered) -> None:
    """Show what a person must find out, with the three answers that there are."""
    place.clear()
    with place, box("asked", role="group", aria_label="A question before it can go on"):
        text(clean(request.description), "pre", tag="p")
        for words, decision in _ANSWERS:
            button(words, partial(answered, request, decision))


def _told(done: Undone) -> str:
    """Return what undoing led to, in words."""
    if not done.undone and not done.kept:
        return "This run changed nothing."
    parts = [f"taken back: {', '.join(done.undone)}"] if done.undone else []
    parts += [f"stays: {', '.join(done.kept)}"] if done.kept else []
    return "; ".join(parts)
