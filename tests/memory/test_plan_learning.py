import random
from typing import Any

import pytest

from domain.plans import Plan, Step
from domain.routing import Recall
from memory.tasks import TaskMemory
from tests.memory.conftest import House, OpenHouse
from tests.memory.planned import TEAM, WORKSPACE, new, plan_of, record, remembered

KNOWN = 120
KEY = f"memory:plans:{WORKSPACE}:"


async def filled(tasks: TaskMemory, goals: list[tuple[str, Plan]], **fields: Any) -> None:
    await tasks.remember_many(WORKSPACE, [record(goal, plan, **fields) for goal, plan in goals])
    await tasks.close()


async def ask(tasks: TaskMemory, goal: str) -> Recall:
    return await tasks.recall(WORKSPACE, TEAM, goal)


@pytest.fixture
async def grown(house: House) -> House:
    await filled(house.tasks, remembered(KNOWN))
    return house


async def composed_one(house: House) -> Recall:
    """Return the first recall of new goals whose plan was put together."""
    for goal, _ in new(60):
        found = await ask(house.tasks, goal)
        if "put together" in found.explanation:
            return found
    raise AssertionError("no plan was put together")


async def test_a_grown_memory_ranks_whole_plans_by_itself(grown: House) -> None:
    found = [await ask(grown.tasks, goal) for goal, _ in new(20)]
    assert all(recall.plan_probability is not None for recall in found)
    assert all(f"learnt from {KNOWN} plans here" in recall.explanation for recall in found)


async def test_with_few_memories_the_nearest_plan_is_offered_as_ever(house: House) -> None:
    await filled(house.tasks, remembered(25))
    found = await ask(house.tasks, new(20)[0][0])
    assert found.plan is not None and found.plan_probability is None
    assert await house.records.scan(KEY) == []


async def test_tasks_without_plans_are_routed_as_ever(house: House) -> None:
    rows = [record(goal, plan, last_success=True).model_copy(update={"plan": None}) for goal, plan in remembered(60)]
    await house.tasks.remember_many(WORKSPACE, rows)
    await house.tasks.close()
    found = await ask(house.tasks, new(20)[0][0])
    assert (found.plan, found.plan_probability) == (None, None)


async def test_a_plan_is_put_together_and_the_explanation_says_so(grown: House) -> None:
    found = await composed_one(grown)
    assert found.plan is not None and found.plan.source == "memory"
    assert "No remembered plan fits as it is" in found.explanation
    assert "this whole plan is right" in found.explanation


async def test_a_goal_that_was_done_before_gets_its_own_plan(grown: House) -> None:
    goal, plan = remembered(KNOWN)[0]
    found = await ask(grown.tasks, goal.upper())
    assert found.plan is not None
    assert [s.tool for s in found.plan.steps] == [s.tool for s in plan.steps]
    assert (found.plan_probability, found.band) == (None, "reuse")


def refunds(count: int) -> list[tuple[str, Plan]]:
    """Return goals of one kind whose plan depends on nothing that they say."""
    chance = random.Random(0)
    things = ["lamp", "coat", "book", "phone", "chair", "ring", "kettle", "drum", "clock", "bike"]
    goals = [f"refund the {thing} of order {n}" for n in range(count // 10) for thing in things]
    short = {"plan": {"steps": ["find", "refund"], "edges": [["find", "refund"]]}}
    long = {"plan": {"steps": ["find", "check", "refund"], "edges": [["find", "check"], ["check", "refund"]]}}
    return [(goal, plan_of(chance.choice([short, long]))) for goal in goals]


async def test_a_sure_sequence_with_an_unsure_plan_is_held_back_as_a_hint(house: House) -> None:
    await filled(house.tasks, refunds(120))
    found = await ask(house.tasks, "refund the lamp of order 12")
    assert found.band == "hint"
    assert found.plan_probability is not None and found.plan_probability < 0.8
    assert "held back" in found.explanation


async def test_what_was_learnt_is_there_after_a_restart(grown: House, reopen: OpenHouse) -> None:
    goals = [goal for goal, _ in new(5)]
    before = [await ask(grown.tasks, goal) for goal in goals]
    house = await reopen()
    after = [await ask(house.tasks, goal) for goal in goals]
    assert [r.plan and r.plan.steps for r in after] == [r.plan and r.plan.steps for r in before]
    assert [r.plan_probability for r in after] == [pytest.approx(r.plan_probability, abs=0.02) for r in before]


@pytest.mark.parametrize("damage", [{}, {"format": 1, "weights": "rm -rf"}, {"tasks": [["a"], "a", "a", 3]}])
async def test_a_damaged_record_leaves_recall_as_it_was_before_anything_was_learnt(
    grown: House, reopen: OpenHouse, damage: dict[str, Any]
) -> None:
    [(key, _)] = await grown.records.scan(KEY)
    await grown.records.put(key, damage)
    found = await ask((await reopen()).tasks, new(5)[0][0])
    assert found.plan is not None and found.plan_probability is None


async def test_a_forgotten_task_is_gone_from_what_was_learnt(grown: House) -> None:
    found = await ask(grown.tasks, new(5)[0][0])
    task = found.neighbours[0].task
    await grown.tasks.forget(WORKSPACE, task)
    [(_, value)] = await grown.records.scan(KEY)
    assert task not in value["tasks"]
    again = await ask(grown.tasks, new(5)[0][0])
    assert task not in {n.task for n in again.neighbours}
    assert again.plan_probability is not None


async def test_a_plan_that_failed_the_last_time_is_not_reused(house: House) -> None:
    await filled(house.tasks, remembered(KNOWN))
    asked = [(goal, await ask(house.tasks, goal)) for goal, _ in new(40)]
    goal, sure = next((goal, recall) for goal, recall in asked if recall.band == "reuse")
    assert sure.plan is not None
    failed = record(goal, sure.plan, successes=0, failures=1, last_success=False, quality=None)
    await house.tasks.remember(failed)
    assert (await ask(house.tasks, goal)).band != "reuse"


Kept = tuple[str, str | None, str, str]


def steps(plan: Plan | None) -> set[Kept]:
    return {(s.agent, s.tool, s.effect, str(s.args)) for s in plan.steps} if plan else set()


async def test_nothing_is_offered_that_no_success_of_this_team_in_this_workspace_had(grown: House) -> None:
    evil = Step(
        id="evil", agent="worker", task="send it", tool="summarise", effect="write", args={"to": "evil@x.example"}
    )
    goals = [(goal, Plan(steps=[evil])) for goal, _ in new(40)]
    tasks = grown.tasks
    await filled(tasks, goals, team="others")
    await tasks.remember_many("elsewhere", [record(g, p, workspace="elsewhere") for g, p in goals])
    failed = [record(g, p, successes=0, failures=1, last_success=False, quality=None) for g, p in goals]
    await tasks.remember_many(WORKSPACE, failed)
    await tasks.close()
    known = set.union(*(steps(plan) for _, plan in remembered(KNOWN)))
    for goal, _ in new(60):
        assert steps((await ask(tasks, goal)).plan) <= known


async def test_a_plan_that_was_not_run_here_is_no_part_of_a_new_one(house: House) -> None:
    await filled(house.tasks, remembered(KNOWN), origin="import")
    for goal, _ in new(40):
        found = await ask(house.tasks, goal)
        assert found.plan is not None
        assert "put together" not in found.explanation
