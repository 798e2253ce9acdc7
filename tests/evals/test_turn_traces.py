from pathlib import Path

from domain import events as ev
from domain.events import Event, Stamped
from domain.outcomes import Failure, Outcome, StepResult
from domain.plans import Plan, Step
from domain.routing import RouteDecision
from evals.recording.task import Turn
from evals.scoring.evidence import Evidence
from evals.turn_traces import TurnTrace, first_divergence, turn_trace
from graph.tracing import traced

OUT = Path("/somewhere/out")


def seen(*, agent: str = "writer", late: bool = False) -> Evidence:
    route = RouteDecision(source="memory", sequence=["reader", agent], confidence=0.9, band="reuse")
    plan = Plan(steps=[Step(id="a", agent="reader", task="Read it"), Step(id="b", agent=agent, task="Write it")])
    steps: list[list[Event]] = [
        [
            ev.StepStarted(step="a", agent="reader", task="Read it"),
            ev.StepFinished(result=StepResult(step="a", agent="reader")),
        ],
        [
            ev.StepStarted(step="b", agent=agent, task="Write it"),
            ev.ToolCalled(step="b", tool="files.write", args={"path": f"{OUT}/note.md"}),
            ev.ToolReturned(
                step="b", tool="files.write", seconds=1.5, failure=Failure(code="tool_failed", message="no")
            ),
            ev.StepFinished(result=StepResult(step="b", agent=agent, status="failed")),
        ],
    ]
    events: list[Event] = [
        ev.RunStarted(goal="Write a note", team="notes", mode="rules"),
        ev.RouteDecided(decision=route),
        ev.PlanProposed(plan=plan),
        *[event for step in (reversed(steps) if late else steps) for event in step],
        ev.ModelCalled(role="planner", model="m", seconds=1, input_tokens=10, output_tokens=5),
        ev.RunFinished(outcome=Outcome(status="failed", answer=f"see {OUT}/note.md")),
    ]  # fmt: skip
    stamped = [
        Stamped(seq=n, time=float(n), thread="t", run="r", workspace="w", event=event) for n, event in enumerate(events)
    ]
    return Evidence(events=stamped, trace=traced(stamped, []), out=OUT)


def trace(**how: object) -> TurnTrace:
    return turn_trace(1, Turn(say="Write a note"), seen(**how))  # type: ignore[arg-type]


def test_a_turn_is_told_in_lines_without_times_and_places() -> None:
    assert list(trace().lines()) == [
        "said: Write a note",
        "route: memory reader > writer (reuse, confidence 0.90)",
        "plan: a reader, b writer",
        "step a by reader: Read it",
        "step a ended done",
        "step b by writer: Write it",
        "step b: files.write(path=out/note.md) failed: tool_failed",
        "step b ended failed",
        "ended: failed",
        "answer: see out/note.md",
    ]
    assert (trace().calls, trace().tokens) == (1, 15)


def test_steps_that_ran_in_another_order_make_the_same_trace() -> None:
    assert trace(late=True) == trace()


def test_two_plays_part_at_the_first_line_that_differs() -> None:
    found = first_divergence([trace()], [trace(agent="editor")])
    assert found is not None
    assert found.before == "route: memory reader > writer (reuse, confidence 0.90)"
    assert found.after == "route: memory reader > editor (reuse, confidence 0.90)"
    assert first_divergence([trace()], [trace()]) is None


def test_a_play_that_ended_earlier_parts_where_it_ended() -> None:
    found = first_divergence([trace(), trace()], [trace()])
    assert found is not None
    assert (found.turn, found.before, found.after) == (1, "said: Write a note", "")


def test_decisions_and_waiting_are_told_in_words() -> None:
    decided = turn_trace(2, Turn(decide=[{"type": "edit", "args": {"to": "Ben"}}]), seen())
    assert decided.said == "(edit args {'to': 'Ben'})"
    assert turn_trace(3, Turn(wait=60), seen()).said == "(lets 60 s pass)"
