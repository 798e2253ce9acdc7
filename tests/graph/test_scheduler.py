import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.outcomes import Failure, StepResult
from domain.plans import Condition, Plan, Step
from evals.benchmarks.schedule import random_case
from evals.virtual_time import run_virtually
from graph.reports import Slot, StepReport
from graph.scheduler import Schedule


def launch(step: Step, body: Callable[[], Awaitable[StepReport]]) -> Awaitable[StepReport]:
    return asyncio.ensure_future(body())


class Stage:
    """Does steps on virtual time and notes when each began and ended."""

    def __init__(self, durations: Mapping[str, float] | None = None, fails: set[str] | None = None) -> None:
        self.durations, self.fails = durations or {}, fails or set()
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.most_at_once = 0

    async def __call__(self, step: Step, inputs: Mapping[str, StepResult], slot: Slot) -> StepReport:
        async with slot():
            return await self.worked(step)

    async def worked(self, step: Step) -> StepReport:
        loop = asyncio.get_running_loop()
        self.began[step.id] = loop.time()
        self.most_at_once = max(self.most_at_once, len(self.began) - len(self.ended))
        await asyncio.sleep(self.durations.get(step.id, 1.0))
        self.ended[step.id] = loop.time()
        if step.id in self.fails:
            failure = Failure(code="tool_failed", message="broken")
            return StepReport(StepResult(step=step.id, agent=step.agent, status="failed", failure=failure))
        return StepReport(StepResult(step=step.id, agent=step.agent, data={"n": 1}))


def step(name: str, *needs: str, **fields: object) -> Step:
    return Step.model_validate({"id": name, "agent": "worker", "task": "", "needs": list(needs), **fields})


def played(
    stage: Stage, *steps: Step, slots: int = 3, settled: Mapping[str, StepResult] | None = None
) -> dict[str, str]:
    reports, _ = run_virtually(Schedule(Plan(steps=list(steps)), settled or {}, stage, launch, slots).run())
    return {report.result.step: report.result.status for report in reports}


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_steps_run_once_after_their_inputs_and_within_the_slots(seed: int, slots: int) -> None:
    case = random_case(random.Random(seed))
    stage = Stage({key: tries[-1] for key, tries in case.tries.items()})
    statuses = played(stage, *case.plan.steps, slots=slots)
    assert statuses == {s.id: "done" for s in case.plan.steps}
    assert stage.most_at_once <= slots
    assert all(stage.began[s.id] >= stage.ended[need] for s in case.plan.steps for need in s.needs)


def test_a_step_starts_when_its_own_inputs_exist_not_when_a_level_ends() -> None:
    stage = Stage({"slow": 10, "quick": 1})
    played(stage, step("slow"), step("quick"), step("after_quick", "quick"))
    assert stage.began["after_quick"] == 1


@pytest.mark.parametrize(
    ("fields", "first"),
    [({"priority": 5}, "late"), ({"deadline": 3.0}, "late"), ({}, "early")],
    ids=["priority", "deadline", "plan order"],
)
def test_the_queue_is_ordered(fields: dict[str, object], first: str) -> None:
    stage = Stage()
    played(stage, step("early"), step("late", **fields), slots=1)
    assert min(stage.began, key=stage.began.__getitem__) == first


def test_the_longest_chain_goes_first_among_equals() -> None:
    stage = Stage()
    played(stage, step("leaf"), step("root"), step("next", "root"), slots=1)
    assert list(stage.began) == ["root", "leaf", "next"]


def test_nothing_builds_on_a_failed_step_and_its_siblings_go_on() -> None:
    statuses = played(Stage(fails={"a"}), step("a"), step("b", "a"), step("c", "b"), step("d"))
    assert statuses == {"a": "failed", "b": "skipped", "c": "skipped", "d": "done"}


def test_a_false_condition_skips_a_step_and_the_join_after_it_still_runs() -> None:
    never = Condition(step="a", field="n", op="gt", value=5)
    statuses = played(Stage(), step("a"), step("b", "a", condition=never.model_dump()), step("join", "a", "b"))
    assert statuses == {"a": "done", "b": "skipped", "join": "done"}


def test_steps_behind_a_held_one_are_held_and_the_rest_go_on() -> None:
    async def work(step: Step, inputs: Mapping[str, StepResult], slot: Slot) -> StepReport:
        status = "held" if step.id == "a" else "done"
        return StepReport(StepResult.model_validate({"step": step.id, "agent": "worker", "status": status}))

    plan = Plan(steps=[step("a"), step("b", "a"), step("c")])
    reports, _ = run_virtually(Schedule(plan, {}, work, launch, 3).run())
    assert {r.result.step: r.result.status for r in reports} == {"a": "held", "b": "held", "c": "done"}


def test_a_settled_step_is_not_run_again() -> None:
    stage = Stage()
    statuses = played(stage, step("a"), step("b", "a"), settled={"a": StepResult(step="a", agent="worker")})
    assert statuses == {"b": "done"}
    assert "a" not in stage.began


def test_an_unexpected_error_ends_the_run_and_leaves_nobody_waiting() -> None:
    async def work(step: Step, inputs: Mapping[str, StepResult], slot: Slot) -> StepReport:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_virtually(Schedule(Plan(steps=[step("a"), step("b", "a")]), {}, work, launch, 1).run())
