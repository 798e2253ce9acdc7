import sqlite3
from contextlib import closing

import pytest

from domain.errors import InvalidWorkspace
from domain.plans import Plan, Step
from memory.index import ChromaIndex
from memory.tasks import TaskMemory, goal_hash
from tests.memory.conftest import Clock, House, OpenHouse, failure, success
from tests.memory.test_index import junk

BLOG = "Create a blog post about AI trends"
BLOG_AGAIN = "Write a blog about machine learning"
REFUNDS = "What is the refund policy for enterprise plans?"
IOWA = "How did Iowa's electricity mix change between 2001 and 2017, and what explains it? Write a brief."
IOWA_AGAIN = "Write a brief on how Iowa's power generation mix shifted from 2001 to 2017 and why."


async def test_one_success_routes_a_similar_goal(tasks: TaskMemory) -> None:
    await tasks.remember(success(BLOG, "content", "blog_writer", quality=0.92))
    recall = await tasks.recall("acme", "marketing", BLOG_AGAIN)
    assert (recall.band, recall.sequence) == ("reuse", ["content", "blog_writer"])
    assert recall.confidence > 0.8
    assert [n.goal for n in recall.neighbours] == [BLOG]


@pytest.mark.parametrize(
    ("goal", "band"),
    [
        (REFUNDS, "plan"),
        ("Write a poem about machine learning", "plan"),
        ("Research AI trends", "plan"),
        ("Create a social media campaign about AI trends", "hint"),
        (f"  {BLOG.upper()} ", "reuse"),
    ],
)
async def test_another_kind_of_goal_is_not_routed(tasks: TaskMemory, goal: str, band: str) -> None:
    await tasks.remember(success(BLOG, "content", "blog_writer"))
    assert (await tasks.recall("acme", "marketing", goal)).band == band


@pytest.mark.parametrize(
    ("goal", "band"),
    [(IOWA_AGAIN, "reuse"), ("Summarise the notes on nuclear power", "plan"), ("Compare wind in two states", "plan")],
)
async def test_a_brief_is_recalled_in_other_words(tasks: TaskMemory, goal: str, band: str) -> None:
    await tasks.remember(success(IOWA, "search", "analyse", "summarise", team="documents", quality=0.85))
    assert (await tasks.recall("acme", "documents", goal)).band == band


async def test_the_explanation_names_neighbour_parts_and_what_would_change_it(tasks: TaskMemory) -> None:
    await tasks.remember(success(BLOG, "content", "blog_writer"))
    recall = await tasks.recall("acme", "marketing", BLOG_AGAIN)
    for part in (BLOG, "content → blog_writer", f"{recall.confidence:.2f}", "1 of 1 runs", "would not be reused"):
        assert part in recall.explanation


async def test_the_remembered_plan_comes_worded_for_the_new_goal(tasks: TaskMemory) -> None:
    plan = Plan(steps=[Step(id="write", agent="content", task=f"Do: {BLOG}")])
    await tasks.remember(success(BLOG, "content").model_copy(update={"plan": plan}))
    found = (await tasks.recall("acme", "marketing", BLOG_AGAIN)).plan
    assert found is not None
    assert (found.source, found.steps[0].task) == ("memory", f"Do: {BLOG_AGAIN}")


async def test_a_plan_that_queries_something_else_is_only_a_hint(tasks: TaskMemory) -> None:
    plan = Plan(steps=[Step(id="ask", agent="analyse", task="ask", tool="sql", args={"sql": "state = 'Iowa'"})])
    record = success("Write a brief on wind in Iowa", "analyse").model_copy(update={"plan": plan})
    await tasks.remember(record)
    recall = await tasks.recall("acme", "marketing", "Write a brief on wind in Texas")
    assert (recall.band, recall.confidence) == ("hint", 0.8)
    assert "still for Iowa" in recall.explanation


