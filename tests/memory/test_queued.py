"""Redis goes away and comes back: nothing is lost, doubled or out of order, and nobody is told a guess."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from domain.effects import EffectCall
from domain.errors import StorageAway
from memory.changes import NOTED
from memory.effects import FIRST_RESULT, EffectLedger
from memory.outbox import Outbox
from memory.queued import BATCH, QueuedRecords
from memory.records import Change, Merge, Records, Value
from memory.redis import RedisRecords
from memory.sqlite import SqliteRecords
from memory.tasks import TASK_RUN, TaskMemory
from memory.writes import Write
from tests.memory.conftest import Clock, House, success
from tests.redis_proxy import Proxy
from tests.redis_server import RedisServer

NOTE = Merge("note", lambda present, change: {"notes": [*(present or {"notes": []})["notes"], *change["notes"]]})
MERGES = (NOTE, TASK_RUN, FIRST_RESULT, NOTED)


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


async def opened(url: SecretStr, outbox: Path, clock: Clock) -> QueuedRecords:
    return await QueuedRecords.open(RedisRecords.open(url, clock=clock), outbox, merges=MERGES, clock=clock)


@pytest.fixture
async def proxy(shared_redis: RedisServer) -> AsyncIterator[Proxy]:
    """What stands between the records and a server that stays up."""
    await shared_redis.empty()
    async with Proxy.before(shared_redis.socket) as proxy:
        yield proxy


@pytest.fixture
async def records(proxy: Proxy, outbox: Path, clock: Clock) -> AsyncIterator[QueuedRecords]:
    records = await opened(proxy.url, outbox, clock)
    yield records
    await records.close()


@pytest.fixture
async def other(shared_redis: RedisServer, proxy: Proxy) -> AsyncIterator[RedisRecords]:
    """Another process's view of the same server."""
    other = RedisRecords.open(shared_redis.url)
    yield other
    await other.close()


async def test_a_killed_server_gets_everything_when_it_is_back(
    redis_server: RedisServer, outbox: Path, clock: Clock
) -> None:
    records = await opened(redis_server.url, outbox, clock)
    assert [await records.append("log", {"n": n}) for n in (1, 2)] == [1, 2]
    redis_server.kill()
    assert [await records.append("log", {"n": n}) for n in (3, 4)] == [3, 4]
    await records.put("k", {"n": 1})
    assert await records.queued() == 3
    redis_server.start()
    assert await records.read("log") == [(n, {"n": n}) for n in (1, 2, 3, 4)]
    assert (await records.get("k"), await records.queued(), records.absence) == ({"n": 1}, 0, None)
    await records.close()


async def test_more_than_one_batch_arrives_in_order(records: QueuedRecords, proxy: Proxy) -> None:
    await proxy.cut()
    many = 2 * BATCH + 10
    for n in range(many):
        await (records.merge("notes", {"notes": [n]}, NOTE) if n % 50 == 0 else records.append("log", {"n": n}))
    await proxy.restore()
    assert await records.deliver()
    assert [entry["n"] for _, entry in await records.read("log")] == [n for n in range(many) if n % 50]
    assert await records.get("notes") == {"notes": list(range(0, many, 50))}


async def test_it_is_delivered_without_anybody_asking(
    records: QueuedRecords, proxy: Proxy, other: RedisRecords
) -> None:
    await proxy.cut()
    await records.put("k", {"n": 1})
    await proxy.restore()
    assert records._courier is not None
    await records._courier
    assert await other.get("k") == {"n": 1}


WRITES: dict[str, Callable[[Records], Awaitable[Any]]] = {
    "put": lambda r: r.put("k", {"notes": ["mine"]}),
    "delete": lambda r: r.delete("k"),
    "add": lambda r: r.add("k", 3),
    "append": lambda r: r.append("k", {"n": 1}),
    "merge": lambda r: r.merge("k", {"notes": ["mine"]}, NOTE),
    "drop": lambda r: r.drop("k"),
}


