"""What is noted of effects and of taking them back."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.tools.registry import ToolOutput
from domain.effects import EffectCall
from domain.errors import StorageAway, ToolError
from domain.plans import Plan
from graph.audited import EffectNotes
from graph.context import Limits
from memory.audit import Audit
from memory.effects import EffectLedger
from memory.records import Value
from memory.sqlite import SqliteRecords
from tests.graph.conftest import Note, Opener, Theatre, Troupe, step

SAVE = step("keep", "writer", tool="save", effect="write", args={"path": "a", "text": "a private word"})
Told = list[tuple[str, str, str]]


def audited(theatre: Opener, records: SqliteRecords, run: Any = None, **fields: Any) -> Theatre:
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), SAVE])]), limits=Limits(max_attempts=1))
    stage.services = replace(stage.services, audit=Audit(records))
    if run is not None:
        tool = replace(stage.services.tools.tools["save"], run=run, **fields)
        stage.services.tools.tools["save"] = tool  # type: ignore[index]
    return stage


async def told(records: SqliteRecords) -> Told:
    found = [noted async for page in Audit(records).pages("default") for noted in page]
    effects = [noted.entry for noted in found if noted.entry.kind in ("effect", "undo")]
    assert all((entry.who, entry.step) == ("ada", "keep") for entry in effects)
    return [(entry.kind, entry.data["state"], entry.data.get("code", "")) for entry in effects]


@pytest.fixture
async def records(tmp_path: Path) -> Any:
    opened = await SqliteRecords.open(tmp_path / "audit.db")
    yield opened
    await opened.close()


async def test_an_effect_is_noted_before_and_after_without_its_words(theatre: Opener, records: SqliteRecords) -> None:
    seen: Told = []

    async def save(note: Note) -> ToolOutput:
        seen.extend(await told(records))
        return ToolOutput("saved")

    await audited(theatre, records, save).say("Write it down")
    assert seen == [("effect", "begun", "")]
    assert await told(records) == [("effect", "begun", ""), ("effect", "done", "")]
    assert "private" not in str(await records.scan("audit:"))


async def test_an_effect_that_failed_is_noted_as_such(theatre: Opener, records: SqliteRecords) -> None:
    async def save(note: Note) -> ToolOutput:
        msg = "no room"
        raise ToolError(msg)

    await audited(theatre, records, save).say("Write it down")
    assert set(await told(records)) == {("effect", "begun", ""), ("effect", "failed", "tool_failed")}


async def test_an_effect_that_broke_off_is_noted_as_unknown_and_as_done_once_it_is_found(
    theatre: Opener, records: SqliteRecords
) -> None:
    async def save(note: Note) -> ToolOutput:
        raise TimeoutError

    stage = audited(theatre, records, save)
    await stage.say("Write it down")
    assert await told(records) == [("effect", "begun", ""), ("effect", "unknown", "tool_timeout")]
    await stage.answer({"type": "approve"})
    assert (await told(records))[2:] == [("effect", "done", "")]


class Away(SqliteRecords):
    async def compare_and_set(
        self, key: str, expected: Value | None, value: Value, *, ttl: float | None = None
    ) -> bool:
        msg = "it is away"
        raise StorageAway(msg)


async def test_what_cannot_be_noted_does_not_happen(records: SqliteRecords, tmp_path: Path) -> None:
    away = await Away.open(tmp_path / "away.db")
    happened: list[str] = []

    async def act() -> Value:
        happened.append("sent")
        return {}

    notes = EffectNotes(Audit(away), "default", "ada")
    with pytest.raises(StorageAway):
        await notes.once(EffectLedger(records), "key", EffectCall(tool="save"), act)
    assert happened == []
    await away.close()


async def test_a_run_whose_effect_cannot_be_noted_does_not_have_it(theatre: Opener, tmp_path: Path) -> None:
    away = await Away.open(tmp_path / "away.db")
    stage = audited(theatre, away)
    with suppress(StorageAway):
        await stage.say("Write it down")
    assert stage.troupe.saved == []
    await away.close()
