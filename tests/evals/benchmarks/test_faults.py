"""Real runs among faults, and how they are judged."""

from dataclasses import replace
from pathlib import Path

import pytest

from domain.events import Event, ModelCalled, RoleDegraded, StepFinished, ToolReturned
from domain.outcomes import Failure, Outcome, StepResult
from domain.plans import Plan, Step
from evals.benchmarks.faults import Condition, Faults
from evals.benchmarks.faults_run import Ran
from understudy.faulted import opener

DATA = Path(__file__).parents[3] / "examples" / "energy"
PLAN = Plan(steps=[Step(id="look", agent="reader", task="look")])
DONE = Outcome(status="done", answer="It grew.", plan=PLAN)
FOUND = StepFinished(result=StepResult(step="look", agent="reader", text="It grew."))
RAN = Ran("documents search 1", DONE, "", [FOUND], delivered=True, seconds=1, tool_calls=0, tool_faults=0)
BROKEN = Failure(code="tool_timeout", message="step 'look': the index did not answer within 1 s")


async def test_runs_come_to_a_usable_end_and_each_failure_names_its_cause() -> None:
    told: list[int] = []
    report = await Faults(opener(DATA), runs=1, seed=5, share=0.3, model_seconds=1.0, progress=told.append).report()
    figures = report.as_json()
    assert report.passed, figures
    assert told == [1, 2, 3, 4]
    assert figures["both"]["runs"] == figures["both"]["usable"] == 1
    assert figures["both"]["model_faults"] > 0


async def test_when_everything_fails_no_run_counts_as_clean() -> None:
    ran, server = await Faults(opener(DATA), runs=1, seed=3, model_seconds=0.4).measured(Condition("all", 1.0, 1.0))
    assert ran[0].grade != "clean"
    assert ran[0].failures()
    assert all(named for _, named in ran[0].failures()), ran[0].failures()
    assert sum(server["faults"].values()) == server["served"]


@pytest.mark.parametrize(
    ("outcome", "grade"),
    [
        (DONE, "clean"),
        (DONE.model_copy(update={"degraded": True}), "degraded"),
        (DONE.model_copy(update={"answer": " "}), "failed"),
        (DONE.model_copy(update={"status": "failed", "failure": BROKEN}), "failed"),
        (DONE.model_copy(update={"status": "budget_exceeded", "failure": BROKEN}), "partial"),
        (Outcome(status="replied", answer="Hello."), "clean"),
        (None, "failed"),
    ],
)
def test_an_end_is_judged_strictly(outcome: Outcome | None, grade: str) -> None:
    assert replace(RAN, outcome=outcome).grade == grade


def test_an_answer_that_nothing_was_found_for_is_not_usable() -> None:
    empty = FOUND.model_copy(update={"result": FOUND.result.model_copy(update={"empty": True})})
    assert replace(RAN, events=[empty]).grade == "failed"
    assert replace(RAN, delivered=False).grade == "failed"


def test_a_failure_is_named_by_a_known_code_and_its_place() -> None:
    vague = Failure(code="error", message="oops")
    events: list[Event] = [
        StepFinished(result=StepResult(step="look", agent="reader", status="failed", failure=BROKEN)),
        ToolReturned(step="look", tool="search", seconds=1, failure=vague),
        ModelCalled(role="critic", model="openai:m", seconds=1, failure=BROKEN),
        RoleDegraded(role="critic", reason="model_refused: no"),
        RoleDegraded(role="critic", reason="something"),
    ]
    assert [named for _, named in replace(RAN, events=events).failures()] == [True, False, True, True, False]
    lost = DONE.model_copy(update={"status": "failed", "failure": BROKEN})
    nowhere = BROKEN.model_copy(update={"message": "it did not answer"})
    assert replace(RAN, outcome=lost).failures()[-1][1]
    assert not replace(RAN, outcome=lost.model_copy(update={"failure": nowhere})).failures()[-1][1]
    assert not replace(RAN, outcome=None, error="it did not end").failures()[-1][1]
