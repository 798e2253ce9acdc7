"""How the tasks in view stay true to records and index: at opening, past their time, and for other processes."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from memory import changes
from memory.changes import NOTED
from memory.encoders import Encoder, Vectors
from memory.index import ChromaIndex
from memory.queued import QueuedRecords
from memory.records import Records, Value
from memory.redis import RedisRecords
from memory.task_record import TASK_RUN
from memory.tasks import TaskMemory
from tests.memory.conftest import Clock, House, OpenHouse, failure, success
from tests.memory.requests import requests, successes
from tests.redis_server import RedisServer

BLOG = "Write a blog about bees"


@dataclass
class Listening:
    """An encoder that notes what it encodes."""

    encoder: Encoder
    id: str = "wordllama"
    dimension: int = 256
    heard: list[str] = field(default_factory=list)

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.heard += texts
        return self.encoder.encode(texts)


@pytest.fixture
def listening(wordllama: Encoder) -> Listening:
    return Listening(wordllama)


async def test_opening_encodes_nothing_that_is_in_the_index(house: House, listening: Listening, clock: Clock) -> None:
    await house.tasks.remember_many("acme", successes(requests()))
    await house.close()
    again = await House.open(house.folder, listening, clock)
    assert await again.tasks.success_rate("acme", "music") == 1.0
    assert listening.heard == []
    await again.close()


async def test_opening_encodes_what_the_index_lacks(house: House, listening: Listening, clock: Clock) -> None:
    await house.tasks.remember_many("acme", successes(requests()))
    lost = (await house.tasks.remember(success(BLOG, "writer"))).id
    await house.index.delete("acme", [lost])
    await house.close()
    again = await House.open(house.folder, listening, clock)
    assert (await again.tasks.search("acme", BLOG, 1))[0].task == lost
    assert listening.heard[0] == BLOG
    assert lost in await again.index.ids("acme")
    await again.close()


async def test_an_ask_is_encoded_once(house: House, listening: Listening, clock: Clock) -> None:
    await house.close()
    again = await House.open(house.folder, listening, clock)
    await again.tasks.remember_many("acme", [success(f"Write a blog about {n}", "writer") for n in ("bees", "coal")])
    for goal in ("sing", "dance"):
        await again.tasks.recall("acme", "marketing", goal)
    assert listening.heard.count("Write a blog") == 1
    await again.close()


async def test_numbers_need_no_look_at_every_record(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.tasks.remember(success(BLOG, "writer", "editor"))
    await house.tasks.remember(failure("Write a poem about bees", "poet", "editor"))

    async def refuse(prefix: str) -> list[tuple[str, Value]]:
        raise AssertionError(prefix)

    monkeypatch.setattr(house.records, "scan", refuse)
    monkeypatch.setattr(house.records, "pages", refuse)
    rates = [await house.tasks.success_rate("acme", agent) for agent in ("writer", "poet", "editor", "nobody")]
    assert rates == [1.0, 0.0, 0.5, None]
    assert await house.tasks.count("acme") == 2


async def test_what_is_past_its_time_counts_no_more(house: House, clock: Clock) -> None:
    gone = await house.tasks.remember(success(BLOG, "writer"))
    clock.pass_days(20)
    kept = await house.tasks.remember(failure("Write a poem about bees", "writer"))
    clock.pass_days(10)
    assert await house.tasks.success_rate("acme", "writer") == 0.0
    assert await house.index.ids("acme") == {kept.id} != {gone.id}


async def test_another_run_gives_a_task_its_time_anew(house: House, clock: Clock) -> None:
    for _ in range(2):
        await house.tasks.remember(success(BLOG, "writer"))
        await house.tasks.remember(success("Write a poem about bees", "poet"))
        clock.pass_days(29)
    await house.tasks.remember(success("Write a poem about bees", "poet"))
    clock.pass_days(1)
    assert [await house.tasks.success_rate("acme", agent) for agent in ("writer", "poet")] == [None, 1.0]


async def test_a_rating_gives_a_task_no_more_time(house: House, clock: Clock) -> None:
    task = (await house.tasks.remember(success(BLOG, "writer"))).id
    clock.pass_days(29)
    await house.tasks.rated("acme", task, "r", accepted=True, reward=1.0, succeeded=True)
    clock.pass_days(1)
    assert await house.tasks.get("acme", task) is None


async def test_a_team_with_few_tasks_is_found_among_many_of_another(house: House) -> None:
    many = [success(f"Write a blog about {n} bees", "writer", team="documents") for n in range(700)]
    few = [success(f"Refund order {n}", "refunds") for n in range(3)]
    await house.tasks.remember_many("acme", many + few)
    found = await house.tasks.recall("acme", "marketing", BLOG)
    assert sorted(n.goal for n in found.neighbours) == [f"Refund order {n}" for n in range(3)]


async def test_a_team_without_tasks_has_no_neighbours_in_a_full_workspace(house: House) -> None:
    await house.tasks.remember_many("acme", [success(f"Write blog {n}", "writer", team="documents") for n in range(40)])
    assert (await house.tasks.recall("acme", "marketing", BLOG)).neighbours == []


async def test_tasks_are_listed_by_the_beginning_of_their_ids(house: House) -> None:
    tasks = await house.tasks.remember_many("acme", [success(f"Write blog {n}", "writer") for n in range(20)])
    for beginning in (tasks[3].id, tasks[3].id[:2], ""):
        found = await house.tasks.list("acme", beginning=beginning)
        assert {task.id for task in found} == {task.id for task in tasks if task.id.startswith(beginning)}


async def test_a_reopened_memory_judges_as_before(house: House, reopen: OpenHouse) -> None:
    goal = "Write a blog about wasps"
    await house.tasks.remember_many("acme", [success(BLOG, "writer"), failure("Sing about bees", "singer")])
    before = await house.tasks.recall("acme", "marketing", goal)
    assert await (await reopen()).tasks.recall("acme", "marketing", goal) == before


@pytest.fixture
async def two(
    shared_redis: RedisServer, tmp_path: Path, wordllama: Encoder, clock: Clock
) -> AsyncIterator[tuple[TaskMemory, TaskMemory]]:
    """Two memories on one Redis, each with an index of its own."""
    await shared_redis.empty()
    records: list[Records] = []
    indexes: list[ChromaIndex] = []
    memories = []
    for name in ("a", "b"):
        redis = RedisRecords.open(shared_redis.url, clock=clock)
        merges = [TASK_RUN, NOTED]
        records.append(await QueuedRecords.open(redis, tmp_path / f"{name}.db", merges=merges, clock=clock))
        indexes.append(await ChromaIndex.open(tmp_path / name, wordllama))
        memories.append(TaskMemory(records[-1], indexes[-1], clock=clock, shared=True))
    yield memories[0], memories[1]
    for memory, index, store in zip(memories, indexes, records, strict=True):
        await memory.close()
        await index.close()
        await store.close()


Two = tuple[TaskMemory, TaskMemory]


async def goals(memory: TaskMemory) -> list[str]:
    return sorted(n.goal for n in (await memory.recall("acme", "marketing", BLOG)).neighbours)


async def test_processes_see_what_the_other_remembers(two: Two) -> None:
    ours, theirs = two
    assert await goals(ours) == await goals(theirs) == []
    await theirs.remember(success(BLOG, "writer"))
    assert await goals(ours) == [BLOG]
    await ours.remember(success("Write a poem", "poet"))
    assert await goals(theirs) == await goals(ours) == [BLOG, "Write a poem"]
    await theirs.remember(failure(BLOG, "writer"))
    assert await ours.success_rate("acme", "writer") == 0.5


async def test_processes_see_what_the_other_forgets(two: Two) -> None:
    ours, theirs = two
    task = (await theirs.remember(success(BLOG, "writer"))).id
    await ours.remember(success("Write a poem", "poet"))
    assert await ours.success_rate("acme", "writer") == 1.0
    await theirs.forget("acme", task)
    assert await ours.success_rate("acme", "writer") is None
    assert await goals(ours) == ["Write a poem"]


async def test_processes_see_what_the_other_has_rated(two: Two) -> None:
    ours, theirs = two
    task = (await theirs.remember(success(BLOG, "writer").model_copy(update={"run": "r"}))).id
    assert await ours.success_rate("acme", "writer") == 1.0
    await theirs.rated("acme", task, "r", accepted=False, reward=0.0, succeeded=True)
    assert await ours.success_rate("acme", "writer") == 0.0


async def test_whoever_missed_too_much_reads_everything_anew(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "NAMED", 4)
    ours, theirs = two
    await ours.remember(success("Write a poem", "poet"))
    assert await goals(ours) == ["Write a poem"]
    await theirs.remember_many("acme", [success(f"Write blog {n}", "writer") for n in range(7)])
    assert len(await goals(ours)) == 8
    await theirs.remember(success(BLOG, "writer"))
    assert (await ours.recall("acme", "marketing", BLOG)).neighbours[0].goal == BLOG


async def test_a_redis_that_was_emptied_leaves_nothing_in_view(two: Two, shared_redis: RedisServer) -> None:
    ours, theirs = two
    await theirs.remember(success("Write a poem", "poet"))
    assert await goals(ours) == ["Write a poem"]
    await shared_redis.empty()
    assert await goals(ours) == []
    await theirs.remember(success(BLOG, "writer"))
    assert await goals(ours) == await goals(theirs) == [BLOG]


async def test_the_other_workspace_sees_nothing(two: Two) -> None:
    ours, theirs = two
    await theirs.remember(success(BLOG, "writer"))
    assert (await ours.recall("other", "marketing", BLOG)).neighbours == []
