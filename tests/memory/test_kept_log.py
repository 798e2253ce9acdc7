"""Logs that are kept parsed: as if they were read anew each time, and parsed once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from memory.kept_log import KeptLog
from memory.records import Value
from memory.sqlite import SqliteRecords
from tests.memory.conftest import Clock


@pytest.fixture
async def records(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteRecords]:
    opened = await SqliteRecords.open(tmp_path / "records.db", clock=clock)
    yield opened
    await opened.close()


async def test_every_entry_is_parsed_once(records: SqliteRecords) -> None:
    parsed: list[int] = []

    def parse(number: int, value: Value) -> str:
        parsed.append(number)
        return str(value["text"])

    log = KeptLog(records, parse)
    assert await log.read("a") == ()
    for text in ("one", "two", "three"):
        await records.append("a", {"text": text})
        seen = await log.read("a")
    assert seen == ("one", "two", "three")
    assert await log.read("a") is seen
    assert parsed == [1, 2, 3]


async def test_what_others_append_is_seen(records: SqliteRecords) -> None:
    logs = [KeptLog(records, lambda number, value: (number, value["n"])) for _ in range(2)]
    for n in range(6):
        await records.append("a", {"n": n})
        assert await logs[n % 2].read("a") == tuple((i + 1, i) for i in range(n + 1))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
async def test_a_log_that_was_replaced_is_read_anew(records: SqliteRecords, count: int) -> None:
    log = KeptLog(records, lambda _, value: value["n"])
    for n in (1, 2, 3):
        await records.append("a", {"n": n})
    await log.read("a")
    await records.drop("a")
    for n in range(count):
        await records.append("a", {"n": 10 + n})
    assert await log.read("a") == tuple(range(10, 10 + count))
