"""Which decision the votes and the time lead to. Pure: the desk keeps the votes and reads the clock."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from domain.approvals import ActionRequest, Decision
from domain.questions import CLOCK, Vote
from domain.waiting import Patience

_AND = ", "
"""Between those who have approved together."""


class Standing(NamedTuple):
    """How the votes on one request stand."""

    args: dict[str, Any]
    """The arguments as they are put to the vote now: with the latest edit."""
    edits: int
    """How often they were edited; approvals of earlier arguments do not count."""
    approvals: tuple[str, ...]
    """Who has approved these arguments, in order; the one who edited them has."""
    decision: Decision | None
    """None while more people must approve."""


def standing(request: ActionRequest, votes: Iterable[Vote]) -> Standing:
    """Return how the votes on a request stand, in the order in which they came.

    A rejection or a response decides at once, and so does what the clock says. An edit puts other arguments to the
    vote, so the count begins anew with the one who edited. As many different people as the quorum must approve the
    same arguments.
    """
    now = Standing(request.args, 0, (), None)
    for vote in votes:
        if vote.request == request.id and now.decision is None:
            now = _counted(request, now, vote)
    return now


def _counted(request: ActionRequest, now: Standing, vote: Vote) -> Standing:
    decision = vote.decision
    if decision.type in ("reject", "respond"):
        return now._replace(decision=decision.model_copy(update={"by": vote.by}))
    args, edits, approvals = now.args, now.edits, now.approvals
    if decision.type == "edit" and decision.args is not None and decision.args != args:
        args, edits, approvals = decision.args, edits + 1, ()
    if vote.by not in approvals:
        approvals = (*approvals, vote.by)
    enough = vote.by == CLOCK or len(approvals) >= request.patience.quorum
    decided = _approved(request, args, approvals, decision) if enough else None
    return Standing(args, edits, approvals, decided)


def _approved(request: ActionRequest, args: dict[str, Any], by: Sequence[str], last: Decision) -> Decision:
    named = _AND.join(by)
    if args == request.args:
        return Decision(type="approve", message=last.message, by=named)
    return Decision(type="edit", args=args, message=last.message, by=named)


def may_answer(patience: Patience, level: int) -> tuple[str, ...] | None:
    """Return who may answer once so many levels have been asked; None: everybody who may work in the workspace.

    A question that opens escalated is for the levels alone: whom it passed by was never asked.
    """
    asked = tuple(user for each in patience.escalation[:level] for user in each.to)
    if patience.escalated and asked:
        return tuple(dict.fromkeys(asked))
    return tuple(dict.fromkeys((*patience.approvers, *asked))) if patience.approvers else None


def may_decide(patience: Patience | None, decision: Decision) -> bool:
    """Return whether those who have decided may do so for what waits like this, whichever levels have been asked.

    As many must have approved as the quorum says. What the clock decided was for the desk to tell.

    Args:
        patience: How it waits; None where nobody may answer.
        decision: The decision, with who has made it.
    """
    if patience is None:
        return False
    if decision.by == CLOCK:
        return decision.type != "approve" or patience.on_timeout == "approve"
    by, able = {*decision.by.split(_AND)}, may_answer(patience, len(patience.escalation))
    enough = decision.type in ("reject", "respond") or len(by) >= patience.quorum
    return enough and (able is None or by <= {*able})


class Timer(NamedTuple):
    """What is left of the patience with one request."""

    level: int
    """How many levels have been asked."""
    over: float
    """Unix time at which it runs out; asking the next level because it did gives as much time again."""


class Firing(NamedTuple):
    """What a timer led to."""

    what: Literal["escalated", "approve", "reject", "halt"]
    level: int
    """How many levels have been asked with it."""


def started(patience: Patience, opened: float) -> Timer:
    """Return the timer of a request that is asked now."""
    return Timer(1 if patience.escalated and patience.escalation else 0, opened + patience.timeout_seconds)


def due(patience: Patience, timer: Timer, opened: float) -> float:
    """Return when the timer fires next, in unix seconds."""
    level = _timed_level(patience, timer, opened)
    return timer.over if level is None else min(timer.over, level)


def _timed_level(patience: Patience, timer: Timer, opened: float) -> float | None:
    """Return when the next level is asked because of the time since the opening, or None."""
    if timer.level >= len(patience.escalation):
        return None
    after = patience.escalation[timer.level].after_seconds
    return opened + after if after else None


def fired(patience: Patience, timer: Timer, opened: float, now: float) -> tuple[Timer, list[Firing]]:
    """Return the timer after all that is due, and what that led to; the last one may end the waiting.

    A level that is asked because the time ran out has its time from now on, also where nobody was there to notice.
    """
    firings: list[Firing] = []
    while due(patience, timer, opened) <= now:
        ran_out = timer.over <= due(patience, timer, opened)
        more = timer.level < len(patience.escalation)
        if ran_out and not (patience.on_timeout == "escalate" and more):
            return timer, [*firings, Firing(_ending(patience), timer.level)]
        timer = Timer(timer.level + 1, now + patience.timeout_seconds if ran_out else timer.over)
        firings.append(Firing("escalated", timer.level))
    return timer, firings


def _ending(patience: Patience) -> Literal["approve", "reject", "halt"]:
    """Return what follows when the time is over for good."""
    match patience.on_timeout:
        case "reject":
            return "reject"
        case "approve" if patience.undoable:
            return "approve"
        case _:
            return "halt"
