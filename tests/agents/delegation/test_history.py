from dataclasses import replace

import numpy as np
import pytest

from agents.delegation import history
from agents.delegation.history import Outcome, OutcomeHistory, digest, packed, unpacked
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
    written, read = OutcomeHistory(records, "acme", "office"), OutcomeHistory(records, "acme", "office")
    await fill(written, 2)
    assert await times(read) == [0.0, 1.0]
    await fill(written, 3, start=2)
    assert await times(read) == [2.0, 3.0, 4.0]
    assert await times(read) == []


async def test_the_oldest_outcomes_go(records: SqliteRecords) -> None:
    await fill(OutcomeHistory(records, "acme", "office"), 10)
    assert await times(OutcomeHistory(records, "acme", "office")) == [6.0, 7.0, 8.0, 9.0]
    assert await records.read("selection:acme:office:outcomes:0") == []


async def test_an_entry_that_came_late_to_a_full_log_is_told(records: SqliteRecords) -> None:
    read = OutcomeHistory(records, "acme", "office")
    await fill(OutcomeHistory(records, "acme", "office"), 4)
    assert len(await times(read)) == 4
    await records.append("selection:acme:office:outcomes:0", vars(outcome(99)))
    assert await times(read) == [99.0]


def test_features_survive_packing() -> None:
    vector = np.linspace(-2, 2, 9)
    assert unpacked(packed(vector), 9) == pytest.approx(vector, abs=1e-3)
    assert unpacked(packed(vector), 8).tolist() == [0.0] * 8


async def test_a_forgotten_goal_leaves_its_outcomes_and_nothing_of_its_text(records: SqliteRecords) -> None:
    written = OutcomeHistory(records, "acme", "office")
    for n, goal in enumerate(["Sell the house", "Sum  the SALES", "Sum the sales", "Buy bread", "sum the sales"]):
        await written.append(replace(outcome(n), features=packed(np.ones(3) * n), goal=digest(goal)))
    assert await written.forget("Sum the sales") == 3
    left = await OutcomeHistory(records, "acme", "office").news()
    assert [found.at for found in left] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert [bool(found.features) for found in left] == [True, False, False, True, False]
    assert [found.goal for found in left] == [digest("Sell the house"), "", "", digest("Buy bread"), ""]
    assert await OutcomeHistory(records, "other", "office").forget("Buy bread") == 0
