import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.tools.notes import MAX_NOTES, note_tools
from agents.tools.registry import Toolbox
from domain.errors import InvalidArguments
from memory.scopes import ScopedState, Where
from memory.sqlite import SqliteRecords


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[ScopedState]:
    records = await SqliteRecords.open(tmp_path / "r.sqlite")
    yield ScopedState(records)
    await records.close()


def tools(state: ScopedState, step: str = "read", run: str = "run-1", workspace: str = "acme") -> Toolbox:
    return Toolbox.of(note_tools(state, Where(workspace, "talk", run, step)))


async def test_who_works_later_reads_what_was_noted(state: ScopedState) -> None:
    await tools(state, "read").get("take_note").call({"text": "Figures are in thousand MWh."})
    await tools(state, "read").get("take_note").call({"text": "Figures are in thousand MWh."})
    found = await tools(state, "write").get("read_notes").call({})
    assert found.text == "- (run, by read) Figures are in thousand MWh."
    assert found.data == {"notes": [{"scope": "run", "by": "read", "text": "Figures are in thousand MWh."}]}


async def test_notes_of_a_conversation_outlive_the_run_and_stay_in_the_workspace(state: ScopedState) -> None:
    await tools(state).get("take_note").call({"text": "The reader is nine.", "keep": "conversation"})
    await tools(state).get("take_note").call({"text": "for now"})
    state.end("acme", "talk", "run-1")
    assert (await tools(state, run="run-2").get("read_notes").call({})).text == (
        "- (conversation, by read) The reader is nine."
    )
    assert (await tools(state, workspace="other").get("read_notes").call({})).text == "Nothing was noted."


async def test_notes_are_bounded(state: ScopedState) -> None:
    for number in range(MAX_NOTES + 5):
        await tools(state).get("take_note").call({"text": f"note {number}"})
    notes = (await tools(state).get("read_notes").call({})).data["notes"]
    assert (len(notes), notes[-1]["text"]) == (MAX_NOTES, f"note {MAX_NOTES + 4}")
    with pytest.raises(InvalidArguments):
        await tools(state).get("take_note").call({"text": "x" * 2001})


async def test_notes_that_are_taken_at_once_are_all_kept(state: ScopedState) -> None:
    steps = [f"step_{n}" for n in range(6)]
    take = [tools(state, step).get("take_note") for step in steps]
    await asyncio.gather(*(tool.call({"text": "seen", "keep": "conversation"}) for tool in take))
    notes = (await tools(state).get("read_notes").call({})).data["notes"]
    assert sorted(note["by"] for note in notes) == steps
