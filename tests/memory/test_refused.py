"""What Redis refuses: for good, then it goes aside; or because it is full, then it waits."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.errors import StorageError
from memory.queued import QueuedRecords
from memory.records import Change, Merge, Records
from tests.memory.conftest import Clock
from tests.memory.test_queued import NOTE, kept, notes, opened
from tests.redis_proxy import Proxy
from tests.redis_server import RedisServer


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


@pytest.fixture
async def proxy(shared_redis: RedisServer) -> AsyncIterator[Proxy]:
    await shared_redis.empty()
    async with Proxy.before(shared_redis.socket) as proxy:
        yield proxy


@pytest.fixture
async def records(proxy: Proxy, outbox: Path, clock: Clock) -> AsyncIterator[QueuedRecords]:
    records = await opened(proxy.url, outbox, clock)
    yield records
    await records.close()


NOTHING_ELSE = {"text": "canary"}
REFUSED: dict[str, tuple[str, Callable[[Records], Awaitable[Any]]]] = {
    "append": ("WRONGTYPE", lambda r: r.append("bad", NOTHING_ELSE)),
    "add": ("value is not an integer", lambda r: r.add("bad", 1)),
    "merge": ("WRONGTYPE", lambda r: r.merge("bad", {"notes": ["canary"]}, NOTE)),
    "merge with what is no JSON": ("not a JSON object", lambda r: r.merge("junk", {"notes": ["canary"]}, NOTE)),
}


@pytest.fixture
async def spoilt(records: QueuedRecords, shared_redis: RedisServer) -> AsyncIterator[Any]:
    """Keys of another type under the names of ours."""
    async with shared_redis.client() as client:
        await client.set("understudy:log:bad", "no list")
        await client.set("understudy:counter:bad", "no number")
        await client.rpush("bad", "no value")
        await client.set("junk", "no JSON")
        yield client


@pytest.mark.parametrize("name", REFUSED)
async def test_a_write_refused_for_good_goes_aside_and_those_behind_it_arrive(
    records: QueuedRecords, proxy: Proxy, spoilt: Any, outbox: Path, clock: Clock, name: str
) -> None:
    says, bad = REFUSED[name]
    await proxy.cut()
    await records.put("before", {"n": 1})
    await bad(records)
    await records.append("log", {"n": 2})
    await proxy.restore()
    assert await records.deliver()
    assert (await records.get("before"), await records.read("log")) == ({"n": 1}, [(1, {"n": 2})])
    (told,) = await records.degraded()
    assert told == "1 write(s) were refused for good and lie aside: see `understudy memory refused`"
    await records.close()
    later = await opened(proxy.url, outbox, clock)
    assert await later.degraded() == [told]
    (aside,) = await later.refused()
    assert (says in aside.reason, aside.queued) == (True, clock.now)
    await spoilt.delete("understudy:log:bad", "understudy:counter:bad", "bad", "junk")
    assert (await later.retry_refused(), await later.refused(), await later.degraded()) == (0, [], [])
    values = [await later.get("bad"), await later.get("junk"), await later.read("bad"), await later.add("bad", 0)]
    assert sum(value not in (None, [], 0) for value in values) == 1
    await later.close()


async def test_a_refused_write_that_is_refused_again_stays_aside_until_it_is_given_up(
    records: QueuedRecords, proxy: Proxy, spoilt: Any, tmp_path: Path
) -> None:
    await proxy.cut()
    await records.append("bad", NOTHING_ELSE)
    await proxy.restore()
    assert (await records.deliver(), await records.retry_refused()) == (True, 1)
    assert b"canary" in kept(tmp_path)
    assert (await records.discard_refused(), await records.refused(), await records.degraded()) == (1, [], [])
    assert b"canary" not in kept(tmp_path)


async def test_a_refused_write_is_outdated_by_a_later_one_of_its_key(
    records: QueuedRecords, proxy: Proxy, spoilt: Any, tmp_path: Path
) -> None:
    for later in (lambda: records.drop("bad"), lambda: records.delete("bad"), lambda: records.put("bad", {})):
        await spoilt.set("understudy:log:bad", "no list")
        await spoilt.delete("bad")
        await spoilt.rpush("bad", "no value")
        await proxy.cut()
        await records.append("bad", NOTHING_ELSE)
        await records.merge("bad", {"notes": ["canary"]}, NOTE)
        await proxy.restore()
        assert await records.deliver()
        before = {refused.write.kind for refused in await records.refused()}
        await later()
        after = {refused.write.kind for refused in await records.refused()}
        assert before - after in ({"append"}, {"merge"})
        await records.discard_refused()
    assert b"canary" not in kept(tmp_path)


async def test_a_key_that_this_user_may_not_write_goes_aside(
    shared_redis: RedisServer, outbox: Path, clock: Clock
) -> None:
    await shared_redis.empty()
    async with shared_redis.client() as admin, Proxy.before(shared_redis.socket) as proxy:
        await admin.acl_setuser(
            "ann", enabled=True, passwords=["+pw"], keys=["ours:*", "understudy:*"], commands=["+@all"]
        )
        records = await opened(SecretStr(f"unix://ann:pw@{proxy.socket}?db=0"), outbox, clock)
        await proxy.cut()
        for key in ("ours:a", "theirs:a", "ours:b"):
            await records.put(key, {"k": key})
        await proxy.restore()
        assert await records.deliver()
        assert sorted(await admin.keys("*:[ab]")) == ["ours:a", "ours:b"]
        (aside,) = await records.refused()
        assert (aside.write.key, "permissions" in aside.reason) == ("theirs:a", True)
        await records.close()
        await admin.acl_deluser("ann")


@pytest.fixture
async def full(shared_redis: RedisServer) -> AsyncIterator[Callable[[bool], Awaitable[None]]]:
    """Take all memory from the server, or give it back."""
    async with shared_redis.client() as client:

        async def set_full(is_full: bool) -> None:
            await client.config_set("maxmemory", "1" if is_full else "0")

        yield set_full
        await set_full(False)


async def test_a_server_without_memory_gets_everything_later(
    records: QueuedRecords, full: Callable[[bool], Awaitable[None]], outbox: Path, proxy: Proxy, clock: Clock
) -> None:
    await records.append("log", {"n": 1})
    await full(True)
    assert [await records.append("log", {"n": n}) for n in (2, 3)] == [2, 3]
    assert await records.merge("k", {"notes": [1]}, NOTE) == {"notes": [1]}
    (told,) = await records.degraded()
    assert ("has no memory left" in told, "3 write(s) wait on disk" in told) == (True, True)
    await records.close()
    later = await opened(proxy.url, outbox, clock)  # it opens all the same
    assert await later.refused() == []
    await full(False)
    assert later._courier is not None
    await later._courier
    assert [entry["n"] for _, entry in await later.read("log")] == [1, 2, 3]
    assert (await later.get("k"), await later.degraded()) == ({"notes": [1]}, [])
    await later.close()


async def test_a_server_that_refuses_the_login_is_not_waited_for(outbox: Path, clock: Clock) -> None:
    server = RedisServer(password="right")
    try:
        with pytest.raises(StorageError, match="refuses this user"):
            await opened(SecretStr(server.url.get_secret_value().replace("right", "wrong")), outbox, clock)
    finally:
        server.remove()


async def test_an_unknown_merge_is_refused_at_once(records: QueuedRecords) -> None:
    with pytest.raises(StorageError, match="'other' could not be queued"):
        await records.merge("k", {}, Merge("other", lambda _, change: change))


async def test_merges_that_nobody_could_deliver_are_refused_as_a_whole(records: QueuedRecords, proxy: Proxy) -> None:
    await proxy.cut()
    with pytest.raises(StorageError, match="'unknown' could not be queued"):
        await records.merge_many([*notes(("a", 1)), Change("b", {}, Merge("unknown", lambda _, change: change))])
    assert await records.queued() == 0
