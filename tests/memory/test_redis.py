"""What is special about Redis; what every adapter does is tested in test_records."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from domain.errors import InvalidSettings, StorageAway, StorageCorrupt, StorageError, StorageFull
from memory.records import Merge
from memory.redis import RedisRecords
from memory.tasks import TaskMemory
from memory.writes import Write, WriteKind
from tests.memory.conftest import Clock, House, success
from tests.redis_server import RedisServer

DAY_MS = 24 * 3600 * 1000
FIRST = Merge("first", lambda present, change: present or change)


@pytest.fixture
async def records(shared_redis: RedisServer) -> AsyncIterator[RedisRecords]:
    await shared_redis.empty()
    records = RedisRecords.open(shared_redis.url)
    yield records
    await records.close()


@pytest.fixture
async def client(shared_redis: RedisServer, records: RedisRecords) -> AsyncIterator[Any]:
    async with shared_redis.client() as client:
        yield client


@pytest.fixture
def locked() -> Iterator[RedisServer]:
    server = RedisServer(password="s3cret/pass")
    yield server
    server.remove()


def write(number: int, kind: WriteKind, key: str, text: str) -> Write:
    return Write("w", number, kind, key, text)


async def test_an_operator_reads_a_task_under_its_key_for_thirty_days(
    house: House, records: RedisRecords, client: Any
) -> None:
    stored = await TaskMemory(records, house.index).remember(success("Write a post", "writer"))
    key = f"memory:task_history:acme:{stored.id}"
    assert json.loads(await client.get(key)) == stored.model_dump(mode="json")
    assert 30 * DAY_MS - 60_000 < await client.pttl(key) <= 30 * DAY_MS


async def test_a_critique_goes_after_seven_days(records: RedisRecords, client: Any) -> None:
    await records.put("memory:critique:acme:c1", {"score": 0.5}, ttl=7 * 24 * 3600)
    assert await client.get("memory:critique:acme:c1") == '{"score":0.5}'
    assert 7 * DAY_MS - 60_000 < await client.pttl("memory:critique:acme:c1") <= 7 * DAY_MS


async def test_keys_of_others_are_passed_over(records: RedisRecords, client: Any) -> None:
    await client.rpush("ours:list", "x")
    await records.put("ours:value", {"n": 1})
    assert await records.scan("ours:") == [("ours:value", {"n": 1})]


@pytest.mark.parametrize(("kind", "text", "answer"), [("append", '{"n":1}', 1), ("add", "5", 5), ("put", "{}", 1)])
async def test_a_write_that_is_sent_again_happens_once(
    records: RedisRecords, kind: WriteKind, text: str, answer: int
) -> None:
    twice = [await records.apply([write(1, kind, "k", text)]) for _ in range(2)]
    assert twice == [[answer], [answer]]
    assert await records.read("k") == ([(1, {"n": 1})] if kind == "append" else [])


async def test_a_put_that_is_sent_again_does_not_undo_a_later_one(records: RedisRecords) -> None:
    await records.apply([write(1, "put", "k", '{"n":1}')])
    await records.put("k", {"n": 2})
    await records.apply([write(1, "put", "k", '{"n":1}')])
    assert await records.get("k") == {"n": 2}


async def test_writes_behind_a_refused_one_wait_for_it(records: RedisRecords, client: Any) -> None:
    writes = [write(i, "append", log, f'{{"n":{i}}}') for i, log in enumerate(["a", "b", "a"], 1)]
    await client.set("understudy:log:b", "no list")
    with pytest.raises(StorageError, match="refuses this for good: WRONGTYPE"):
        await records.apply(writes)
    assert await records.read("a") == [(1, {"n": 1})]
    await client.delete("understudy:log:b")
    await records.apply(writes)
    assert (await records.read("a"), await records.read("b")) == ([(1, {"n": 1}), (2, {"n": 3})], [(1, {"n": 2})])


async def test_a_merge_takes_what_an_operator_wrote(records: RedisRecords, client: Any) -> None:
    await client.set("k", '{ "b": 1,\n "a": 2 }')
    assert await records.merge("k", {}, FIRST) == {"a": 2, "b": 1}
    assert await client.get("k") == '{"a":2,"b":1}'


@pytest.mark.parametrize("text", ['{"half', "[1]"], ids=["no JSON", "no object"])
async def test_a_record_that_is_no_object_is_reported(records: RedisRecords, client: Any, text: str) -> None:
    await client.set("memory:x", text)
    with pytest.raises(StorageCorrupt, match="'memory:x' in Redis at .* is not a JSON object"):
        await records.get("memory:x")


async def test_a_full_server_keeps_what_it_has(records: RedisRecords, client: Any) -> None:
    await records.put("small", {"n": 1})
    await client.config_set("maxmemory", "1")
    try:
        with pytest.raises(StorageFull, match="has no memory left"):
            await records.put("more", {"n": 2})
    finally:
        await client.config_set("maxmemory", "0")
    assert (await records.get("small"), await records.get("more")) == ({"n": 1}, None)


async def test_the_script_is_sent_again_to_a_server_that_forgot_it(records: RedisRecords, client: Any) -> None:
    await records.append("log", {})
    await client.script_flush()
    assert await records.append("log", {}) == 2


async def test_a_server_that_is_not_there_is_away(clock: Clock) -> None:
    records = RedisRecords.open(SecretStr("redis://ada:s3cret@127.0.0.1:1/0"), clock=clock)
    with pytest.raises(StorageAway, match=r"Redis at 127\.0\.0\.1:1 is away") as caught:
        await records.get("k")
    assert "s3cret" not in str(caught.value) + repr(records)
    await records.close()


async def test_the_password_opens_and_is_never_told(locked: RedisServer) -> None:
    url = locked.url.get_secret_value()
    right, wrong = RedisRecords.open(locked.url), RedisRecords.open(SecretStr(url.replace("s3cret", "wr0ng")))
    await right.put("k", {"n": 1})
    with pytest.raises(StorageError, match="refuses this user") as caught:
        await wrong.get("k")
    assert not isinstance(caught.value, StorageAway)
    assert "wr0ng" not in str(caught.value) + repr(wrong) + repr(vars(wrong)["_client"])
    await right.close()
    await wrong.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://:s3cret@host",
        "redis://:s3cret@host:port",
        "redis://:s3cret@host/db",
        "redis://:s3/cret@host:6379",
        "redis://s3/cret@host",
        "unix://:s3/cret@/socket",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(InvalidSettings, match="the Redis URL cannot be read") as caught:
        RedisRecords.open(SecretStr(url))
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("appendfsync", "warning"), [("always", ""), ("everysec", "may forget its latest writes")], ids=["always", "later"]
)
async def test_a_server_that_may_forget_is_warned_of(
    records: RedisRecords, client: Any, appendfsync: str, warning: str
) -> None:
    await client.config_set("appendfsync", appendfsync)
    told = await records.durability()
    await client.config_set("appendfsync", "always")
    assert (warning in told) and bool(told) is bool(warning)