async def everything(records: Records) -> Any:
    return await records.get("k"), await records.read("k"), await records.add("k", 0)


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_whose_answer_was_lost_happens_once(
    records: QueuedRecords, proxy: Proxy, other: RedisRecords, tmp_path: Path, name: str
) -> None:
    reference = await SqliteRecords.open(tmp_path / "reference.sqlite")
    for each in (reference, other):
        await each.put("k", {"notes": ["before"]})
        await each.append("k", {"n": 0})
        await WRITES[name](each)
    await proxy.swallow_answers()
    await WRITES[name](reference)
    await WRITES[name](records)
    assert (proxy.swallowed > 0, await records.queued()) == (True, 1)
    await proxy.restore()
    assert await records.deliver()
    assert await everything(records) == await everything(reference)
    await reference.close()


@pytest.mark.parametrize("name", WRITES)
async def test_a_crash_between_delivery_and_its_note_repeats_nothing(
    records: QueuedRecords, proxy: Proxy, other: RedisRecords, outbox: Path, clock: Clock, name: str
) -> None:
    await other.put("k", {"notes": ["before"]})
    await proxy.cut()
    await WRITES[name](records)
    await records.close()
    left = await Outbox.open(outbox)
    ((_, write),) = await left.first(5)
    await (other.apply_merges([write], {"note": NOTE}) if write.kind == "merge" else other.apply([write]))
    await left.close()
    before = await everything(other)
    await proxy.restore()
    later = await opened(proxy.url, outbox, clock)
    assert (await everything(later), await later.queued()) == (before, 0)
    await later.close()


ANSWERS: dict[str, tuple[list[str], Any]] = {
    "put": (["put"], {"notes": ["mine"]}),
    "deleted": (["put", "delete"], None),
    "put and merged": (["put", "merge"], {"notes": ["mine", "mine"]}),
    "merged into what Redis has": (["merge"], StorageAway),
    "never written": ([], StorageAway),
    "of a counter and a log": (["add", "append"], StorageAway),
}


@pytest.mark.parametrize(("names", "answer"), ANSWERS.values(), ids=ANSWERS)
async def test_get_answers_only_what_the_queue_decides(
    records: QueuedRecords, proxy: Proxy, names: list[str], answer: Any
) -> None:
    await proxy.cut()
    for name in names:
        await WRITES[name](records)
    if answer is StorageAway:
        with pytest.raises(StorageAway):
            await records.get("k")
    else:
        assert await records.get("k") == answer


ASKS: dict[str, Callable[[Records], Awaitable[Any]]] = {
    "scan": lambda r: r.scan(""),
    "read": lambda r: r.read("log"),
    "compare_and_set": lambda r: r.compare_and_set("k", None, {}),
}


@pytest.mark.parametrize("name", ASKS)
async def test_what_only_redis_knows_is_refused_while_it_is_away(
    records: QueuedRecords, proxy: Proxy, name: str
) -> None:
    await proxy.cut()
    await records.put("k", {"n": 1})
    with pytest.raises(StorageAway, match="Redis at .* is away"):
        await ASKS[name](records)
    assert await records.queued() == 1


async def test_numbers_go_on_from_the_last_known_ones(records: QueuedRecords, proxy: Proxy) -> None:
    await records.append("log", {})
    await records.add("visits", 5)
    await proxy.cut()
    assert [await records.append("log", {}), await records.append("new", {}), await records.add("visits", 2)] == [
        2,
        1,
        7,
    ]
    await proxy.restore()
    assert [await records.append("log", {}), await records.add("visits")] == [3, 8]


async def test_entries_appended_together_wait_and_arrive_together(
    records: QueuedRecords, proxy: Proxy, other: RedisRecords
) -> None:
    entries = [{"n": n} for n in range(6)]
    assert await records.append_many("log", entries[:2]) == 2
    await proxy.cut()
    assert await records.append_many("log", entries[2:5]) == 5
    assert await records.append("log", entries[5]) == 6
    await proxy.restore()
    assert await records.deliver()
    assert await other.read("log") == list(enumerate(entries, 1))


