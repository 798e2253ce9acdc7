import json
from typing import Any

import pytest

from domain.errors import InvalidImport, InvalidWorkspace
from domain.plans import Plan, Step
from memory.exchange import exported, imported
from tests.memory.conftest import Clock, House, failure, success

PLAN = Plan(steps=[Step(id="a", agent="content", task="t", tool="save", effect="write", args={"path": "x"})])


async def filled(house: House) -> list[str]:
    record = success("launch the thing", "content").model_copy(
        update={"plan": PLAN, "versions": {"team": "marketing@3"}, "user": "canary-user", "run": "r1"}
    )
    await house.tasks.remember(record)
    await house.tasks.remember(failure("break the thing", "content"))
    return await exported(house.tasks, "acme")


async def test_tasks_go_round_with_their_versions_and_are_marked(house: House) -> None:
    lines = await filled(house)
    assert "canary-user" not in "".join(lines) and "acme" not in "".join(lines)
    assert await imported(house.tasks, "other", lines) == (2, 0, 0)
    taken = {task.goal: task for task in await house.tasks.list("other")}
    task = taken["launch the thing"]
    assert (task.workspace, task.origin, task.plan) == ("other", "import", PLAN)
    assert (task.versions, task.successes, task.run) == ({"team": "marketing@3"}, 1, "r1")
    assert taken["break the thing"].failures == 1
    assert (await house.tasks.recall("other", "marketing", "launch the thing")).sequence == ["content"]


async def test_importing_twice_changes_nothing(house: House) -> None:
    lines = await filled(house)
    await imported(house.tasks, "other", lines)
    before = await house.tasks.list("other")
    assert await imported(house.tasks, "other", [*lines, "  "]) == (0, 2, 0)
    assert await house.tasks.list("other") == before


async def test_an_import_is_added_to_what_is_known(house: House) -> None:
    lines = await filled(house)
    await house.tasks.remember(
        success("launch the thing", "content", workspace="other").model_copy(update={"run": "x"})
    )
    assert await imported(house.tasks, "other", lines) == (2, 0, 0)
    known = next(t for t in await house.tasks.list("other") if t.goal == "launch the thing")
    assert known.successes == 2


async def test_tasks_keep_their_age_and_are_forgotten_when_they_would_have_been(house: House, clock: Clock) -> None:
    lines = await filled(house)
    born = clock.now
    clock.pass_days(20)
    await imported(house.tasks, "other", lines)
    task = (await house.tasks.list("other"))[0]
    assert (task.created, task.updated) == (born, born)
    clock.pass_days(9.9)
    assert await house.tasks.count("other") == 2
    clock.pass_days(0.1)
    assert await house.tasks.count("other") == 0
    assert await imported(house.tasks, "other", lines) == (0, 0, 2)
    assert (await house.tasks.recall("other", "marketing", "launch the thing")).neighbours == []


async def test_an_old_run_leaves_a_newer_one_its_time_and_its_outcome(house: House, clock: Clock) -> None:
    lines = await filled(house)
    clock.pass_days(20)
    await house.tasks.remember(failure("launch the thing", "content", workspace="other"))
    await imported(house.tasks, "other", lines)
    task = next(t for t in await house.tasks.list("other") if t.goal == "launch the thing")
    assert (task.successes, task.failures, task.last_success, task.updated) == (1, 1, False, clock.now)
    clock.pass_days(29)
    assert await house.tasks.get("other", task.id) == task


@pytest.mark.parametrize(("updated", "age"), [(0.0, 0.0), (9e12, 0.0), (-1.0, None)])
async def test_a_time_that_cannot_be_is_not_taken_over(
    house: House, clock: Clock, updated: float, age: float | None
) -> None:
    line = json.dumps(json.loads((await filled(house))[0]) | {"updated": updated, "created": 9e12})
    await imported(house.tasks, "other", [line])
    found = [(clock.now - task.updated, clock.now - task.created) for task in await house.tasks.list("other")]
    assert found == ([] if age is None else [(age, age)])


async def test_thousands_are_imported(house: House) -> None:
    lines = await filled(house)
    many = [json.dumps(json.loads(lines[0]) | {"goal": f"launch thing {i}"}) for i in range(1100)]
    assert await imported(house.tasks, "other", many) == (1100, 0, 0)
    assert await imported(house.tasks, "other", many) == (0, 1100, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format 1"),
        ({"workspace": "acme"}, "workspace cannot be imported"),
        ({"origin": "run"}, "origin cannot be imported"),
        ({"successes": -1}, "successes"),
        ({"updated": float("nan")}, "updated"),
        ({"seconds": float("inf")}, "seconds"),
        ({"tools": ["send"]}, "tools"),
        ({"plan": {"steps": []}}, "plan.steps"),
        ({"goal": " "}, "goal"),
        ({"goal": "launch the thing again and again, until nothing is left of it \ud800"}, "whole characters"),
        ({"goal": "x" * 20_001}, "goal"),
        ({"successes": 10**400}, "runs"),
        ({"failures": 1_000_001}, "runs"),
        ({"plan": PLAN.model_dump(), "sequence": ["another"]}, "sequence"),
    ],
)
async def test_a_bad_line_is_named_and_nothing_is_taken_in(house: House, change: dict[str, Any], message: str) -> None:
    good, other = await filled(house)
    bad = json.dumps(json.loads(other) | change)
    with pytest.raises(InvalidImport, match=f"line 2: .*{message}"):
        await imported(house.tasks, "other", [good, bad])
    assert await house.tasks.list("other") == []


@pytest.mark.parametrize("line", ["{", "[]", "nonsense", "null", "[" * 100_000])
async def test_what_is_no_json_object_is_told(house: House, line: str) -> None:
    with pytest.raises(InvalidImport, match="line 1"):
        await imported(house.tasks, "other", [line])


async def test_a_workspace_is_wanted(house: House) -> None:
    for door in (exported(house.tasks, "a:b"), imported(house.tasks, "", [])):
        with pytest.raises(InvalidWorkspace):
            await door
