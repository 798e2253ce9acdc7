"""The words of notices: what is asked, and what is sent of it. Pure.

What is sent has two kinds of lines. The frame is ours: how to answer, and the workspace. All else may have been written
by a model, a document or a stranger, so each of its lines begins with `> `, and nothing in it can be a link, a mention
or mark-up, whatever the channel makes of text.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from domain.afterwards import afterwards
from domain.approvals import ActionRequest
from domain.consent_words import GIVE_CONSENT
from domain.notices import Notice, NoticeKind
from domain.privacy import SENSITIVE
from domain.questions import Question
from domain.redaction import redacted
from domain.voting import may_answer
from understudy.cli.text import call, clean, one_line

MAX_TITLE = 150
MAX_BODY = 6_000
"""Characters of what is quoted; longer bodies are cut, and the inbox shows the rest."""
_MAX_LINES = 100
_LINE = 500
_MAX_READ = 20_000
"""Characters of a text that are looked at to tell of it."""
_DESCRIBED = 12
"""Lines of a request's description that are told."""
_REQUESTS = 10
"""Requests of one question that are told; the inbox shows the others."""
_LINKS = re.compile(r"\b(\w[\w+.-]*):/{1,2}|\b(www)\.", re.IGNORECASE)
_MENTIONS = re.compile(r"@(?=everyone|here|channel|all\b)", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_TITLES: dict[NoticeKind, str] = {
    "asked": "Approval wanted", "escalated": "Still unanswered", "expired": "Time is over", "decided": "Decided",
}  # fmt: skip


class Message(NamedTuple):
    """What a channel is given."""

    title: str
    body: str


def question_notice(
    question: Question, kind: NoticeKind, *, to: tuple[str, ...], command: str = "understudy", note: str = ""
) -> Notice:
    """Return the notice that tells people of a question.

    Args:
        question: As it stands now; its `level` tells one escalation from the next.
        kind: `asked`, `escalated`, `expired` or `decided`.
        to: Users; empty: whoever the workspace's channels reach.
        command: How the product is called.
        note: One more line, such as who decided what.
    """
    names = ", ".join(dict.fromkeys(request.name for request in question.requests))
    goal = "(private)" if any(map(_is_private, question.requests)) else _short(question.goal, 300)
    lines = [*([_short(note, _LINE)] if note else []), f"For: {goal}"]
    for number, request in enumerate(question.requests[:_REQUESTS], 1):
        lines += _asked(request, f"{number}. " if len(question.requests) > 1 else "")
    if len(question.requests) > _REQUESTS:
        lines.append(f"... and {len(question.requests) - _REQUESTS} more")
    if kind in ("asked", "escalated"):
        lines += _terms(question)
    return Notice(
        id=f"{question.id}:{kind}:{question.level}",
        kind=kind,
        workspace=question.workspace,
        to=to,
        title=_short(f"{_TITLES.get(kind, 'Notice')}: {names}", MAX_TITLE),
        body="\n".join(lines),
        answer=f"{command} inbox show {question.id}",
    )


def _asked(request: ActionRequest, number: str) -> list[str]:
    undone = "it can be undone" if request.patience.undoable else "it cannot be undone"
    if _is_private(request):
        return [f"{number}{request.name} ({undone})", "  What it is about is private; the inbox shows it."]
    lines = [line for line in clean(request.description).splitlines() if line.strip()]
    described = [f"  {_short(line, 300)}" for line in lines[:_DESCRIBED]] + ["  …"] * (len(lines) > _DESCRIBED)
    return [f"{number}{_short(call(request.name, request.args, _MAX_READ), 300)} ({undone})", *described]


def _is_private(request: ActionRequest) -> bool:
    """Return whether what is asked about is told nobody outside: it is made of such data, or of what needs consent."""
    return request.name == GIVE_CONSENT or (request.facts is not None and request.facts.privacy in SENSITIVE)


def _terms(question: Question) -> list[str]:
    patience = [request.patience for request in question.requests]
    who = sorted({user for each in patience for user in may_answer(each, question.level) or ()})
    quorum = max((each.quorum for each in patience), default=1)
    lines = [f"May answer: {_short(', '.join(who), 300) if who else 'everybody who works in this workspace'}"]
    if quorum > 1:
        lines.append(f"{quorum} people must approve")
    if question.due is not None:
        lines.append(f"Until: {shown_time(question.due)}; then: {_short(afterwards(question), 300)}")
    return lines


def shown_time(time: float) -> str:
    """Return a unix time for people of any place."""
    try:
        return f"{datetime.fromtimestamp(time, tz=UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, OSError, ValueError):
        return "no end"


def message(notice: Notice, *, hidden: Callable[[str], str], link: str | None = None) -> Message:
    """Return what is sent of a notice.

    Args:
        notice: Its title and body may come from anybody; how to answer is ours.
        hidden: Takes out what must not leave this machine.
        link: Of the page where questions are answered.
    """
    title = one_line(_tamed(hidden(_visible(f"[{notice.workspace}] {notice.title}"))), MAX_TITLE)
    frame = []
    if notice.answer:
        frame.append(f"Answer with: {one_line(notice.answer, _LINE)}")
    if link and notice.kind in ("asked", "escalated"):
        frame.append(f"Or here: {link.rstrip('/')}/{_safe_id(notice.id.partition(':')[0])}")
    quoted = _quoted(_tamed(hidden(_visible(notice.body))))
    return Message(title or "Notice", "\n".join([*frame, *([""] if frame and quoted else []), *quoted]) or "(no text)")


def _quoted(text: str) -> list[str]:
    lines = [" ".join(line.split("\t")).rstrip() for line in text[:MAX_BODY].splitlines()]
    shown = [f"> {line[:_LINE]}{'…' if len(line) > _LINE else ''}" for line in lines[:_MAX_LINES]]
    return [*shown, "> …"] if len(text) > MAX_BODY or len(lines) > _MAX_LINES else shown


def _tamed(text: str) -> str:
    """Return text that no channel takes for a link, a mention or mark-up."""
    text = text.replace("<", "‹").replace(">", "›").replace("](", "] (")
    return _MENTIONS.sub("@ ", _LINKS.sub(lambda found: f"{found[0][:-1]}[{found[0][-1]}]", text))


def _visible(text: str) -> str:
    """Return a text without what nobody sees, and what could stand in the middle of a secret."""
    return _INVISIBLE.sub("", clean(text))


def _short(text: str, width: int) -> str:
    """Return a text on one line, redacted, and cut between words: part of a secret would not be known as one."""
    line = redacted(one_line(_visible(text[:_MAX_READ]), _MAX_READ))
    return line if len(line) <= width else f"{line[:width].rpartition(' ')[0]} …".lstrip()


def _safe_id(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text, flags=re.ASCII)