async def test_numbers_go_on_after_a_restart(records: QueuedRecords, proxy: Proxy, outbox: Path, clock: Clock) -> None:
    await proxy.cut()
    await records.append("log", {})
    await records.close()
    later = await opened(proxy.url, outbox, clock)
    assert [await later.append("log", {}), await later.queued()] == [2, 2]
    await later.close()


async def test_waiting_takes_off_the_time_to_live(records: QueuedRecords, proxy: Proxy, clock: Clock) -> None:
    await proxy.cut()
    await records.put("short", {}, ttl=100)
    await records.put("long", {"n": 1}, ttl=100_000)
    clock.now += 100
    assert await records.get("short") is None
    await proxy.restore()
    await records.deliver()
    async with asyncio.timeout(5):
        while await records.get("short"):  # it is gone a millisecond after it came
            pass
    assert [key for key, _ in await records.scan("")] == ["long"]


def kept(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("outbox*"))


async def test_deleted_text_leaves_the_queue(records: QueuedRecords, proxy: Proxy, tmp_path: Path) -> None:
    await proxy.cut()
    await records.put("k", {"text": "canary-one"})
    await records.append("log", {"text": "canary-two"})
    assert await records.delete("k")
    await records.drop("log")
    assert (b"canary" in kept(tmp_path), await records.queued()) == (False, 2)


async def test_delivered_text_leaves_the_queue(records: QueuedRecords, proxy: Proxy, tmp_path: Path) -> None:
    await proxy.cut()
    await records.put("k", {"text": "canary"})
    await proxy.restore()
    await records.deliver()
    assert b"canary" not in kept(tmp_path)


async def test_the_status_says_since_when_and_how_many(records: QueuedRecords, proxy: Proxy, clock: Clock) -> None:
    assert (records.absence, await records.degraded()) == (None, [])
    await proxy.cut()
    await records.put("k", {})
    assert records.absence is not None
    assert records.absence.since == clock.now
    (told,) = await records.degraded()
    assert told.startswith(f"Redis at {proxy.socket} is away")
    assert "2023-11-14" in told or "2023-11-15" in told
    assert "1 write(s) wait on disk and are delivered later" in told


async def test_another_process_is_not_overwritten(records: QueuedRecords, proxy: Proxy, other: RedisRecords) -> None:
    await records.merge("k", {"notes": [1]}, NOTE)
    await proxy.cut()
    await records.merge("k", {"notes": [3]}, NOTE)
    await other.merge("k", {"notes": [2]}, NOTE)
    await proxy.restore()
    assert await records.get("k") == {"notes": [1, 2, 3]}


async def test_tasks_are_remembered_and_found_when_it_is_back(
    house: House, records: QueuedRecords, proxy: Proxy
) -> None:
    tasks = TaskMemory(records, house.index, shared=True)
    first = await tasks.remember(success("Write a post about tea", "writer"))
    await proxy.cut()
    await tasks.remember(success("Write a post about tea", "writer"))
    await tasks.remember(success("Translate the minutes", "translator"))
    with pytest.raises(StorageAway):
        await tasks.recall("acme", "marketing", "Write a post about tea")
    assert await tasks.success_rate("acme", "writer") is None
    await proxy.restore()
    found = await tasks.list("acme")
    assert sorted((task.goal, task.successes) for task in found) == [
        ("Translate the minutes", 1),
        ("Write a post about tea", 2),
    ]
    assert (await tasks.recall("acme", "marketing", "Write a post about tea")).neighbours[0].task == first.id


async def test_a_memory_first_opened_while_away_finds_its_tasks_later(
    house: House, records: QueuedRecords, proxy: Proxy
) -> None:
    tasks = TaskMemory(records, house.index, shared=True)
    await proxy.cut()
    await tasks.remember(success("Translate the minutes", "translator"))
    await proxy.restore()
    assert [near.goal for near in await tasks.search("acme", "Translate the minutes")] == ["Translate the minutes"]


