import json
from typing import Any

import pytest

from domain.errors import InvalidImport, InvalidWorkspace
from domain.plans import Plan, Step
from memory.exchange import exported, imported
from tests.memory.conftest import House, failure, success

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
    assert await imported(house.tasks, "other", lines) == 2
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
    assert await imported(house.tasks, "other", [*lines, "  "]) == 0
    assert await house.tasks.list("other") == before


async def test_an_import_is_added_to_what_is_known(house: House) -> None:
    lines = await filled(house)
    await house.tasks.remember(
        success("launch the thing", "content", workspace="other").model_copy(update={"run": "x"})
    )
    assert await imported(house.tasks, "other", lines) == 2
    known = next(t for t in await house.tasks.list("other") if t.goal == "launch the thing")
    assert known.successes == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format 1"),
        ({"workspace": "acme"}, "workspace cannot be imported"),
        ({"origin": "run"}, "origin cannot be imported"),
        ({"successes": -1}, "successes"),
        ({"tools": ["send"]}, "tools"),
        ({"plan": {"steps": []}}, "plan.steps"),
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
