"""Friction: what is heard of questions and notices, counted by user and week."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.audit import AuditEntry
from memory.friction import EVERYBODY, Friction, FrictionWeek
from memory.sqlite import SqliteRecords
from tests.memory.conftest import Clock

WEEK = 7 * 86_400.0
MONDAY = 1_700_438_400.0
"""2023-11-20, 0:00 UTC."""


def entry(kind: str, who: str = "ada", **data: Any) -> AuditEntry:
    return AuditEntry.model_validate({"kind": kind, "who": who, "why": "", "data": {"question": "q", **data}})


@pytest.fixture
async def friction(tmp_path: Path, clock: Clock) -> AsyncIterator[Friction]:
    clock.now = MONDAY
    records = await SqliteRecords.open(tmp_path / "records.sqlite", clock=clock)
    yield Friction(records, clock=clock)
    await records.close()


async def test_each_event_counts_once_in_its_week(friction: Friction, clock: Clock) -> None:
    asked, escalated = entry("question", to=["ada", "bob"]), entry("escalation", to=["eve"])
    rejected = entry("decision", "bob", type="reject", seconds=30.0)
    for _ in range(2):
        await friction.heard("w", asked, once="1", time=MONDAY - 1)
        await friction.heard("w", escalated, once="2", time=MONDAY)
        await friction.heard("w", rejected, once="3", time=MONDAY)
        await friction.nagged("w", ["ada"], once="4")
        await friction.nagged("w", [], once="5")
    await friction.nagged("other", ["ada"], once="4")
    clock.now += WEEK - 1
    this, before = "2023-W47", "2023-W46"
    assert await friction.weeks("w", count=2) == [
        FrictionWeek(this, EVERYBODY, 0, 0, 1, 0, 0, None),
        FrictionWeek(this, "ada", 0, 0, 1, 0, 0, None),
        FrictionWeek(this, "bob", 1, 0, 0, 0, 1, 30.0),
        FrictionWeek(this, "eve", 0, 0, 1, 0, 0, None),
        FrictionWeek(before, "ada", 0, 1, 0, 0, 0, None),
        FrictionWeek(before, "bob", 0, 1, 0, 0, 0, None),
    ]
    clock.now += 1
    assert [week.week for week in await friction.weeks("w", count=1)] == []


async def test_one_tap_that_answers_several_requests_is_one(friction: Friction) -> None:
    for number, what in enumerate(("approve", "edit", "edit")):
        heard = entry("decision", type=what, seconds=7.5)
        await friction.heard("w", heard, once=f"vote:{number}", time=MONDAY)
    (week,) = await friction.weeks("w")
    assert (week.taps, week.edits, week.overrides, week.median_seconds) == (1, 2, 2, 7.5)


async def test_the_median_time_and_the_targets(friction: Friction) -> None:
    for number, seconds in enumerate((1.0, 100.0, 3.0)):
        await friction.heard("w", entry("question", to=["ada"]), once=f"q{number}", time=MONDAY)
        heard = entry("decision", type="approve", seconds=seconds)
        await friction.heard("w", heard, once=f"v{number}", time=MONDAY)
        (week,) = await friction.weeks("w")
        assert week.is_within_targets is (number == 0)
    assert (week.taps, week.dialogs, week.median_seconds) == (3, 3, 3.0)


async def test_a_repeated_question_is_a_nag_and_a_refused_answer_is_nothing(friction: Friction) -> None:
    await friction.heard("w", entry("question", to=["ada"], again=True), once="1", time=MONDAY)
    await friction.heard("w", entry("decision", refused="question_closed"), once="2", time=MONDAY)
    await friction.heard("w", entry("question", status="withdrawn"), once="3", time=MONDAY)
    await friction.heard("w", entry("timeout", what="halt"), once="4", time=MONDAY)
    (week,) = await friction.weeks("w")
    assert week == FrictionWeek("2023-W47", "ada", 0, 0, 1, 0, 0, None)


async def test_names_of_users_cannot_reach_others(friction: Friction) -> None:
    for user in ("a:b", "a", "a/b %"):
        await friction.nagged("w", [user], once="1")
    assert sorted(week.user for week in await friction.weeks("w")) == ["a", "a/b %", "a:b"]
    assert await friction.weeks("w2") == []