async def test_an_effect_is_not_begun_while_nobody_can_claim_it(records: QueuedRecords, proxy: Proxy) -> None:
    await proxy.cut()
    happened = []

    async def act() -> Value:
        happened.append(1)
        return {}

    with pytest.raises(StorageAway):
        await EffectLedger(records).once("acme", "key", EffectCall(), act)
    assert happened == []


async def test_an_effect_that_has_happened_is_recorded_later(records: QueuedRecords, proxy: Proxy) -> None:
    async def act() -> Value:
        await proxy.cut()
        return {"sent": 1}

    ledger = EffectLedger(records)
    send = EffectCall(run="r", description="Send")
    assert await ledger.once("acme", "key", send, act) == ({"sent": 1}, False)
    await proxy.restore()
    assert await ledger.once("acme", "key", send, act) == ({"sent": 1}, True)
    assert [(entry.state, entry.effect.description) for entry in await ledger.of_run("acme", "r")] == [("done", "Send")]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from([*WRITES, "cut", "swallow", "restore"]), max_size=25))
async def test_whatever_happens_it_ends_like_storage_that_never_left(
    proxy: Proxy, shared_redis: RedisServer, tmp_path: Path, clock: Clock, steps: list[str]
) -> None:
    await proxy.restore()
    await shared_redis.empty()
    reference = await SqliteRecords.open(tmp_path / "reference.sqlite")
    await reference.delete("k")
    await reference.drop("k")
    await reference.add("k", -await reference.add("k", 0))
    records = await opened(proxy.url, tmp_path / "outbox.sqlite", clock)
    for step in steps:
        if step in WRITES:
            await WRITES[step](reference)
            await WRITES[step](records)
        else:
            await {"cut": proxy.cut, "swallow": proxy.swallow_answers, "restore": proxy.restore}[step]()
    await proxy.restore()
    assert await everything(records) == await everything(reference)
    await records.close()
    await reference.close()


def notes(*pairs: tuple[str, int], ttl: float | None = None) -> list[Change]:
    return [Change(key, {"notes": [n]}, NOTE, ttl) for key, n in pairs]


async def test_many_merges_wait_together_and_arrive_in_order(
    records: QueuedRecords, proxy: Proxy, other: RedisRecords
) -> None:
    await other.put("a", {"notes": [0]})
    await proxy.cut()
    found = await records.merge_many(notes(("a", 1), ("b", 2), ("a", 3)))
    assert found == [{"notes": [1]}, {"notes": [2]}, {"notes": [1, 3]}]  # as far as it is known here
    assert (await records.merge("b", {"notes": [4]}, NOTE), await records.queued()) == ({"notes": [4]}, 4)
    await proxy.restore()
    assert await records.get_many(["a", "b"]) == [{"notes": [0, 1, 3]}, {"notes": [2, 4]}]


async def test_what_waits_answers_for_many_as_for_one(records: QueuedRecords, proxy: Proxy) -> None:
    await proxy.cut()
    await records.put("a", {"n": 1})
    await records.delete("b")
    assert await records.get_many(["b", "a"]) == [None, {"n": 1}]
    for ask in (records.get_many(["a", "unknown"]), records.count("a"), anext(aiter(records.pages("a")))):
        with pytest.raises(StorageAway):
            await ask


async def test_merges_sent_together_happen_once_however_they_are_sent_again(other: RedisRecords) -> None:
    writes = [Write("w", i, "merge", key, f'{{"notes":[{i}]}}', None, "note") for i, key in enumerate("aba", 1)]
    hows = {"note": NOTE}
    await other.apply_merges(writes, hows)
    await other.apply_merges(writes, hows)  # after a lost answer
    for write in writes:  # or out of the queue
        await other.apply_merges([write], hows)
    assert await other.get_many(["a", "b"]) == [{"notes": [1, 3]}, {"notes": [2]}]
