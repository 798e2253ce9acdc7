"""What every adapter of the records port must do."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import StorageCorrupt, StorageFull
from memory.queued import QueuedRecords
from memory.records import Change, Merge, Records, Value
from memory.redis import RedisRecords
from memory.sqlite import SqliteRecords
from tests.memory.conftest import Clock
from tests.redis_server import RedisServer

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=4)
KEYS = st.text(alphabet="ab:%_*?[é", min_size=1, max_size=6)


def _joined(present: Value | None, change: Value) -> Value:
    return {"all": [*(present or {"all": []})["all"], *change["all"]]}


def _broken(present: Value | None, change: Value) -> Value:
    raise ZeroDivisionError


JOIN = Merge("join", _joined)
LATEST = Merge("latest", lambda _, change: change)
BROKEN = Merge("broken", _broken)

Elapse = Callable[[float], Awaitable[None]]


@dataclass
class Store:
    records: Records
    elapse: Elapse
    """Let seconds pass."""


async def _sqlite(request: pytest.FixtureRequest, folder: Path, clock: Clock) -> Store:
    async def elapse(seconds: float) -> None:
        clock.now += seconds

    return Store(await SqliteRecords.open(folder / "records.db", clock=clock), elapse)


async def _redis(request: pytest.FixtureRequest, folder: Path, clock: Clock) -> Store:
    server: RedisServer = request.getfixturevalue("shared_redis")
    await server.empty()
    return Store(RedisRecords.open(server.url, clock=clock), server.age)


async def _queued(request: pytest.FixtureRequest, folder: Path, clock: Clock) -> Store:
    server: RedisServer = request.getfixturevalue("shared_redis")
    await server.empty()
    redis = RedisRecords.open(server.url, clock=clock)
    merges = [JOIN, LATEST, BROKEN]
    return Store(await QueuedRecords.open(redis, folder / "outbox.db", merges=merges, clock=clock), server.age)


@pytest.fixture(params=[_sqlite, _redis, _queued], ids=["sqlite", "redis", "queued"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    store: Store = await request.param(request, tmp_path, clock)
    yield store
    await store.records.close()


@pytest.fixture
def records(store: Store) -> Records:
    return store.records


@pytest.fixture
def elapse(store: Store) -> Elapse:
    return store.elapse


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=OBJECTS)
async def test_returns_what_was_put(records: Records, value: dict[str, Any]) -> None:
    await records.put("k", value)
    assert await records.get("k") == value


async def test_an_unknown_key_has_no_value(records: Records) -> None:
    assert await records.get("k") is None


async def test_put_replaces_value_and_expiry(records: Records, elapse: Elapse) -> None:
    await records.put("k", {"n": 1}, ttl=100)
    await records.put("k", {"n": 2})
    await elapse(101)
    assert await records.get("k") == {"n": 2}


async def test_delete_tells_whether_the_key_was_there(records: Records) -> None:
    await records.put("k", {})
    assert [await records.delete("k"), await records.delete("k"), await records.get("k")] == [True, False, None]


async def test_a_value_is_gone_when_its_time_is_over(records: Records, elapse: Elapse) -> None:
    await records.put("k", {"n": 1}, ttl=100)
    await elapse(90)
    assert await records.get("k") == {"n": 1}
    await elapse(10)
    assert (await records.get("k"), await records.scan(""), await records.delete("k")) == (None, [], False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.lists(KEYS, unique=True, max_size=6), prefix=st.text(alphabet="ab:%_*?[é", max_size=3))
async def test_scan_returns_the_keys_with_the_prefix_sorted(records: Records, keys: list[str], prefix: str) -> None:
    for key, _ in await records.scan(""):
        await records.delete(key)
    for key in keys:
        await records.put(key, {"key": key})
    expected = [(key, {"key": key}) for key in sorted(keys) if key.startswith(prefix)]
    assert await records.scan(prefix) == expected


async def test_a_counter_starts_at_zero_and_loses_nothing(records: Records) -> None:
    counted = await asyncio.gather(*(records.add("visits", 2) for _ in range(50)))
    assert sorted(counted) == list(range(2, 101, 2))


async def test_a_counter_begins_anew_when_its_time_is_over(records: Records, elapse: Elapse) -> None:
    await records.add("visits", ttl=100)
    await elapse(60)
    assert await records.add("visits") == 2
    await elapse(60)
    assert await records.add("visits") == 1


async def test_the_latest_time_given_to_a_counter_counts(records: Records, elapse: Elapse) -> None:
    await records.add("visits", ttl=100)
    await elapse(60)
    await records.add("visits", ttl=100)
    await elapse(60)
    assert await records.add("visits", -1) == 1


@pytest.mark.parametrize(
    ("present", "expected", "stored"),
    [
        pytest.param(None, None, True, id="absent as expected"),
        pytest.param({"n": 1}, None, False, id="present against expectation"),
        pytest.param({"n": 1, "m": [2]}, {"m": [2], "n": 1}, True, id="equal, in other key order"),
        pytest.param({"n": 1}, {"n": 2}, False, id="other value"),
        pytest.param(None, {"n": 1}, False, id="absent against expectation"),
    ],
)
async def test_compare_and_set(
    records: Records, present: dict[str, Any] | None, expected: dict[str, Any] | None, stored: bool
) -> None:
    if present is not None:
        await records.put("k", present)
    assert await records.compare_and_set("k", expected, {"new": True}) is stored
    assert await records.get("k") == ({"new": True} if stored else present)


async def test_an_expired_value_counts_as_absent(records: Records, elapse: Elapse) -> None:
    await records.put("k", {"n": 1}, ttl=100)
    await elapse(100)
    assert not await records.compare_and_set("k", {"n": 1}, {"n": 2})
    assert await records.compare_and_set("k", None, {"n": 3}, ttl=50)
    assert await records.get("k") == {"n": 3}


async def test_a_merge_starts_from_nothing_and_joins_what_is_there(records: Records) -> None:
    assert await records.merge("k", {"all": [1]}, JOIN) == {"all": [1]}
    assert await records.merge("k", {"all": [2]}, JOIN) == {"all": [1, 2]}
    assert await records.get("k") == {"all": [1, 2]}


async def test_merges_at_once_lose_nothing(records: Records) -> None:
    await asyncio.gather(*(records.merge("k", {"all": [i]}, JOIN) for i in range(20)))
    assert sorted((await records.get("k") or {})["all"]) == list(range(20))


async def test_a_merge_sets_the_time_anew(records: Records, elapse: Elapse) -> None:
    await records.merge("k", {"all": [1]}, JOIN, ttl=100)
    await elapse(60)
    await records.merge("k", {"all": [2]}, JOIN, ttl=100)
    await elapse(60)
    assert await records.get("k") == {"all": [1, 2]}


async def test_a_merge_never_shortens_the_time_that_is_left(records: Records, elapse: Elapse) -> None:
    await records.merge("k", {"all": [1]}, JOIN, ttl=100)
    await records.merge("k", {"all": [2]}, JOIN, ttl=10)
    await records.put("for ever", {"all": [1]})
    await records.merge("for ever", {"all": [2]}, JOIN, ttl=10)
    await elapse(50)
    assert [await records.get("k"), await records.get("for ever")] == [{"all": [1, 2]}] * 2
    await elapse(51)
    assert await records.get("k") is None


def joins(*pairs: tuple[str, int], ttl: float | None = None) -> list[Change]:
    return [Change(key, {"all": [n]}, JOIN, ttl) for key, n in pairs]


async def test_many_merges_are_made_in_order(records: Records) -> None:
    await records.put("b", {"all": [0]})
    found = await records.merge_many(joins(("a", 1), ("b", 2), ("a", 3)))
    assert found == [{"all": [1]}, {"all": [0, 2]}, {"all": [1, 3]}]
    assert await records.get_many(["a", "b"]) == [{"all": [1, 3]}, {"all": [0, 2]}]
    assert await records.merge_many([]) == []


async def test_many_merges_at_once_lose_nothing(records: Records) -> None:
    await asyncio.gather(*(records.merge_many(joins(("a", i), (f"own {i}", i), ("b", i))) for i in range(12)))
    for key in ("a", "b"):
        assert sorted((await records.get(key) or {})["all"]) == list(range(12))


async def test_many_merges_are_made_all_or_none(records: Records) -> None:
    with pytest.raises(ZeroDivisionError):
        await records.merge_many([*joins(("a", 1)), Change("b", {}, BROKEN)])
    assert await records.get("a") is None


async def test_each_of_many_merges_has_its_own_time(records: Records, elapse: Elapse) -> None:
    await records.merge_many([*joins(("a", 1), ttl=50), *joins(("b", 1), ttl=150), *joins(("a", 2), ("c", 1))])
    await elapse(100)
    assert [key for key, _ in await records.scan("")] == ["a", "b", "c"]
    await elapse(100)
    assert await records.get_many(["a", "b", "c"]) == [{"all": [1, 2]}, None, {"all": [1]}]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=OBJECTS, key=KEYS)
async def test_many_merges_keep_every_text(records: Records, value: dict[str, Any], key: str) -> None:
    await records.merge_many([Change(key, value, LATEST), Change(key, value, LATEST)])
    await records.merge_many([Change(key, value, LATEST)])
    assert await records.get(key) == value


async def test_many_are_got_as_one_by_one(records: Records) -> None:
    for i in range(3):
        await records.put(f"k{i}", {"n": i})
    assert await records.get_many(["k2", "none", "k0", "k2"]) == [{"n": 2}, None, {"n": 0}, {"n": 2}]
    assert await records.get_many([]) == []


async def test_pages_and_count_tell_of_what_scan_returns(records: Records, elapse: Elapse) -> None:
    await records.merge_many([Change(f"k:{i:04}", {"n": i}, LATEST) for i in range(1500)])
    await records.put("k:gone", {}, ttl=10)
    await records.put("other", {})
    await elapse(11)
    pages = [page async for page in records.pages("k:")]
    assert len(pages) > 1
    assert [pair for page in pages for pair in page] == await records.scan("k:")
    assert await records.count("k:") == 1500
    assert (await records.count("none"), [page async for page in records.pages("none")]) == (0, [])


async def test_one_of_many_wins_compare_and_set(records: Records) -> None:
    won = await asyncio.gather(*(records.compare_and_set("k", None, {"by": i}) for i in range(20)))
    assert won.count(True) == 1
    assert await records.get("k") == {"by": won.index(True)}


async def test_a_log_counts_its_entries_from_one(records: Records) -> None:
    numbers = await asyncio.gather(*(records.append("log", {"i": i}) for i in range(20)))
    assert sorted(numbers) == list(range(1, 21))
    assert await records.read("log") == [(n, {"i": i}) for n, i in sorted((n, i) for i, n in enumerate(numbers))]


async def test_entries_appended_together_stay_together(records: Records) -> None:
    batches = [[{"text": f'{i} "\\u0000" {n}', "n": n} for n in range(3)] for i in range(10)]
    lasts = await asyncio.gather(*(records.append_many("log", batch) for batch in batches))
    assert sorted(lasts) == list(range(3, 31, 3))
    for last, batch in zip(lasts, batches, strict=True):
        assert await records.read("log", after=last - 3, limit=3) == list(enumerate(batch, last - 2))


@pytest.mark.parametrize(
    ("after", "limit", "expected"),
    [
        pytest.param(0, None, [1, 2, 3], id="all"),
        pytest.param(1, None, [2, 3], id="after"),
        pytest.param(0, 2, [1, 2], id="limit"),
        pytest.param(1, 1, [2], id="after and limit"),
        pytest.param(3, None, [], id="nothing new"),
        pytest.param(0, 0, [], id="none"),
    ],
)
async def test_a_log_is_read_from_a_number_on(
    records: Records, after: int, limit: int | None, expected: list[int]
) -> None:
    for i in range(3):
        await records.append("log", {"i": i})
    assert [seq for seq, _ in await records.read("log", after=after, limit=limit)] == expected


async def test_drop_empties_one_log_only(records: Records) -> None:
    await records.append("a", {"n": 1})
    await records.append("b", {"n": 2})
    await records.drop("a")
    assert (await records.read("a"), await records.read("b")) == ([], [(1, {"n": 2})])


async def test_values_counters_and_logs_do_not_meet(records: Records) -> None:
    await records.put("k", {"n": 1})
    assert (await records.add("k"), await records.append("k", {}), await records.get("k")) == (1, 1, {"n": 1})


async def test_close_twice_changes_nothing(records: Records) -> None:
    await records.close()
    await records.close()


async def test_everything_is_there_after_reopening(tmp_path: Path, clock: Clock) -> None:
    first = await SqliteRecords.open(tmp_path / "r.db", clock=clock)
    await first.put("k", {"n": 1})
    await first.append("log", {"n": 2})
    await first.close()
    second = await SqliteRecords.open(tmp_path / "r.db", clock=clock)
    assert (await second.get("k"), await second.read("log")) == ({"n": 1}, [(1, {"n": 2})])
    await second.close()


async def test_a_file_that_is_no_database_is_reported_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    path.write_bytes(b"not a database " * 500)
    with pytest.raises(StorageCorrupt, match=r"r\.db is damaged .*restore it from a backup"):
        await SqliteRecords.open(path)
    assert path.read_bytes() == b"not a database " * 500


async def test_damage_inside_the_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    records = await SqliteRecords.open(path)
    for i in range(500):
        await records.put(f"k{i:03}", {"text": "x" * 200})
    await records.close()
    with path.open("r+b") as file:
        file.seek(4 * 4096)
        file.write(b"\xff" * 4096 * 20)
    with pytest.raises(StorageCorrupt, match=r"r\.db is damaged"):
        await SqliteRecords.open(path)


async def test_a_record_that_is_no_json_is_reported(tmp_path: Path) -> None:
    records = await SqliteRecords.open(tmp_path / "r.db")
    with sqlite3.connect(tmp_path / "r.db") as connection:
        connection.execute("INSERT INTO entries VALUES ('k', '{\"half', NULL)")
    connection.close()
    with pytest.raises(StorageCorrupt, match="a record is not JSON"):
        await records.get("k")
    await records.close()


async def test_a_full_device_is_reported_and_keeps_what_was_there(tmp_path: Path) -> None:
    records = await SqliteRecords.open(tmp_path / "r.db")
    await records.put("small", {"n": 1})
    await records._run("PRAGMA max_page_count = 8")
    with pytest.raises(StorageFull, match="no space is left"):
        await records.put("large", {"text": "x" * 100_000})
    assert await records.get("small") == {"n": 1}
    await records.close()
