"""A question's life as values: how answers and the time change it. Pure: the desk stores each step in a transaction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from domain.approvals import SETTLE, ActionRequest, Decision, decode, shown_digest, takes_words
from domain.effects import settlement
from domain.errors import InvalidDecision, NotAnApprover, QuestionClosed, StaleApproval
from domain.questions import CLOCK, Question, Vote
from domain.voting import Standing, Timer, due, fired, may_answer, standing, started

UNANSWERED = "nobody answered in time"
Pair = tuple[ActionRequest, Decision]


class Case(NamedTuple):
    """A question with the timers of its requests."""

    question: Question
    timers: Mapping[str, Timer]
    """By id of the request."""


class Happened(NamedTuple):
    """What the time led to."""

    request: str
    what: Literal["escalated", "approve", "reject", "halt"]
    level: int
    """How many levels have been asked."""


def asked(question: Question) -> Case:
    """Return the case of a question that is asked at the time it names."""
    timers = {request.id: started(request.patience, question.opened) for request in question.requests}
    return _timed(Case(question, timers))


def current(question: Question) -> list[ActionRequest]:
    """Return the requests with the arguments that are put to the vote now: edits of a person are in them."""
    return [r.model_copy(update={"args": standing(r, question.votes).args}) for r in question.requests]


def undecided(question: Question) -> list[ActionRequest]:
    """Return the requests that nobody has decided yet."""
    return [request for request in question.requests if standing(request, question.votes).decision is None]


def people(case: Case) -> tuple[str, ...]:
    """Return everybody who may answer something that is undecided; empty where everybody may."""
    named = [
        may_answer(r.patience, case.timers[r.id].level) for r in undecided(case.question) or case.question.requests
    ]
    if any(users is None for users in named):
        return ()
    return tuple(dict.fromkeys(user for users in named if users for user in users))


def elapsed(case: Case, now: float) -> tuple[Case, list[Happened]]:
    """Return the case after everything that is due has fired, and what did; a closed one stays as it is."""
    question, timers, happened = case.question, dict(case.timers), list[Happened]()
    if question.status != "open":
        return case, []
    votes = list(question.votes)
    for request in undecided(question):
        timers[request.id], firings = fired(request.patience, timers[request.id], question.opened, now)
        happened += [Happened(request.id, firing.what, firing.level) for firing in firings]
        if firings and (verdict := firings[-1].what) in ("approve", "reject"):
            votes.append(_timeout(request, verdict, now))
    question = question.model_copy(update={"votes": votes})
    if any(each.what == "halt" for each in happened):
        over = {"status": "expired", "closed": now, "closed_by": CLOCK, "why": UNANSWERED}
        question = question.model_copy(update=over)
    return _timed(Case(_concluded(question, now), timers)), happened


def _timeout(request: ActionRequest, verdict: str, now: float) -> Vote:
    decision = Decision.model_validate({"type": verdict, "message": UNANSWERED, "by": CLOCK})
    return Vote(request=request.id, decision=decision, by=CLOCK, time=now)


def answered(case: Case, answer: Any, *, by: str, digest: str, now: float) -> Case:
    """Return the case with a person's answer; an answer that this person has given before changes nothing.

    Args:
        case: With nothing left that is due.
        answer: Decisions in any client's form for every request that is open, or `{"request": id, ...}` for one.
        by: The user.
        digest: Of what the person was shown; empty: whoever answers says nothing about that, which does for a question
            whose arguments nobody has edited, and for a rejection.
        now: Unix time in seconds.

    Raises:
        QuestionClosed: It is decided, expired or withdrawn.
        NotAnApprover: Others are asked.
        StaleApproval: The person was shown something else.
        InvalidDecision: The answer does not fit.
    """
    question = case.question
    pairs = _addressed(question, answer)
    if question.status != "open" or all(_decided(question, request) for request, _ in pairs):
        if _is_known(question, pairs, by):
            return case
        raise closed_error(question, [request for request, _ in pairs])
    _refuse_strangers(case, pairs, by)
    if not _is_fresh(question, pairs, digest):
        if _is_known(question, pairs, by):
            return case
        raise StaleApproval(_stale(question))
    votes = [
        Vote(request=request.id, decision=decision.model_copy(update={"by": by}), by=by, time=now)
        for request, decision in pairs
        if not (_decided(question, request) or _counts(question, request, decision, by))
    ]
    return _timed(case._replace(question=_concluded(_with_votes(question, votes), now))) if votes else case


def _addressed(question: Question, answer: Any) -> list[Pair]:
    """Return what the answer says about which request, as it would be carried out."""
    requests = current(question)
    if isinstance(answer, Mapping) and "request" in answer:
        requests = [request for request in requests if request.id == answer["request"]]
        if not requests:
            known = ", ".join(request.id for request in question.requests)
            msg = f"the question has no request {answer['request']!r:.60}; it has {known}"
            raise InvalidDecision(msg)
        answer = {name: value for name, value in answer.items() if name != "request"}
    pairs = _decoded(question, answer, requests)
    for request, decision in pairs:
        _refuse_unfit(_original(question, request), decision)
    return pairs


def _decoded(question: Question, answer: Any, requests: Sequence[ActionRequest]) -> list[Pair]:
    """Return the decisions on what is open; a list may also name again what is decided.

    Where nothing is open any more, an answer that comes again may be on what people decided, not on what the clock did.
    """
    left = [request for request in requests if not _decided(question, request)]
    by_people = [request for request in requests if not _is_by_clock(question, request)]
    first, second = (left, requests) if left else (requests, by_people)
    try:
        return _paired(answer, first)
    except InvalidDecision:
        if not second or second == first:
            raise
    return _paired(answer, second)


def _paired(answer: Any, requests: Sequence[ActionRequest]) -> list[Pair]:
    return list(zip(requests, decode(answer, requests), strict=True))


def _is_by_clock(question: Question, request: ActionRequest) -> bool:
    return any(vote.request == request.id and vote.by == CLOCK for vote in question.votes)


def _refuse_unfit(request: ActionRequest, decision: Decision) -> None:
    if request.name == SETTLE:
        settlement(decision, request)
    elif decision.type == "respond" and not takes_words([request]):
        msg = "a step is approved, edited or rejected; say what should be different by editing its arguments"
        raise InvalidDecision(msg)


def _refuse_strangers(case: Case, pairs: Sequence[Pair], by: str) -> None:
    if by in ("", CLOCK):
        msg = f"nobody answers under the name {by!r}"
        raise NotAnApprover(msg)
    for request, _ in pairs:
        users = may_answer(request.patience, case.timers[request.id].level)
        if users is not None and by not in users and not _decided(case.question, request):
            msg = f"{by!r} is not asked about {request.id!r}; it is for {', '.join(users)}"
            raise NotAnApprover(msg)


def _is_fresh(question: Question, pairs: Sequence[Pair], digest: str) -> bool:
    """Return whether the answer is about what is asked now."""
    if digest:
        return digest == question.digest
    gives_way = all(decision.type in ("reject", "respond") for _, decision in pairs)
    return gives_way or not any(_standing(question, request).edits for request, _ in pairs)


def _is_known(question: Question, pairs: Sequence[Pair], by: str) -> bool:
    """Return whether this person has said just that before, of all that they have answered."""
    mine = [(vote, d) for r, d in pairs for vote in question.votes if (vote.request, vote.by) == (r.id, by)]
    latest = {vote.request: (vote, decision) for vote, decision in mine}
    return bool(latest) and all(_same(vote.decision, decision) for vote, decision in latest.values())


def _counts(question: Question, request: ActionRequest, decision: Decision, by: str) -> bool:
    """Return whether an approval of the same arguments by this person counts already."""
    now = _standing(question, request)
    return by in now.approvals and decision.type in ("approve", "edit") and decision.args in (None, now.args)


def _same(one: Decision, other: Decision) -> bool:
    return (one.type, one.args, one.message) == (other.type, other.args, other.message)


def _standing(question: Question, request: ActionRequest) -> Standing:
    return standing(_original(question, request), question.votes)


def _original(question: Question, request: ActionRequest) -> ActionRequest:
    return next(each for each in question.requests if each.id == request.id)


def _decided(question: Question, request: ActionRequest) -> Decision | None:
    return _standing(question, request).decision


def _with_votes(question: Question, votes: Sequence[Vote]) -> Question:
    """Return the question with more votes; an edit changes what is shown, and so its digest."""
    voted = question.model_copy(update={"votes": [*question.votes, *votes]})
    if [request.args for request in current(voted)] == [request.args for request in current(question)]:
        return voted
    return voted.model_copy(update={"digest": shown_digest(current(voted))})


def _concluded(question: Question, now: float) -> Question:
    """Return the question closed where every request is decided."""
    decisions = [_decided(question, request) for request in question.requests]
    found = [decision for decision in decisions if decision is not None]
    if question.status != "open" or len(found) < len(decisions):
        return question
    names = dict.fromkeys(name for decision in found for name in decision.by.split(", "))
    closing = {"status": "decided", "decisions": found, "closed": now, "closed_by": ", ".join(names)}
    return question.model_copy(update=closing)


def _timed(case: Case) -> Case:
    """Return the case with its next time and its level."""
    question, timers = case
    left = undecided(question) if question.status == "open" else []
    times = [due(request.patience, timers[request.id], question.opened) for request in left]
    level = max((timer.level for timer in timers.values()), default=0)
    return Case(question.model_copy(update={"due": min(times, default=None), "level": level}), timers)


def closed_error(question: Question, requests: Sequence[ActionRequest] = ()) -> QuestionClosed:
    """Return the refusal of an answer that comes too late: who decided what, and when."""
    by, time = question.closed_by, question.closed
    if question.status in ("open", "decided"):
        last = [vote for vote in question.votes if not requests or vote.request in {r.id for r in requests}][-1]
        by, time = (question.closed_by or last.by), (question.closed if question.closed is not None else last.time)
        what = " and ".join(
            dict.fromkeys(d.type for r in requests or question.requests if (d := _decided(question, r)))
        )
        return QuestionClosed(f"it was decided already: {what} by {by}, {_moment(time)}", by=by, time=time)
    what = "its time was over" if question.status == "expired" else "it was withdrawn"
    why = f": {question.why}" if question.why and question.status == "withdrawn" else ""
    return QuestionClosed(f"the question is closed: {what}, {_moment(time or 0.0)}{why}", by=by, time=time or 0.0)


def _stale(question: Question) -> str:
    editors = dict.fromkeys(vote.by for vote in question.votes if vote.decision.type == "edit")
    changed = f"{', '.join(editors)} changed it meanwhile" if editors else "something else is asked now"
    return f"the answer is for something else than what is asked: {changed}; look at it again"


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
