import numpy as np
import pytest

from agents.delegation import history
from agents.delegation.history import Outcome, OutcomeHistory, packed, unpacked
from memory.sqlite import SqliteRecords


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "SEGMENT", 3)
    monkeypatch.setattr(history, "KEPT", 2)


def outcome(n: int) -> Outcome:
    return Outcome("search", "junior", 1.0, 1.0, 1.0, float(n), "wordllama", "")


async def fill(written: OutcomeHistory, count: int, start: int = 0) -> None:
    for n in range(start, start + count):
        await written.append(outcome(n))


async def times(read: OutcomeHistory) -> list[float]:
    return [found.at for found in await read.news()]


async def test_news_are_told_once_and_in_order(records: SqliteRecords) -> None:
    written, read = OutcomeHistory(records, "acme"), OutcomeHistory(records, "acme")
    await fill(written, 2)
    assert await times(read) == [0.0, 1.0]
    await fill(written, 3, start=2)
    assert await times(read) == [2.0, 3.0, 4.0]
    assert await times(read) == []


async def test_the_oldest_outcomes_go(records: SqliteRecords) -> None:
    await fill(OutcomeHistory(records, "acme"), 10)
    assert await times(OutcomeHistory(records, "acme")) == [6.0, 7.0, 8.0, 9.0]
    assert await records.read("selection:acme:outcomes:0") == []


async def test_an_entry_that_came_late_to_a_full_log_is_told(records: SqliteRecords) -> None:
    read = OutcomeHistory(records, "acme")
    await fill(OutcomeHistory(records, "acme"), 4)
    assert len(await times(read)) == 4
    await records.append("selection:acme:outcomes:0", vars(outcome(99)))
    assert await times(read) == [99.0]


def test_features_survive_packing() -> None:
    vector = np.linspace(-2, 2, 9)
    assert unpacked(packed(vector), 9) == pytest.approx(vector, abs=1e-3)
    assert unpacked(packed(vector), 8).tolist() == [0.0] * 8
