"""What the clock does with a question that nobody answers, in words. Pure."""

from domain.cases import undecided
from domain.questions import Question
from domain.voting import Firing, Timer, fired
from domain.waiting import Patience

_ENDINGS = {
    "halt": "it stays undone until the run is resumed",
    "reject": "it counts as rejected",
    "approve": "it counts as approved",
}


def afterwards(question: Question) -> str:
    """Return what follows when an open question is due and nobody has answered; empty where it is never due."""
    told, due = dict[str, None](), question.due
    if due is None:
        return ""
    for request in undecided(question):
        patience = request.patience
        timer = Timer(question.level, max(due, question.opened + patience.timeout_seconds))
        _, firings = fired(patience, timer, question.opened, due)
        told |= {_told(each, patience): None for each in firings[:1]}
    return " / ".join(told)


def _told(firing: Firing, patience: Patience) -> str:
    if firing.what == "escalated":
        return f"asked as well: {', '.join(patience.escalation[firing.level - 1].to)}"
    return _ENDINGS[firing.what]
