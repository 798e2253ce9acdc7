from domain.approvals import ActionRequest, Decision
from domain.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    PlanProposed,
    RunFinished,
    RunStarted,
    RunStopped,
    Stamped,
    StepFinished,
    StepStarted,
    TextStreamed,
    ToolCalled,
    ToolReturned,
    Whispered,
)
from domain.outcomes import Outcome, StepResult
from domain.plans import Plan, Step
from understudy.console.chat_state import MAX_WRITING, Conversation

PLAN = Plan(steps=[Step(id="read", agent="search", task="Read"), Step(id="write", agent="writer", task="Write")])


def stamped(seq: int, event: Event, run: str = "r1") -> Stamped:
    return Stamped(seq=seq, time=1.0, thread="t", run=run, workspace="w", event=event)


def whispered(event: TextStreamed, run: str = "r1") -> Whispered:
    return Whispered(time=1.0, thread="t", run=run, workspace="w", event=event)


def told(*events: Event) -> Conversation:
    conversation = Conversation()
    for seq, event in enumerate(events, 1):
        conversation.take(stamped(seq, event))
    return conversation


STARTED = RunStarted(goal="Do it", team="documents", mode="rules")


def test_each_run_is_a_turn() -> None:
    conversation = told(STARTED)
    conversation.take(stamped(2, RunStarted(goal="And this", team="documents", mode="rules"), "r2"))
    assert [(turn.run, turn.goal) for turn in conversation.turns] == [("r1", "Do it"), ("r2", "And this")]


def test_what_was_seen_before_changes_nothing() -> None:
    conversation = told(STARTED, PlanProposed(plan=PLAN))
    assert conversation.take(stamped(1, STARTED)) is None
    assert conversation.last == 2


def test_a_step_goes_from_planned_over_running_to_done() -> None:
    conversation = told(STARTED, PlanProposed(plan=PLAN))
    step = conversation.turns[0].steps["read"]
    assert step.state == "planned"
    conversation.take(stamped(3, StepStarted(step="read", agent="search", task="Read")))
    conversation.take(stamped(4, ToolCalled(step="read", tool="look", args={"q": "x"})))
    conversation.take(stamped(5, ToolReturned(step="read", tool="look", seconds=0.5, summary="found")))
    assert (step.state, step.tools[0].seconds, step.tools[0].summary) == ("running", 0.5, "found")
    conversation.take(stamped(6, StepFinished(result=StepResult(step="read", agent="search", text="It says so"))))
    assert conversation.turns[0].steps["read"].state == "done"


def test_a_new_plan_keeps_what_is_done() -> None:
    conversation = told(
        STARTED, PlanProposed(plan=PLAN), StepFinished(result=StepResult(step="read", agent="search", text="x"))
    )
    other = Plan(steps=[PLAN.steps[0], Step(id="draw", agent="artist", task="Draw")])
    conversation.take(stamped(4, PlanProposed(plan=other)))
    assert {name: step.state for name, step in conversation.turns[0].steps.items()} == {
        "read": "done", "draw": "planned",
    }  # fmt: skip


def test_text_grows_and_begins_anew() -> None:
    conversation = told(STARTED)
    for event in (TextStreamed(role="composer", text="Hel"), TextStreamed(role="composer", text="lo")):
        conversation.take(whispered(event))
    assert conversation.turns[0].writing == "Hello"
    conversation.take(whispered(TextStreamed(role="composer", text="Anew", first=True)))
    assert conversation.turns[0].writing == "Anew"


def test_endless_text_is_cut() -> None:
    conversation = told(STARTED)
    for _ in range(3):
        conversation.take(whispered(TextStreamed(role="composer", text="x" * MAX_WRITING)))
    assert len(conversation.turns[0].writing) == MAX_WRITING


def test_a_whisper_of_an_unknown_run_is_left_out() -> None:
    assert Conversation().take(whispered(TextStreamed(role="composer", text="x"))) is None


def test_a_question_waits_until_it_is_decided() -> None:
    asked = ApprovalRequested(interrupt="i", requests=[ActionRequest(id="write", name="w", args={}, description="?")])
    conversation = told(STARTED, asked)
    turn = conversation.turns[0]
    assert (turn.state, turn.asked) == ("waiting", asked)
    conversation.take(stamped(3, ApprovalDecided(request="write", decision=Decision(type="reject", message="no"))))
    assert (turn.state, turn.asked, turn.notes) == ("running", None, ["write: rejected: no"])


def test_a_stopped_run_goes_on_and_ends() -> None:
    conversation = told(STARTED, RunStopped(reason="on request"))
    turn = conversation.turns[0]
    assert (turn.state, turn.why) == ("stopped", "on request")
    conversation.take(stamped(3, StepStarted(step="read", agent="search", task="Read")))
    assert (turn.state, turn.why) == ("running", "")
    conversation.take(stamped(4, RunFinished(outcome=Outcome(status="done", answer="So it is"))))
    assert turn.state == "ended" and turn.outcome is not None