async def test_runs_of_one_task_are_merged(tasks: TaskMemory, clock: Clock) -> None:
    first = await tasks.remember(success(BLOG, "content", quality=0.9))
    clock.pass_days(1)
    await tasks.remember(success(f"{BLOG.lower()} ", "content", quality=0.7))
    [merged] = await tasks.list("acme")
    assert (merged.id, merged.successes, merged.failures) == (first.id, 2, 0)
    assert merged.quality == pytest.approx(0.8)
    assert merged.updated - merged.created == 86400


async def test_a_failure_demotes_and_keeps_the_plan_that_worked(tasks: TaskMemory) -> None:
    plan = Plan(steps=[Step(id="write", agent="content", task="write")])
    await tasks.remember(success(BLOG, "content").model_copy(update={"plan": plan}))
    merged = await tasks.remember(failure(BLOG, "content"))
    assert (merged.successes, merged.failures, merged.plan) == (1, 1, plan)
    assert (await tasks.recall("acme", "marketing", BLOG)).band == "plan"


async def test_a_failed_task_is_kept_but_offers_no_route(tasks: TaskMemory) -> None:
    await tasks.remember(failure(BLOG, "content"))
    recall = await tasks.recall("acme", "marketing", BLOG)
    assert (recall.confidence, recall.sequence, recall.plan) == (0.0, [], None)
    assert [n.success for n in recall.neighbours] == [False]


async def test_only_tasks_of_the_same_team_are_recalled(tasks: TaskMemory) -> None:
    for i in range(40):
        await tasks.remember(success(f"{BLOG} part {i}", "other", team="documents"))
    await tasks.remember(success(REFUNDS, "content"))
    recall = await tasks.recall("acme", "marketing", BLOG, limit=3)
    assert [n.goal for n in recall.neighbours] == [REFUNDS]
    assert len(await tasks.search("acme", BLOG, 3)) == 3


async def test_a_secret_of_one_workspace_is_behind_no_door_of_another(tasks: TaskMemory) -> None:
    secret = await tasks.remember(success("launch project canary-7f3a", "content", workspace="acme"))
    await tasks.remember(success("launch something", "content", workspace="other"))
    for workspace in ("other", "acm", "acme-", "ACME", "a"):
        seen = [
            await tasks.recall(workspace, "marketing", "launch project canary-7f3a"),
            await tasks.search(workspace, "launch project canary-7f3a"),
            await tasks.list(workspace),
            await tasks.get(workspace, secret.id),
        ]
        assert "canary-7f3a" not in repr(seen)
        assert await tasks.forget(workspace, secret.id) is False
    assert await tasks.get("acme", secret.id) == secret


@pytest.mark.parametrize("name", ["", "a:b", "../x", "a b", "-a", "x" * 65, "a\n", "é"])
async def test_a_bad_workspace_name_is_refused_at_every_door(tasks: TaskMemory, name: str) -> None:
    for door in (
        tasks.recall(name, "marketing", BLOG), tasks.search(name, BLOG), tasks.list(name), tasks.get(name, "x"),
        tasks.forget(name, "x"), tasks.count(name), tasks.reindex(name), tasks.remember(success(BLOG, workspace=name)),
    ):  # fmt: skip
        with pytest.raises(InvalidWorkspace):
            await door


async def test_forget_leaves_no_byte_of_the_goal(house: House) -> None:
    kept = await house.tasks.remember(success("keep this", "content"))
    gone = await house.tasks.remember(success("launch project canary-7f3a", "content"))
    assert b"canary-7f3a" in house.bytes_of_files()
    assert await house.tasks.forget("acme", gone.id) is True
    assert b"canary-7f3a" not in house.bytes_of_files()
    assert [n.task for n in (await house.tasks.recall("acme", "marketing", "canary-7f3a")).neighbours] == [kept.id]
    assert (await house.tasks.forget("acme", gone.id), await house.tasks.count("acme")) == (False, 1)


async def test_expired_tasks_leave_recall_and_index(house: House, clock: Clock) -> None:
    await house.tasks.remember(success(BLOG, "content"))
    clock.pass_days(29)
    await house.tasks.remember(success(REFUNDS, "content"))
    clock.pass_days(1)
    recall = await house.tasks.recall("acme", "marketing", BLOG)
    assert [n.goal for n in recall.neighbours] == [REFUNDS]
    assert await house.index.ids("acme") == {goal_hash("marketing", REFUNDS, ["content"])}


