from collections.abc import Sequence

import pytest

from domain.errors import InvalidWorkspace
from domain.plans import Plan, Step
from memory.recipes import MAX_PATTERNS, MIN_SUCCESSES, Recipe, Recipes
from tests.memory.conftest import Clock, House
from tests.memory.test_episodes import episode

TOPICS = ("AI trends", "wind power", "old maps")
SEQUENCE = ("research", "writer")


@pytest.fixture
def recipes(house: House, clock: Clock) -> Recipes:
    return Recipes(house.records, clock=clock)


def blog(topic: str) -> str:
    return f"Write a blog about {topic} for teachers"


def plan_for(goal: str, **args: object) -> Plan:
    return Plan(steps=[Step(id="look", agent="research", task=f"Look into: {goal}", tool="search", args=args)])


async def learn(
    recipes: Recipes, goal: str, *, success: bool = True, run: str = "", plan: Plan | None = None, recipe: str = ""
) -> Recipe | None:
    done = episode(run or goal, *SEQUENCE, goal=goal, task=f"task of {goal}", success=success, recipe=recipe)
    return await recipes.learn("acme", done, plan or plan_for(goal))


async def learn_blogs(recipes: Recipes, topics: Sequence[str] = TOPICS) -> Recipe:
    learnt = [await learn(recipes, blog(t), plan=plan_for(blog(t), query=t)) for t in topics]
    assert learnt[-1] is not None
    return learnt[-1]


async def test_a_recipe_is_recognised_from_repeated_similar_successes(recipes: Recipes) -> None:
    for number, topic in enumerate(TOPICS, start=1):
        learnt = await learn(recipes, blog(topic))
        assert learnt is not None
        assert learnt.ready is (number >= MIN_SUCCESSES)
    [pattern] = await recipes.patterns("acme")
    assert (pattern.name, pattern.successes) == ("write a blog about {topic} for teachers", 3)


async def test_it_is_adapted_to_a_new_goal(recipes: Recipes) -> None:
    await learn_blogs(recipes)
    found = await recipes.adapted("acme", "marketing", blog("coral reefs"))
    assert found is not None
    assert found.slots == {"topic": "coral reefs"}
    step = found.plan.steps[0]
    assert (found.plan.source, step.task) == ("recipe", f"Look into: {blog('coral reefs')}")
    assert step.args == {"query": "coral reefs"}
    assert found.plan.confidence == pytest.approx(3.5 / 4)
    for part in ("write a blog about {topic}", "research → writer", "3 of 3", "coral reefs"):
        assert part in found.explanation


@pytest.mark.parametrize(
    ("team", "goal"),
    [("other", blog("bees")), ("marketing", "Write a poem about bees for teachers"), ("marketing", "Buy bees")],
    ids=["another team", "another frame", "another thing"],
)
async def test_it_is_not_offered_for_anything_else(recipes: Recipes, team: str, goal: str) -> None:
    await learn_blogs(recipes)
    assert await recipes.adapted("acme", team, goal) is None


async def test_two_successes_are_no_recipe(recipes: Recipes) -> None:
    await learn_blogs(recipes, TOPICS[:2])
    assert await recipes.adapted("acme", "marketing", blog("bees")) is None


async def test_one_goal_often_is_no_recipe(recipes: Recipes) -> None:
    for run in "abcde":
        await learn(recipes, blog("bees"), run=run)
    assert await recipes.adapted("acme", "marketing", blog("wasps")) is None


async def test_a_run_counts_once(recipes: Recipes) -> None:
    await learn(recipes, blog("bees"), run="a")
    again = await learn(recipes, blog("bees"), run="a")
    assert again is not None and again.successes == 1


async def test_a_failure_demotes_and_two_successes_promote(recipes: Recipes) -> None:
    recipe = await learn_blogs(recipes, [f"topic {letter}" for letter in "abcdefghij"])
    ready = []
    for number, success in enumerate([False, True, True]):
        after = await learn(recipes, blog(f"case {number}"), success=success, recipe=recipe.id)
        assert after is not None
        ready.append(after.ready)
    assert ready == [False, False, True]


async def test_a_recipe_whose_plan_was_replaced_has_failed(recipes: Recipes) -> None:
    recipe = await learn_blogs(recipes)
    replaced = episode("r", "writer", goal=blog("bees"), recipe=recipe.id)
    after = await recipes.learn("acme", replaced, plan_for("x"))
    assert after is not None and (after.id, after.failures, after.ready) == (recipe.id, 1, False)


async def test_a_failure_of_something_unknown_teaches_no_pattern(recipes: Recipes) -> None:
    assert await learn(recipes, blog("bees"), success=False) is None
    assert await recipes.patterns("acme") == []


async def test_a_plan_that_names_something_else_is_not_offered(recipes: Recipes) -> None:
    for topic in TOPICS:
        await learn(recipes, blog(topic), plan=plan_for(topic, sql="state = 'Iowa' AND year = 2017"))
    assert await recipes.adapted("acme", "marketing", blog("bees")) is not None  # Iowa is of the plan, not the goal
    await learn(recipes, blog("Iowa in 2017"), plan=plan_for("x", sql="state = 'Iowa' AND year = 2017"))
    assert await recipes.adapted("acme", "marketing", blog("bees")) is None


async def test_the_least_useful_pattern_goes_first(recipes: Recipes, house: House, clock: Clock) -> None:
    kept = await learn_blogs(recipes)
    for number in range(1, MAX_PATTERNS):
        copy = kept.model_copy(update={"id": f"p{number}", "successes": 1, "updated": clock.now + number})
        await house.records.put(f"memory:pattern:acme:p{number}", copy.model_dump(mode="json"))
    clock.pass_days(1)
    await learn(recipes, "Paint the old fence green")
    ids = [p.id for p in await recipes.patterns("acme")]
    assert (len(ids), ids[0], "p1" in ids, "p2" in ids) == (MAX_PATTERNS, kept.id, False, True)


async def test_forgetting_a_task_leaves_no_byte_of_it(recipes: Recipes, house: House) -> None:
    await learn_blogs(recipes, ["canary-2b7e", *TOPICS])
    assert b"canary-2b7e" in house.bytes_of_files()
    assert await recipes.forget("acme", f"task of {blog('canary-2b7e')}") == 1
    assert b"canary-2b7e" not in house.bytes_of_files()
    assert [p.name for p in await recipes.patterns("acme")] == ["write a blog about {topic} for teachers"]
    assert await recipes.forget("acme", f"task of {blog(TOPICS[-1])}") == 1
    assert await recipes.patterns("acme") == []


async def test_another_workspace_sees_nothing(recipes: Recipes) -> None:
    recipe = await learn_blogs(recipes)
    assert await recipes.adapted("acme", "marketing", blog("bees")) is not None  # now it is cached, too
    for other in ("other", "acm", "ACME"):
        assert await recipes.patterns(other) == []
        assert await recipes.adapted(other, "marketing", blog("bees")) is None
        assert await recipes.forget(other, recipe.example.task) == 0


@pytest.mark.parametrize("name", ["", "a:b"])
async def test_a_bad_workspace_name_is_refused(recipes: Recipes, name: str) -> None:
    for door in (
        recipes.patterns(name), recipes.adapted(name, "t", "g"), recipes.forget(name, "t"),
        recipes.learn(name, episode("a"), plan_for("x")),
    ):  # fmt: skip
        with pytest.raises(InvalidWorkspace):
            await door
