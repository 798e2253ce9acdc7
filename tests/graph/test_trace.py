"""A trace is folded out of events, and corrected by what the ledger knows."""

from typing import Any

from domain.approvals import ActionRequest, Decision
from domain.effects import KeptEffect, LedgerEffect
from domain.events import (
    ApprovalDecided,
    EffectRecorded,
    EffectUndone,
    Event,
    ModelCalled,
    PlanProposed,
    RunFinished,
    RunStarted,
    RunStopped,
    Stamped,
    StepFinished,
    StepHeld,
    StepStarted,
    ToolCalled,
    ToolReturned,
)
from domain.outcomes import Failure, Outcome, StepResult, Usage
from domain.plans import Plan, Step
from graph.trace import Trace
from graph.tracing import traced

ACT = Step(id="act", agent="writer", task="do it", tool="save", effect="write", needs=["look"])
PLAN = Plan(steps=[Step(id="look", agent="reader", task="see"), ACT])
ASKED = ActionRequest(id="act", name="save", args={}, description="?", checkpoint="before_writing")
BROKEN = Failure(code="tool_failed", message="broke")


def logged(*events: Event, start: int = 100) -> list[Stamped]:
    """Return events one second apart."""
    stamp: dict[str, Any] = {"thread": "t", "run": "r", "workspace": "w", "namespace": "specialists"}
    return [Stamped(seq=i, time=start + i, event=event, **stamp) for i, event in enumerate(events)]


def looked() -> list[Event]:
    result = StepResult(step="look", agent="reader", seconds=0.9, confidence=0.8, usage=Usage(calls=1, input_tokens=5))
    return [StepStarted(step="look", agent="reader", task="see"), StepFinished(result=result)]


def begun() -> list[Event]:
    return [StepStarted(step="act", agent="writer", task="do it"), ToolCalled(step="act", tool="save", args={"a": 1})]


def done() -> list[Event]:
    return [
        EffectRecorded(step="act", tool="save", key="k", replayed=False),
        ToolReturned(step="act", tool="save", seconds=0.1, summary="saved"),
        StepFinished(result=StepResult(step="act", agent="writer")),
    ]


def whole(*more: Event) -> Trace:
    head: list[Event] = [RunStarted(goal="g", team="test", mode="rules"), PlanProposed(plan=PLAN)]
    return traced(logged(*head, *looked(), *begun(), *done(), *more), [])


def test_a_run_is_a_tree_of_steps() -> None:
    trace = whole(RunFinished(outcome=Outcome(status="done")))
    look, act = trace.steps
    assert (trace.goal, trace.seconds, trace.ended) == ("g", 9.0, 109.0)
    assert (look.started, look.ended, look.seconds, look.confidence, look.usage.input_tokens) == (102, 103, 0.9, 0.8, 5)
    assert (act.needs, act.status, act.attempts[0].tools[0].summary) == (["look"], "done", "saved")
    assert [(effect.key, effect.state) for effect in trace.effects] == [("k", "done")]


def test_every_attempt_is_there_with_its_failure() -> None:
    failed = ToolReturned(step="act", tool="save", seconds=0.5, failure=BROKEN)
    again = StepStarted(step="act", agent="helper", task="do it", attempt=2)
    trace = traced(logged(PlanProposed(plan=PLAN), *begun(), failed, again, *done()), [])
    [step] = [step for step in trace.steps if step.id == "act"]
    assert [attempt.agent for attempt in step.attempts] == ["writer", "helper"]
    assert trace.errors == [("act: save", BROKEN)]


def test_an_attempt_that_a_crash_broke_off_stays_open_and_the_step_goes_on() -> None:
    trace = traced(logged(PlanProposed(plan=PLAN), *begun(), *begun(), *done()), [])
    [step] = [step for step in trace.steps if step.id == "act"]
    assert [attempt.ended is None for attempt in step.attempts] == [True, False]
    assert step.attempts[0].tools[0].seconds is None


def test_a_step_that_another_plan_repeats_is_traced_again() -> None:
    lost = StepFinished(result=StepResult(step="act", agent="writer", status="failed", failure=BROKEN))
    trace = traced(logged(PlanProposed(plan=PLAN), *looked(), *begun(), lost, PlanProposed(plan=PLAN), *begun()), [])
    assert [(step.id, step.plan, step.status) for step in trace.steps] == [
        ("look", 0, "done"), ("act", 0, "failed"), ("act", 1, None),
    ]  # fmt: skip


def test_a_question_belongs_to_its_step_with_who_answered_and_when() -> None:
    answer = ApprovalDecided(request="act", decision=Decision(type="approve", by="ann"))
    trace = traced(logged(PlanProposed(plan=PLAN), StepHeld(request=ASKED), answer, *begun(), *done()), [])
    [decision] = next(step for step in trace.steps if step.id == "act").decisions
    assert (decision.by, decision.type, decision.asked, decision.decided) == ("ann", "approve", 101, 102)
    assert trace.decisions == [decision]


def test_the_ledger_knows_of_effects_that_were_never_told() -> None:
    kept = KeptEffect(run="r", step="act", tool="save", key="k", claim="c", claimed=103.5)
    trace = traced(logged(PlanProposed(plan=PLAN), *begun()), [LedgerEffect(effect=kept)])
    [effect] = trace.effects
    assert (effect.key, effect.state, effect.at) == ("k", "unknown", 103.5)


def test_what_was_undone_says_so_and_the_time_of_the_run_stays() -> None:
    before = whole(RunFinished(outcome=Outcome(status="done")))
    late: list[Event] = [EffectUndone(step="act", tool="save", key="k"), RunFinished(outcome=Outcome(status="undone"))]
    trace = whole(RunFinished(outcome=Outcome(status="done")), RunStopped(reason="x"), *late)
    assert [effect.state for effect in trace.effects] == ["undone"]
    assert trace.outcome is not None
    assert (trace.outcome.status, trace.seconds) == ("undone", before.seconds)


def test_a_kept_effect_says_why() -> None:
    trace = whole(EffectUndone(step="act", tool="save", key="k", failure=BROKEN))
    assert [(effect.state, effect.kept) for effect in trace.effects] == [("done", "broke")]


def test_models_are_added_up() -> None:
    calls: list[Event] = [ModelCalled(role="critic", model="m", seconds=1, input_tokens=n, dollars=0.5) for n in (1, 2)]
    usage = whole(*calls).usage
    assert (usage.calls, usage.input_tokens, usage.dollars) == (2, 3, 1.0)


def test_a_trace_survives_json() -> None:
    trace = whole()
    assert Trace.model_validate_json(trace.model_dump_json()) == trace
