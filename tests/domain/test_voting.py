from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.approvals import ActionRequest, Decision
from domain.questions import CLOCK, Vote
from domain.voting import Firing, Timer, due, fired, may_answer, may_decide, standing, started
from domain.waiting import Level, Patience

PEOPLE = ("ann", "bob", "cem")


def request(quorum: int = 1, **patience: Any) -> ActionRequest:
    return ActionRequest(
        id="send",
        name="send_mail",
        args={"to": "a@example.org", "text": "hello"},
        description="Sends a mail.",
        patience=Patience(quorum=quorum, **patience),
    )


def vote(by: str, kind: str = "approve", **args: Any) -> Vote:
    edited = request().args | args if kind == "edit" else None
    return Vote(request="send", decision=Decision.model_validate({"type": kind, "args": edited}), by=by, time=1.0)


votes_of_people = st.lists(
    st.one_of(
        st.builds(vote, st.sampled_from(PEOPLE)),
        st.builds(lambda by, text: vote(by, "edit", text=text), st.sampled_from(PEOPLE), st.sampled_from(["hi", "yo"])),
    ),
    max_size=12,
)


def test_one_approval_is_enough_without_a_quorum() -> None:
    assert standing(request(), [vote("ann")]).decision == Decision(type="approve", by="ann")


def test_one_rejection_is_enough_whatever_the_quorum() -> None:
    now = standing(request(quorum=3), [vote("ann"), vote("bob"), vote("cem", "reject")])
    assert now.decision == Decision(type="reject", by="cem")


def test_an_edit_restarts_the_count_with_the_one_who_edited() -> None:
    two = request(quorum=2)
    votes = [vote("ann"), vote("bob", "edit", text="hi")]
    assert standing(two, votes).approvals == ("bob",)
    assert standing(two, votes).decision is None
    decided = standing(two, [*votes, vote("ann")]).decision
    assert decided == Decision(type="edit", args={"to": "a@example.org", "text": "hi"}, by="bob, ann")


def test_an_edit_back_to_what_was_asked_is_an_approval_of_it() -> None:
    two = request(quorum=2)
    votes = [vote("ann", "edit", text="hi"), vote("bob", "edit", text="hello"), vote("cem")]
    assert standing(two, votes).decision == Decision(type="approve", by="bob, cem")


def test_an_edit_that_changes_nothing_counts_as_an_approval() -> None:
    two = request(quorum=2)
    assert standing(two, [vote("ann"), vote("bob", "edit")]).decision == Decision(type="approve", by="ann, bob")


def test_the_clock_needs_no_quorum() -> None:
    decided = standing(request(quorum=3), [vote("ann"), vote(CLOCK)]).decision
    assert decided is not None
    assert decided.by == "ann, timeout"


@settings(deadline=None)
@given(votes_of_people, st.integers(1, 3))
def test_what_is_carried_out_was_approved_by_as_many_different_people(votes: Sequence[Vote], quorum: int) -> None:
    asked = request(quorum=quorum)
    decision = standing(asked, votes).decision
    if decision is None:
        return
    carried_out = decision.args or asked.args
    shown, approved = asked.args, set[str]()
    for each in votes:
        if each.decision.args not in (None, shown):
            shown, approved = each.decision.args or {}, set()
        approved.add(each.by)
        if shown == carried_out and len(approved) >= quorum:
            break
    else:
        raise AssertionError(f"{decision} was never approved by {quorum}")
    assert set(decision.by.split(", ")) == approved


@settings(deadline=None)
@given(votes_of_people, st.integers(1, 3))
def test_a_decision_stands_whatever_comes_after_it(votes: Sequence[Vote], quorum: int) -> None:
    asked = request(quorum=quorum)
    decisions = [standing(asked, votes[:count]).decision for count in range(len(votes) + 1)]
    made = [decision for decision in decisions if decision is not None]
    assert all(decision == made[0] for decision in made)


@settings(deadline=None)
@given(votes_of_people, st.sampled_from(PEOPLE))
def test_a_person_counts_once(votes: Sequence[Vote], by: str) -> None:
    twice = standing(request(quorum=3), [*votes, vote(by), vote(by)])
    assert twice == standing(request(quorum=3), [*votes, vote(by)])


def test_everybody_may_answer_where_nobody_is_named() -> None:
    assert may_answer(Patience(escalation=(Level(to=("cem",)),)), 1) is None


def test_those_who_were_asked_before_may_still_answer() -> None:
    patience = Patience(approvers=("ann",), escalation=(Level(to=("bob",)), Level(to=("cem", "ann"))))
    assert [may_answer(patience, level) for level in (0, 1, 2)] == [("ann",), ("ann", "bob"), ("ann", "bob", "cem")]


def test_who_was_passed_by_may_not_answer_what_opens_escalated() -> None:
    patience = Patience(approvers=("ann",), escalation=(Level(to=("bob",)),), escalated=True)
    assert may_answer(patience, started(patience, 0.0).level) == ("bob",)