async def test_old_evidence_is_trusted_less(tasks: TaskMemory, clock: Clock) -> None:
    await tasks.remember(success(BLOG, "content"))
    fresh = await tasks.recall("acme", "marketing", BLOG)
    clock.pass_days(20)
    assert 0.7 < (await tasks.recall("acme", "marketing", BLOG)).confidence < fresh.confidence


async def test_everything_is_recalled_after_a_restart(reopen: OpenHouse) -> None:
    await (await reopen()).tasks.remember(success(BLOG, "content", "blog_writer"))
    assert (await (await reopen()).tasks.recall("acme", "marketing", BLOG_AGAIN)).band == "reuse"


async def test_a_corrupt_index_is_rebuilt_from_the_records(reopen: OpenHouse) -> None:
    house = await reopen()
    await house.tasks.remember(success(BLOG, "content", "blog_writer"))
    await house.tasks.remember(success(REFUNDS, "support", workspace="other"))
    await house.close()
    for file in (house.folder / "index").rglob("*.sqlite3"):
        junk(file)
    tasks = (await reopen()).tasks
    assert (await tasks.recall("acme", "marketing", BLOG_AGAIN)).band == "reuse"
    assert (await tasks.recall("other", "marketing", REFUNDS)).band == "reuse"


async def test_an_index_that_breaks_while_open_is_rebuilt(house: House) -> None:
    await house.tasks.remember(success(BLOG, "content", "blog_writer"))
    with closing(sqlite3.connect(next((house.folder / "index").rglob("*.sqlite3")))) as database:
        database.execute("DROP TABLE embeddings_queue")
        database.commit()
    await house.tasks.remember(success(REFUNDS, "support"))
    assert (await house.tasks.recall("acme", "marketing", BLOG_AGAIN)).band == "reuse"
    assert await house.index.count("acme") == 2


async def test_an_index_that_disagrees_is_mended_at_first_use(reopen: OpenHouse, house: House) -> None:
    stored = await house.tasks.remember(success(BLOG, "content"))
    vector = house.index.encoder.encode(["stray"])
    await house.index.delete("acme", [stored.id])
    await house.index.add("acme", ["stray"], vector)
    again = await reopen()
    assert [n.task for n in (await again.tasks.recall("acme", "marketing", BLOG)).neighbours] == [stored.id]
    assert await again.index.ids("acme") == {stored.id}


async def test_reindex_fills_the_index_anew(house: House) -> None:
    await house.tasks.remember(success(BLOG, "content"))
    await house.index.renew()
    assert await house.tasks.reindex("acme") == 1
    assert (await house.tasks.recall("acme", "marketing", BLOG)).band == "reuse"


async def test_a_task_in_memory_is_data(tasks: TaskMemory) -> None:
    odd = "Write a blog about {goal} %s \\1 ${x} <script> '; DROP TABLE entries; --"
    await tasks.remember(success(odd, "content"))
    recall = await tasks.recall("acme", "marketing", odd)
    assert recall.neighbours[0].goal == odd
    assert repr(odd[:80]) in recall.explanation


async def test_the_index_holds_no_text(house: House, reopen: OpenHouse) -> None:
    await house.tasks.remember(success("launch project canary-7f3a", "content"))
    await house.close()
    index = b"".join(path.read_bytes() for path in (house.folder / "index").rglob("*") if path.is_file())
    assert b"canary-7f3a" not in index
    assert isinstance(house.index, ChromaIndex)


async def test_the_success_rate_of_an_agent_comes_from_its_runs(tasks: TaskMemory) -> None:
    assert await tasks.success_rate("acme", "content") is None
    await tasks.remember(success(BLOG, "content"))
    await tasks.remember(success("Write a poem", "content").model_copy(update={"successes": 0, "failures": 1}))
    assert await tasks.success_rate("acme", "content") == 0.5
