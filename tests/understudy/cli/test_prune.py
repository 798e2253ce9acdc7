import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from memory.scopes import ScopedState, Slot, Where
from memory.sqlite import SqliteRecords
from tests.understudy.cli.conftest import Invoke


def checkpoints(home: Path) -> int:
    with sqlite3.connect(home / "checkpoints.sqlite") as file:
        found: int = file.execute("SELECT COUNT(*) FROM checkpoints").fetchone()[0]
    file.close()
    return found


def age(home: Path, days: float) -> None:
    """Let every thread be this much older."""

    async def aged() -> None:
        records = await SqliteRecords.open(home / "records.sqlite")
        for key, value in await records.scan("thread:"):
            await records.put(key, value | {"updated": value["updated"] - days * 86400})
        await records.close()

    asyncio.run(aged())


def test_old_conversations_go_and_what_was_learnt_stays(understudy: Invoke, home: Path) -> None:
    understudy("run", "Explain photosynthesis to a child", "--thread", "first")
    age(home, 100)
    understudy("run", "Explain gravity to a child", "--thread", "second")
    tried = json.loads(understudy("prune", "--days", "90", "--dry-run", "--json").stdout)
    assert tried["conversations"] == ["first"]
    done = json.loads(understudy("prune", "--days", "90", "--json").stdout)
    assert done["conversations"] == ["first"]
    assert done["bytes_after"] < done["bytes_before"]
    assert understudy("resume", "first").exit_code == 2
    assert len(json.loads(understudy("memory", "list", "--json").stdout)) == 2


def test_a_conversation_keeps_as_many_checkpoints_as_it_may(understudy: Invoke, home: Path) -> None:
    for goal in ("Explain photosynthesis to a child", "Explain gravity to a child"):
        understudy("run", goal, "--thread", "talk")
    assert checkpoints(home) > 4
    assert "deleted" in understudy("prune", "--checkpoints", "4").stdout
    assert checkpoints(home) == 4
    again = understudy("run", "Explain tides to a child", "--thread", "talk")
    assert again.exit_code == 0, again.stderr


def test_runs_keep_no_more_checkpoints_than_is_set(
    understudy: Invoke, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_KEEP_CHECKPOINTS", "8")
    for subject in ("tides", "gravity", "rust"):
        assert understudy("run", f"Explain {subject} to a child", "--thread", "talk").exit_code == 0
    assert checkpoints(home) <= 10


def test_state_is_shown_with_its_size_and_goes_with_its_conversation(understudy: Invoke, home: Path) -> None:
    understudy("run", "Explain photosynthesis to a child", "--thread", "talk")

    async def noted() -> None:
        records = await SqliteRecords.open(home / "records.sqlite")
        state = ScopedState(records)
        await state.set(Slot("audience", "session", str), Where("default", "talk"), "children")
        await state.set(Slot("house_style", "global", str), Where("default"), "plain")
        await records.close()

    asyncio.run(noted())
    shown = json.loads(understudy("state", "--json").stdout)
    assert [(e["scope"], e["owner"], e["name"], e["value"], e["bytes"]) for e in shown] == [
        ("global", "", "house_style", "plain", 7), ("session", "talk", "audience", "children", 10),
    ]  # fmt: skip
    assert "audience" in understudy("state", "--thread", "talk").stdout
    age(home, 2)
    understudy("prune", "--days", "1")
    assert [e["name"] for e in json.loads(understudy("state", "--json").stdout)] == ["house_style"]