def test_an_escalated_question_opens_with_the_first_level() -> None:
    patience = Patience(escalation=(Level(to=("bob",)),), escalated=True, timeout_seconds=60)
    assert started(patience, 100.0) == Timer(level=1, over=160.0)


def test_levels_are_asked_at_their_times_and_then_the_time_is_over() -> None:
    patience = Patience(timeout_seconds=100, escalation=(Level(to=("bob",), after_seconds=40),), on_timeout="reject")
    timer = started(patience, 0.0)
    assert due(patience, timer, 0.0) == 40.0
    timer, firings = fired(patience, timer, 0.0, 40.0)
    assert firings == [Firing("escalated", 1)]
    assert due(patience, timer, 0.0) == 100.0
    assert fired(patience, timer, 0.0, 100.0)[1] == [Firing("reject", 1)]


def test_a_time_that_ran_out_while_nobody_was_there_gives_the_next_level_its_whole_time() -> None:
    patience = Patience(timeout_seconds=100, escalation=(Level(to=("bob",)),), on_timeout="escalate")
    timer, firings = fired(patience, started(patience, 0.0), 0.0, 5000.0)
    assert firings == [Firing("escalated", 1)]
    assert timer == Timer(level=1, over=5100.0)
    assert fired(patience, timer, 0.0, 5100.0)[1] == [Firing("halt", 1)]


def test_what_cannot_be_undone_is_not_approved_by_the_clock() -> None:
    approving = Patience(timeout_seconds=1, on_timeout="approve")
    undoable = approving.model_copy(update={"undoable": True})
    assert fired(approving, started(approving, 0.0), 0.0, 1.0)[1] == [Firing("halt", 0)]
    assert fired(undoable, started(undoable, 0.0), 0.0, 1.0)[1] == [Firing("approve", 0)]


patiences = st.builds(
    Patience,
    timeout_seconds=st.integers(1, 50),
    on_timeout=st.sampled_from(["halt", "reject", "escalate", "approve"]),
    escalation=st.lists(
        st.builds(Level, to=st.just(("bob",)), after_seconds=st.integers(0, 80)), max_size=4
    ).map(tuple),
    escalated=st.booleans(),
    undoable=st.booleans(),
)  # fmt: skip


@settings(deadline=None)
@given(patiences, st.lists(st.integers(0, 200), min_size=1, max_size=10).map(sorted))
def test_each_level_is_asked_once_and_nothing_before_its_time(patience: Patience, times: list[int]) -> None:
    timer, seen = started(patience, 0.0), list[Firing]()
    for now in times:
        before = due(patience, timer, 0.0)
        timer, firings = fired(patience, timer, 0.0, now)
        assert bool(firings) == (before <= now)
        seen += firings
        if firings and firings[-1].what != "escalated":
            break
        assert due(patience, timer, 0.0) > now
    levels = [firing.level for firing in seen if firing.what == "escalated"]
    first = started(patience, 0.0).level
    assert levels == list(range(first + 1, first + 1 + len(levels)))
    assert timer.level <= len(patience.escalation)


@settings(deadline=None)
@given(patiences, st.integers(0, 300))
def test_firing_again_at_the_same_time_changes_nothing(patience: Patience, now: int) -> None:
    timer, firings = fired(patience, started(patience, 0.0), 0.0, now)
    if not firings or firings[-1].what == "escalated":
        assert fired(patience, timer, 0.0, now) == (timer, [])


@settings(deadline=None)
@given(patiences.filter(lambda patience: patience.on_timeout != "escalate"), st.integers(0, 100), st.integers(0, 100))
def test_it_does_not_matter_how_often_somebody_looks(patience: Patience, first: int, more: int) -> None:
    timer, early = fired(patience, started(patience, 0.0), 0.0, first)
    at_once = fired(patience, started(patience, 0.0), 0.0, first + more)
    if early and early[-1].what != "escalated":
        return
    timer, late = fired(patience, timer, 0.0, first + more)
    assert (timer, early + late) == at_once


def test_who_may_decide_for_what_waits_like_this() -> None:
    def may(by: str, kind: str = "approve", **patience: Any) -> bool:
        return may_decide(Patience(**patience), Decision.model_validate({"type": kind, "by": by}))

    boss = (Level(to=("boss",), after_seconds=60),)
    assert may("ann")
    assert not may_decide(None, Decision(type="approve", by="ann"))
    assert [may(by, approvers=("ann",), escalation=boss) for by in ("ann", "boss", "bob")] == [True, True, False]
    assert [may(by, escalated=True, escalation=boss) for by in ("ann", "boss")] == [False, True]
    assert [may(by, quorum=2) for by in ("ann", "ann, ann", "ann, bob")] == [False, False, True]
    assert may("ann", "reject", quorum=2)
    assert [may(CLOCK, on_timeout=end) for end in ("approve", "reject")] == [True, False]
    assert may(CLOCK, "reject", on_timeout="reject")
