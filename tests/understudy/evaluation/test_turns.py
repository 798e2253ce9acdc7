"""The turns of a conversation are read off its events, whatever else was told on the way."""

import pytest

from domain.approvals import ActionRequest, Decision
from domain.events import (
    ApprovalDecided,
    ApprovalRequested,
    EffectUndone,
    Event,
    RunFinished,
    RunStarted,
    RunStopped,
    Stamped,
)
from domain.outcomes import Outcome
from domain.questions import CLOCK
from understudy.evaluation.turns import NotRecordable, parts_of

QUESTION = ApprovalRequested(
    interrupt="i", requests=[ActionRequest(id=name, name="send", args={}, description=name) for name in ("a", "b")]
)
DONE = RunFinished(outcome=Outcome(status="done", answer="done"))
UNDONE = EffectUndone(step="s", tool="send", key="k")


def said(goal: str) -> RunStarted:
    return RunStarted(goal=goal, team="t", mode="rules")


def decided(name: str, by: str = "ann") -> ApprovalDecided:
    return ApprovalDecided(request=name, decision=Decision(type="approve", by=by))


def told(*events: Event, runs: str = "") -> list[Stamped]:
    """Return events ten seconds apart; `runs` names the run of each where there are several."""
    named = runs or "r" * len(events)
    return [
        Stamped(seq=n, time=10.0 * n, thread="t", run=run, workspace="w", namespace="", event=event)
        for n, (event, run) in enumerate(zip(events, named, strict=True), 1)
    ]


def read(events: list[Stamped]) -> list[tuple[dict[str, object], str]]:
    """Return the turns, each with what its events end in."""
    parts = parts_of(events)
    return [(part.turn.model_dump(exclude_defaults=True), part.events[-1].event.type) for part in parts]


def test_a_question_that_was_shown_again_is_one_question() -> None:
    events = told(said("x"), QUESTION, QUESTION, decided("a", CLOCK), decided("b", CLOCK), DONE, said("y"), DONE)
    assert read(events) == [
        ({"say": "x"}, "approval_requested"), ({"wait": 30.0}, "run_finished"), ({"say": "y"}, "run_finished"),
    ]  # fmt: skip


def test_a_run_that_was_interrupted_and_carried_on_is_one_turn() -> None:
    events = told(said("x"), RunStopped(reason="SIGTERM"), said("x"), QUESTION, decided("a"), decided("a"))
    events += [each.model_copy(update={"time": 99.0}) for each in told(decided("b"), decided("a"), decided("b"), DONE)]
    assert [turn for turn, _ in read(events)] == [
        {"say": "x"}, {"decide": [{"type": "approve"}, {"type": "approve"}]},
    ]  # fmt: skip


def test_what_is_undone_at_the_end_is_no_turn() -> None:
    parts = parts_of(told(said("x"), DONE, UNDONE, DONE))
    assert [[stamped.seq for stamped in part.events] for part in parts] == [[1, 2]]


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (told(said("x"), DONE, UNDONE, DONE, said("y"), DONE), "something was undone"),
        (told(said("x"), said("y"), DONE, runs="rss"), "turn 1 was interrupted"),
        (told(said("x"), RunStopped(reason="SIGTERM")), "was stopped"),
        (told(said("x"), QUESTION, decided("a")), "has not come to an end"),
        ([], "has not come to an end"),
    ],
)
def test_what_no_replay_could_do_is_refused(events: list[Stamped], why: str) -> None:
    with pytest.raises(NotRecordable, match=why):
        parts_of(events)
