"""Whatever is changed of an audit from outside is found: every byte of every value, and every move of entries."""

import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from redis import Redis

from domain.audit import AuditEntry
from domain.audit_chain import checked_export
from domain.errors import InvalidImport
from memory.audit import Audit
from memory.audit_check import checked
from memory.audit_places import place
from memory.records import Records
from memory.redis import RedisRecords
from memory.sqlite import SqliteRecords
from tests.memory.conftest import Clock
from tests.redis_server import RedisServer

MASKS = (0x01, 0x20, 0x80, 0x02, 0x10, 0xFF, 0x04, 0x40, 0x08)


class Raw(NamedTuple):
    """The stored bytes, as somebody changes them who goes around the product."""

    records: Records
    all: Callable[[], dict[str, bytes]]
    put: Callable[[str, bytes], object]
    delete: Callable[[str], object]


@pytest.fixture(params=["sqlite", "redis"])
async def raw(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Raw]:
    if request.param == "sqlite":
        path = tmp_path / "records.db"
        records: Records = await SqliteRecords.open(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            yield in_sqlite(file, records)
    else:
        server: RedisServer = request.getfixturevalue("shared_redis")
        await server.empty()
        records = RedisRecords.open(server.url)
        with Redis.from_url(server.url.get_secret_value()) as client:
            yield in_redis(client, records)
    await records.close()


def in_sqlite(file: sqlite3.Connection, records: Records) -> Raw:
    file.execute("PRAGMA synchronous = OFF")

    def every() -> dict[str, bytes]:
        rows = file.execute("SELECT key, CAST(value AS BLOB) FROM entries WHERE key LIKE 'audit:%'")
        return dict(rows.fetchall())

    def put(key: str, value: bytes) -> None:
        file.execute("INSERT OR REPLACE INTO entries VALUES (?, CAST(? AS TEXT), NULL)", (key, value))

    return Raw(records, every, put, lambda key: file.execute("DELETE FROM entries WHERE key = ?", (key,)))


def in_redis(client: "Redis", records: Records) -> Raw:
    def every() -> dict[str, bytes]:
        return {key.decode(): bytes(client.get(key) or b"") for key in client.scan_iter("audit:*")}  # type: ignore[arg-type]  # it answers bytes

    return Raw(records, every, client.set, client.delete)


async def chain(records: Records, entries: int, *, drop: bool = False) -> Audit:
    audit = Audit(records, Clock(), segment=4)
    for n in range(entries):
        why = 'said "ja" \\ Grüße' if n % 2 else "approved"
        entry = AuditEntry(kind="decision", who="ann", why=why, data={"n": n, "x": 1e-9})
        await audit.note("acme", entry, once=f"id{n}" if n % 3 == 0 else "")
    if drop:
        await audit.drop("acme", await audit.head("acme"), who="ann")
    return audit


def flipped(value: bytes, at: int, mask: int) -> bytes:
    return value[:at] + bytes([value[at] ^ mask]) + value[at + 1 :]


async def test_every_flipped_byte_is_found(raw: Raw) -> None:
    audit = await chain(raw.records, 6, drop=True)
    masks = _endless(MASKS)
    for key, value in raw.all().items():
        for at in range(len(value)):
            mask = next(masks)
            raw.put(key, flipped(value, at, mask))
            found = await checked(audit, "acme")
            assert not found.sound, f"byte {at} of {key} with {mask:#x} was not found"
        raw.put(key, value)
    assert (await checked(audit, "acme")).sound


def _endless(masks: tuple[int, ...]) -> Iterator[int]:
    while True:
        yield from masks


async def test_any_flip_in_a_longer_chain_is_found(raw: Raw) -> None:
    audit, rng = await chain(raw.records, 60), random.Random(5)
    values = raw.all()
    for _ in range(300):
        key = rng.choice(sorted(values))
        at, mask = rng.randrange(len(values[key])), rng.randint(1, 255)
        raw.put(key, flipped(values[key], at, mask))
        assert not (await checked(audit, "acme")).sound, (key, at, mask)
        raw.put(key, values[key])
    assert (await checked(audit, "acme")).sound


async def test_every_removed_value_is_found(raw: Raw) -> None:
    audit = await chain(raw.records, 9, drop=True)
    healed = place("acme", (await audit.head("acme")).seq)  # the head holds the same, and puts it there again
    for key, value in raw.all().items():
        if key == healed:
            continue
        raw.delete(key)
        assert not (await checked(audit, "acme")).sound, key
        raw.put(key, value)
    assert (await checked(audit, "acme")).sound


async def test_every_two_exchanged_values_are_found(raw: Raw) -> None:
    audit = await chain(raw.records, 7)
    values = raw.all()
    for one in values:
        for other in values:
            if values[one] != values[other]:
                raw.put(one, values[other])
                raw.put(other, values[one])
                assert not (await checked(audit, "acme")).sound, (one, other)
                raw.put(one, values[one])
                raw.put(other, values[other])
    assert (await checked(audit, "acme")).sound


@pytest.mark.parametrize(
    "key",
    [
        "audit:acme:entry:000000000008",
        "audit:acme:entry:000000000009",
        "audit:acme:entry:000000000000",
        "audit:acme:entry:7",
        "audit:acme:once:feed",
    ],
)
async def test_every_added_value_is_found(raw: Raw, key: str) -> None:
    audit = await chain(raw.records, 7)
    values = raw.all()
    taken = "audit:acme:once:" if "once" in key else "audit:acme:entry:"
    raw.put(key, next(value for name, value in values.items() if name.startswith(taken)))
    assert not (await checked(audit, "acme")).sound


async def test_an_entry_cut_out_with_the_numbers_closed_up_is_found(raw: Raw) -> None:
    audit = await chain(raw.records, 7)
    values = raw.all()
    for seq in range(3, 6):
        raw.put(f"audit:acme:entry:{seq:012d}", values[f"audit:acme:entry:{seq + 1:012d}"])
    raw.delete("audit:acme:entry:000000000006")
    assert not (await checked(audit, "acme")).sound


async def test_the_chain_of_another_workspace_is_found(raw: Raw) -> None:
    audit = await chain(raw.records, 5)
    for key, value in raw.all().items():
        raw.put(key.replace("audit:acme:", "audit:other:"), value)
    assert not (await checked(audit, "other")).sound


async def test_every_changed_byte_of_an_export_is_found(tmp_path: Path) -> None:
    records = await SqliteRecords.open(tmp_path / "records.db")
    audit = await chain(records, 5)
    lines = [line async for page in audit.exported("acme") for line in page]
    await records.close()
    assert checked_export(lines)[1].sound
    masks = _endless(MASKS)
    for number, line in enumerate(lines):
        for at in range(len(line)):
            changed = flipped(line.encode(), at, next(masks)).decode("latin-1")
            assert not _sound([*lines[:number], changed, *lines[number + 1 :]]), (number, at, changed)
        assert not _sound(lines[:number] + lines[number + 1 :])
        assert not _sound(lines[: number + 1] + lines[number:])
    assert not _sound([lines[0], lines[2], lines[1], *lines[3:]])


def _sound(lines: list[str]) -> bool:
    try:
        return checked_export(lines)[1].sound
    except InvalidImport:
        return False
