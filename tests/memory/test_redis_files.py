"""Deleted text leaves a real server's append-only files and snapshots."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.errors import StorageAway
from memory.queued import QueuedRecords
from memory.redis import RedisRecords
from tests.redis_proxy import Proxy
from tests.redis_server import RedisServer

CANARY = b"canary-4711"
VALUE = {"text": CANARY.decode()}


def on_disk(server: RedisServer) -> bool:
    return any(CANARY in content(path) for path in server.folder.rglob("*") if path.is_file())


def content(path: Path) -> bytes:
    """Return what is in a file, nothing where the server has just taken it away."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def gone_in_time(server: RedisServer, seconds: float = 10) -> bool:
    """Old files are removed in a thread of the server, a moment after the new ones are there."""
    limit = time.monotonic() + seconds
    while on_disk(server) and time.monotonic() < limit:
        time.sleep(0.01)
    return not on_disk(server)


@pytest.fixture
async def records(redis_server: RedisServer) -> AsyncIterator[RedisRecords]:
    records = RedisRecords.open(redis_server.url)
    yield records
    await records.close()


async def test_deleted_text_leaves_the_append_only_files(records: RedisRecords, redis_server: RedisServer) -> None:
    await records.put("kept", {"n": 1})
    await records.put("k", VALUE)
    await records.append("log", VALUE)
    await records.delete("k")
    await records.drop("log")
    assert on_disk(redis_server)
    assert await records.purge() == ""
    assert gone_in_time(redis_server)
    redis_server.kill()
    redis_server.start()
    assert await records.get("kept") == {"n": 1}


async def test_deleted_text_leaves_the_snapshot(records: RedisRecords, redis_server: RedisServer) -> None:
    async with redis_server.client() as client:
        await client.config_set("rdbcompression", "no")
        await records.put("k", VALUE)
        await client.save()
        assert CANARY in (redis_server.folder / "dump.rdb").read_bytes()
        await records.delete("k")
        assert await records.purge() == ""
    assert gone_in_time(redis_server)


async def test_a_rewriting_that_began_before_is_waited_for_and_followed_by_another(
    records: RedisRecords, redis_server: RedisServer
) -> None:
    async with redis_server.client() as client:
        await client.config_set("rdb-key-save-delay", "2000")  # microseconds a key
        for number in range(100):
            await records.put(f"k{number}", VALUE)
        await client.bgrewriteaof()
        for number in range(100):
            await records.delete(f"k{number}")
        assert await records.purge() == ""
        assert (await client.info("persistence"))["aof_rewrites"] == 2
    assert gone_in_time(redis_server)


async def test_a_rewriting_that_takes_too_long_is_told(records: RedisRecords, redis_server: RedisServer) -> None:
    async with redis_server.client() as client:
        await client.config_set("rdb-key-save-delay", "500000")
        await records.put("k", VALUE)
        assert "until it ends, deleted text stands" in await records.purge(seconds=0.05)


@pytest.fixture
def limited() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.remove()


@pytest.mark.parametrize("denied", ["-bgrewriteaof", "-info"])
async def test_a_server_that_does_not_permit_it_is_told(limited: RedisServer, denied: str) -> None:
    async with limited.client() as admin:
        await admin.acl_setuser("ann", enabled=True, passwords=["+s3cret"], keys=["*"], commands=["+@all", denied])
    records = RedisRecords.open(SecretStr(f"unix://ann:s3cret@{limited.socket}?db=0"))
    told = await records.purge()
    assert told.endswith("deleted text stands in its files until they are rewritten (BGREWRITEAOF, BGSAVE)")
    assert denied[1:] in told and "s3cret" not in told
    await records.close()


async def test_a_server_without_files_has_nothing_to_rewrite(records: RedisRecords, redis_server: RedisServer) -> None:
    async with redis_server.client() as client:
        await client.config_set("appendonly", "no")
        assert await records.purge() == ""
        assert (await client.info("persistence"))["aof_rewrites"] == 0


async def test_a_deletion_that_waited_leaves_the_files_too(redis_server: RedisServer, tmp_path: Path) -> None:
    async with Proxy.before(redis_server.socket) as proxy:
        queued: Any = await QueuedRecords.open(RedisRecords.open(proxy.url), tmp_path / "outbox.sqlite", merges=())
        await queued.put("k", VALUE)
        await proxy.cut()
        await queued.delete("k")
        assert "deletions wait, and its files are rewritten when they are delivered" in await queued.purge()
        await proxy.restore()
        assert await queued.deliver()
        assert gone_in_time(redis_server)
        assert await queued.purge() == ""
        await queued.close()


async def test_a_server_that_is_away_is_away() -> None:
    records = RedisRecords.open(SecretStr("redis://127.0.0.1:1"))
    with pytest.raises(StorageAway):
        await records.purge()
    await records.close()
