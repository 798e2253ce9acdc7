"""Questions of the inbox in words. Pure but for the printing of the list."""

import time
from collections.abc import Mapping, Sequence

from rich.text import Text

from domain.afterwards import afterwards
from domain.cases import current
from domain.questions import Question, Vote
from domain.voting import standing
from understudy.cli.phrases import line, request_text
from understudy.cli.tables import print_table
from understudy.cli.text import one_line

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def print_questions(questions: Sequence[Question], now: float, *, closed: bool, more: int) -> None:
    """Print a list of questions; a program gets tab-separated lines."""
    if closed:
        rows = [(q.id, q.thread, _asks(q), q.status, q.closed_by, moment(q.closed or 0.0, now)) for q in questions]
        print_table("Closed questions", ("question", "conversation", "asked", "status", "by", "when"), rows)
        return
    open_ones = [
        (q.id, q.thread, _asks(q), one_line(q.goal, 60), moment(q.opened, now), _due(q, now), _stand(q))
        for q in questions
    ]
    title = f"{len(questions)} open question(s)" + (f", and {more} more" if more > 0 else "")
    print_table(title, ("question", "conversation", "asks for", "goal", "since", "due", "votes"), open_ones)


def question_text(question: Question, answerers: Mapping[str, Sequence[str]], now: float) -> Text:
    """Return everything that a person needs to answer a question.

    Args:
        question: As it stands.
        answerers: Who may answer each request that is undecided; nobody named means everybody.
        now: Unix time in seconds.
    """
    parts = [
        line("question", f"{question.id}, {question.status}", "bold"),
        line("goal", one_line(question.goal, 500)),
        line("for", f"{question.user}, team {one_line(question.team)}, conversation {one_line(question.thread)}"),
        line("since", moment(question.opened, now)),
    ]
    if question.status == "open":
        then = one_line(afterwards(question), 300)
        parts += [line("due", f"{_due(question, now)}{f'; then: {then}' if then else ''}")]
    else:
        by = f" by {question.closed_by}" if question.closed_by else ""
        why = f": {one_line(question.why, 300)}" if question.why else ""
        anew = (
            f"; to be asked anew: understudy resume {one_line(question.thread)}" if question.status == "expired" else ""
        )
        parts += [line("closed", f"{question.status}{by}, {moment(question.closed or 0.0, now)}{why}{anew}")]
    if question.level:
        parts += [line("level", f"escalated {question.level} time(s)", "yellow")]
    for request in current(question):
        parts += [request_text(request, whole=True), *_standing(question, request.id, answerers)]
    return Text("\n").join(parts)


def _standing(question: Question, request: str, answerers: Mapping[str, Sequence[str]]) -> list[Text]:
    """Return who may answer a request and what was said to it."""
    asked = next(each for each in question.requests if each.id == request)
    votes = [vote for vote in question.votes if vote.request == request]
    lines = [line("said", _said(vote)) for vote in votes]
    if (decision := standing(asked, question.votes).decision) is not None:
        return [*lines, line("decided", f"{request}: {decision.type} by {one_line(decision.by)}", "green")]
    if question.status == "open":
        who = ", ".join(answerers.get(request, ())) or "everybody who works in this workspace"
        lines.append(line("answers", f"{one_line(who, 300)} (request {request})"))
    if asked.patience.quorum > 1:
        approved = standing(asked, question.votes).approvals
        lines.append(line("quorum", f"{len(approved)} of {asked.patience.quorum} have approved this"))
    return lines


def _said(vote: Vote) -> str:
    words = f": {one_line(vote.decision.message, 300)}" if vote.decision.message else ""
    return f"{one_line(vote.by)}, {clock_time(vote.time)}: {vote.decision.type}{words}"


def _asks(question: Question) -> str:
    return ", ".join(dict.fromkeys(request.name for request in question.requests))


def _stand(question: Question) -> str:
    """Return how far the answers have come, and how often it was escalated."""
    decided = sum(standing(r, question.votes).decision is not None for r in question.requests)
    needed = sum(request.patience.quorum for request in question.requests)
    parts = [f"{len(question.votes)} of {needed}"] if needed > 1 or question.votes else []
    parts += [f"{decided} decided"] if decided else []
    parts += [f"level {question.level}"] if question.level else []
    return ", ".join(parts) or "none"


def _due(question: Question, now: float) -> str:
    return moment(question.due, now) if question.due is not None else "-"


def moment(at: float, now: float) -> str:
    """Return a point in time as a distance and in the time of this place."""
    distance = span(abs(at - now))
    return f"in {distance} ({clock_time(at)})" if at > now else f"{distance} ago ({clock_time(at)})"


def clock_time(at: float) -> str:
    """Return a unix time in the time of this place."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def span(seconds: float) -> str:
    """Return a length of time in its largest unit, e.g. `43 min`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"
