from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.approvals import SETTLE, ActionRequest
from domain.cases import answered, asked, closed_error, current, elapsed, people, undecided
from domain.errors import InvalidDecision, NotAnApprover, QuestionClosed, StaleApproval
from domain.questions import CLOCK, Question
from domain.waiting import Level, Patience

PEOPLE = ("ann", "bob", "cem")


def request(name: str, patience: Patience | None = None) -> ActionRequest:
    return ActionRequest(
        id=name,
        name="send_mail",
        args={"n": 0},
        types={"n": "integer"},
        description="",
        patience=patience or Patience(),
    )


def question(*requests: ActionRequest) -> Question:
    return Question(
        id="q", workspace="w", thread="t", run="r", interrupt="i", team="m", goal="g", user="ann",
        requests=list(requests), digest="shown", opened=0.0,
    )  # fmt: skip


patiences = st.builds(
    Patience,
    timeout_seconds=st.integers(1, 50),
    on_timeout=st.sampled_from(["halt", "reject", "escalate", "approve"]),
    approvers=st.sampled_from([(), ("ann",), ("ann", "bob")]),
    quorum=st.integers(1, 3),
    escalation=st.lists(
        st.builds(Level, to=st.sampled_from([("bob",), ("cem",)]), after_seconds=st.integers(0, 60)), max_size=2
    ).map(tuple),
    escalated=st.booleans(),
    undoable=st.booleans(),
)  # fmt: skip
events = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from(PEOPLE),
        st.one_of(
            st.sampled_from([{"type": "approve"}, {"type": "reject"}, "yes", "no, thanks"]),
            st.builds(lambda n: {"type": "edit", "args": {"n": n}}, st.integers(1, 2)),
            st.builds(lambda name: {"request": name, "type": "approve"}, st.sampled_from(["a", "b", "c"])),
        ),
        st.booleans(),
    ),
    max_size=15,
)


@settings(deadline=None)
@given(st.lists(patiences, min_size=1, max_size=3), events)
def test_whatever_comes_a_question_closes_once_and_for_good(patience: list[Patience], happens: list[Any]) -> None:
    requests = [request(name, each) for name, each in zip("abc", patience, strict=False)]
    case, now, closed = asked(question(*requests)), 0.0, None
    for seconds, by, answer, tells in happens:
        now += seconds
        case, _ = elapsed(case, now)
        before = case
        try:
            case = answered(case, answer, by=by, digest=case.question.digest if tells else "", now=now)
        except (QuestionClosed, NotAnApprover, StaleApproval, InvalidDecision):
            assert case is before
        after = case.question
        if case is not before:
            assert answered(case, answer, by=by, digest=after.digest, now=now).question == after
        assert (after.due is None) == (after.status != "open")
        assert after.due is None or after.due > now
        assert (after.digest == before.question.digest) == (current(after) == current(before.question))
        if after.status == "decided":
            assert undecided(after) == []
            assert len(after.decisions) == len(requests)
        if closed is not None:
            assert after == closed
        closed = after if after.status != "open" else None


def test_an_answer_that_comes_again_is_known_beside_what_the_clock_decided() -> None:
    over, waiting = Patience(timeout_seconds=1, on_timeout="reject"), Patience(timeout_seconds=50)
    case, _ = elapsed(asked(question(request("a", over), request("b", waiting))), 1.0)
    edit = {"type": "edit", "args": {"n": 1}}
    decided = answered(case, edit, by="ann", digest=case.question.digest, now=1.0)
    assert decided.question.status == "decided"
    assert answered(decided, edit, by="ann", digest=decided.question.digest, now=1.0).question == decided.question


@settings(deadline=None)
@given(st.lists(patiences, min_size=1, max_size=3), events)
def test_nothing_is_approved_by_too_few_or_by_who_was_not_asked(patience: list[Patience], happens: list[Any]) -> None:
    requests = [request(name, each) for name, each in zip("abc", patience, strict=False)]
    case, now = asked(question(*requests)), 0.0
    for seconds, by, answer, _ in happens:
        now += seconds
        case, _happened = elapsed(case, now)
        try:
            case = answered(case, answer, by=by, digest=case.question.digest, now=now)
        except (QuestionClosed, NotAnApprover, StaleApproval, InvalidDecision):
            continue
    for each, decision in zip(requests, case.question.decisions, strict=False):
        levels = {user for level in each.patience.escalation for user in level.to}
        by_people = set(decision.by.split(", ")) - {CLOCK}
        if each.patience.approvers:
            assert by_people <= {*each.patience.approvers, *levels}
        if decision.type in ("approve", "edit") and CLOCK not in decision.by.split(", "):
            assert len(by_people) >= each.patience.quorum
        elif decision.type in ("approve", "edit"):
            assert each.patience.undoable and each.patience.on_timeout == "approve"


def test_whether_something_happened_is_told_in_words() -> None:
    settle = ActionRequest(id="s", name=SETTLE, args={"happened": True, "tool": "t"}, description="")
    case = answered(asked(question(settle)), "it did not", by="ann", digest="", now=1.0)
    assert case.question.decisions[0].args == {"happened": False, "tool": "t"}
    with pytest.raises(InvalidDecision, match="only 'happened' can be edited"):
        answered(asked(question(settle)), {"type": "edit", "args": {"tool": "x"}}, by="ann", digest="", now=1.0)


def test_a_plan_takes_words() -> None:
    plan = request("plan").model_copy(update={"name": "review_plan"})
    case = answered(asked(question(plan)), "compare it with last year", by="ann", digest="", now=1.0)
    assert [(d.type, d.message) for d in case.question.decisions] == [("respond", "compare it with last year")]


def test_a_list_may_name_again_what_is_decided() -> None:
    case = asked(question(request("a"), request("b")))
    case = answered(case, {"request": "a", "type": "reject"}, by="ann", digest="", now=1.0)
    both = {"decisions": [{"type": "reject"}, {"type": "approve"}]}
    assert answered(case, both, by="bob", digest="", now=2.0).question.closed_by == "ann, bob"


def test_everybody_who_may_answer_is_told() -> None:
    one, two = Patience(approvers=("ann",)), Patience(approvers=("bob", "ann"))
    assert people(asked(question(request("a", one), request("b", two)))) == ("ann", "bob")
    assert people(asked(question(request("a", one), request("b")))) == ()


def test_the_refusal_of_a_late_answer_names_the_one_who_decided() -> None:
    case = answered(asked(question(request("a"))), "no", by="ann", digest="", now=60.0)
    error = closed_error(case.question)
    assert str(error) == "it was decided already: reject by ann, 1970-01-01 00:01:00 UTC"
    assert (error.by, error.time) == ("ann", 60.0)
