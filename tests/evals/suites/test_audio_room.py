"""The listeners in their room: who is there, what is mastered, and all of it behind a real MCP server."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from evals.suites.audio import room
from evals.suites.audio.listeners import METHODS, heard
from evals.suites.audio.measure import known, measured, table
from evals.suites.audio.recordings import MADE, write_all
from evals.suites.audio.room import RECORDINGS, Impossible
from evals.suites.audio.sound import read
from evals.suites.state_file import WORLD, NoWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "world.json"
    path.write_text(json.dumps({"away": {"studio": 1}, "masters": []}))
    monkeypatch.setenv(WORLD, str(path))
    return path


def test_the_recordings_are_what_the_script_makes(tmp_path: Path) -> None:
    write_all(tmp_path)
    assert {path.name for path in tmp_path.glob("*.wav")} == {path.name for path in RECORDINGS.glob("*.wav")}
    for name in MADE:
        assert np.allclose(read(tmp_path / name).samples, read(RECORDINGS / name).samples, atol=2 / 2**15)
    assert sum(path.stat().st_size for path in RECORDINGS.iterdir()) < 1_000_000


def test_who_is_away_comes_back(world: Path) -> None:
    with pytest.raises(room.Away, match="studio"):
        room.require_present("studio")
    room.require_present("studio")
    room.require_present("pocket")


def test_without_a_world_everybody_is_there_and_nothing_is_mastered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WORLD, raising=False)
    room.require_present("studio")
    with pytest.raises(NoWorld, match=WORLD):
        room.master("flute.wav", 1.0)


def test_a_master_is_made_once_and_discarded(world: Path) -> None:
    made = room.master("flute.wav", 2.0)
    assert room.master("flute.wav", 2.0) == made
    assert made["rms_db"] == pytest.approx(-18, abs=0.1)
    assert heard("studio", "loudness", world.parent / "masters" / "flute.wav").value == made["rms_db"]
    assert room.was_mastered("flute.wav", 2.0)
    assert not room.was_mastered("flute.wav", 3.0)
    assert "deleted" in room.discard_master("flute.wav", 2.0)
    assert not (world.parent / "masters" / "flute.wav").exists()
    with pytest.raises(Impossible, match="no master"):
        room.discard_master("flute.wav", 2.0)


@pytest.mark.parametrize(
    ("recording", "gain", "message"),
    [
        ("nothing.wav", 1.0, "no recording 'nothing.wav'"),
        ("../data/flute.wav", 1.0, "no recording"),
        ("duet.wav", 1.0, "2 channels"),
        ("guitar.wav", 3.0, "cut them off"),
        ("flute.wav", 100.0, "between -24 and 24"),
        ("flute.wav", float("nan"), "between -24 and 24"),
    ],
)
def test_what_cannot_be_mastered_is_refused(world: Path, recording: str, gain: float, message: str) -> None:
    with pytest.raises(Impossible, match=message):
        room.master(recording, gain)
    assert json.loads(world.read_text())["masters"] == []


@pytest.mark.parametrize("analysis", METHODS)
def test_the_studio_is_right_more_often_and_the_pocket_too_sure(analysis: str) -> None:
    what = next(name for name in METHODS if name == analysis)
    signals = known(what)[::2]
    studio, pocket = measured("studio", what, signals), measured("pocket", what, signals)
    assert studio.right > max(0.6, pocket.right)
    assert studio.error < pocket.error
    assert pocket.confidence > pocket.right
    assert len(table([studio, pocket]).splitlines()) == 4


async def test_the_server_offers_typed_readings_and_says_what_fails(world: Path) -> None:
    here = StdioServerParameters(
        command=sys.executable, args=["-m", "evals.suites.audio.server"], env={WORLD: str(world)}
    )
    async with stdio_client(here) as (read_, write), ClientSession(read_, write) as session:
        await session.initialize()
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        away = await session.call_tool("studio_tempo", {"recording": "drums.wav"})
        back = await session.call_tool("studio_tempo", {"recording": "drums.wav"})
        silences = await session.call_tool("studio_silence", {"recording": "interview.wav"})
        none = await session.call_tool("studio_pitch", {"recording": "whisper.wav"})
        refused = await session.call_tool("pocket_pitch", {"recording": "duet.wav"})
        broken = await session.call_tool("studio_loudness", {"recording": "broken.wav"})
        made = await session.call_tool("master_recording", {"recording": "flute.wav", "gain_db": 2})
    assert set(tools) == {f"{who}_{what}" for who in ("studio", "pocket") for what in METHODS} | {"master_recording"}
    assert "value" in (tools["studio_tempo"].outputSchema or {})["properties"]
    assert [answer.isError for answer in (away, back, silences, none, refused, broken, made)] == [
        True, False, False, False, True, True, False,
    ]  # fmt: skip
    reading, table_ = back.structuredContent or {}, silences.structuredContent or {}
    assert reading["value"] == pytest.approx(120, rel=0.02)
    assert {"listener": "studio", "unit": "beats per minute"}.items() <= reading.items()
    assert (table_["columns"], len(table_["rows"])) == (["begin", "end"], 3)
    assert (none.structuredContent or {})["value"] is None
    assert room.was_mastered("flute.wav", 2)
