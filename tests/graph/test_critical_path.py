"""What a run's wall time went to, and how much time each step had to spare."""

import pytest

from domain.events import PlanProposed, RunStopped, StepFinished
from domain.outcomes import StepResult
from domain.plans import ForEach, Plan, Step
from graph.critical_path import critical_path
from graph.trace import Trace
from tests.graph.timed_runs import TimedRun, usual_run


def told(trace: Trace) -> list[tuple[str, str, float, float]]:
    """Return the segments with their times from the start."""
    return [
        (s.kind, s.step or s.name, round(s.started - trace.started, 3), round(s.ended - trace.started, 3))
        for s in critical_path(trace).segments
    ]


def slack(trace: Trace) -> dict[str, float]:
    return {timing.step: round(timing.slack, 3) for timing in critical_path(trace).steps}


def test_the_segments_follow_each_other_from_start_to_end() -> None:
    assert told(usual_run()) == [
        ("node", "supervisor", 0, 0.2), ("role", "supervisor", 0.2, 1), ("role", "planner", 1, 3),
        ("agent", "analyse", 3, 8), ("agent", "write", 8, 11), ("role", "critic", 11, 14),
        ("person", "deliver", 14, 19), ("agent", "deliver", 19, 19.5), ("node", "remember", 19.5, 20),
    ]  # fmt: skip


def test_slack_is_what_a_step_could_have_ended_later() -> None:
    assert slack(usual_run()) == {"search": 3, "analyse": 0, "extra": 4, "write": 0, "deliver": 0}
    critical = [timing.step for timing in critical_path(usual_run()).steps if timing.critical]
    assert critical == ["analyse", "write", "deliver"]


def test_a_ready_step_that_begins_later_waited_for_a_slot() -> None:
    waited = {timing.step: round(timing.waited, 3) for timing in critical_path(usual_run()).steps}
    assert waited == {"search": 0, "analyse": 0, "extra": 2, "write": 0, "deliver": 0}


def test_waiting_for_a_slot_is_on_the_path_when_the_end_waits_for_it() -> None:
    plan = Plan(steps=[Step(id="a", agent="one", task="a"), Step(id="b", agent="two", task="b")])
    trace = TimedRun(plan=plan).at(1, "planner", PlanProposed(plan=plan)).worked("a", 1, 4).worked("b", 4, 9).trace(9)
    assert told(trace)[1:] == [("slot", "b", 1, 4), ("agent", "b", 4, 9)]


def test_time_before_a_step_in_which_nobody_worked_is_the_nodes() -> None:
    plan = Plan(steps=[Step(id="a", agent="one", task="a")])
    trace = TimedRun(plan=plan).at(1, "planner", PlanProposed(plan=plan)).worked("a", 2, 4).trace(4)
    assert told(trace)[1:] == [("node", "specialists", 1, 2), ("agent", "a", 2, 4)]


def test_a_step_waits_for_all_instances_of_another() -> None:
    each = ForEach(step="look", field="items")
    plan = Plan(
        steps=[
            Step(id="look", agent="look", task="l"), Step(id="part", agent="part", task="p", foreach=each),
            Step(id="end", agent="end", task="e", needs=["part"]),
        ]
    )  # fmt: skip
    run = TimedRun(plan=plan).at(0, "planner", PlanProposed(plan=plan))
    trace = run.worked("look", 0, 1).worked("part.1", 1, 3).worked("part.2", 1, 6).worked("end", 6, 7).trace(7)
    assert told(trace) == [("agent", "look", 0, 1), ("agent", "part.2", 1, 6), ("agent", "end", 6, 7)]
    assert slack(trace)["part.1"] == 3


def test_a_step_looks_through_the_join_of_a_nested_plan() -> None:
    plan = Plan(
        steps=[
            Step(id="out/a", agent="one", task="a"),
            Step(id="out", agent="one", task="", joins=True, needs=["out/a"]),
            Step(id="idle", agent="three", task="i"),
            Step(id="end", agent="two", task="e", needs=["out"]),
        ]
    )
    run = TimedRun(plan=plan).at(0, "planner", PlanProposed(plan=plan))
    trace = run.worked("out/a", 0, 2).worked("idle", 0, 3.5).worked("end", 2, 5).trace(5)
    assert told(trace) == [("agent", "out/a", 0, 2), ("agent", "end", 2, 5)]
    assert slack(trace)["idle"] == 1.5


def test_each_try_counts_for_who_made_it() -> None:
    plan = Plan(steps=[Step(id="a", agent="second", task="a")])
    run = TimedRun(plan=plan).at(0, "planner", PlanProposed(plan=plan)).tried("a", "first", 0).worked("a", 3, 5)
    assert [(s.name, s.seconds) for s in critical_path(run.trace(5)).segments] == [("first", 3), ("second", 2)]


def test_a_person_who_looks_at_a_finished_step_is_no_work_of_the_step() -> None:
    plan = Plan(steps=[Step(id="deliver", agent="writer", task="a")])
    run = TimedRun(plan=plan).at(0, "planner", PlanProposed(plan=plan)).tried("deliver", "writer", 0).asked(2, 7)
    run.at(8, "specialists", StepFinished(result=StepResult(step="deliver", agent="writer")))
    assert told(run.trace(8)) == [
        ("agent", "deliver", 0, 2), ("person", "deliver", 2, 7), ("agent", "deliver", 7, 8),
    ]  # fmt: skip


def test_time_in_which_a_run_was_stopped_is_nobodys() -> None:
    run = TimedRun().called(1, "supervisor", 1).at(2, "", RunStopped(reason="shutdown")).called(50, "planner", 1)
    assert told(run.called(52, "planner", 2).trace(52))[1:] == [
        ("node", "run", 1, 2), ("node", "run", 2, 50), ("role", "planner", 50, 52),
    ]  # fmt: skip


@pytest.mark.parametrize("ended", [True, False])
def test_a_run_without_steps_has_a_path(ended: bool) -> None:
    trace = TimedRun().called(2, "supervisor", 1).trace(3)
    if not ended:
        trace = trace.model_copy(update={"ended": None, "last": trace.started + 2.5})
    path = critical_path(trace)
    assert sum(segment.seconds for segment in path.segments) == pytest.approx(trace.seconds)
    assert path.steps == []
