"""What a later release has stored is read by this one as far as it understands it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import InvalidGoal
from domain.events import RunStarted, Stamped, UnknownEvent
from graph.context import Context
from memory.records import Records
from memory.sqlite import SqliteRecords
from understudy.stored import context_of, stamped_of, whispered_of
from understudy.threads import ThreadEntry, Threads, checked_thread

STAMP = {"time": 1.0, "thread": "t", "run": "r", "workspace": "w", "namespace": ""}
STARTED = {"type": "run_started", "goal": "g", "team": "documents", "mode": "rules"}
STEP = {"type": "step_finished", "result": {"step": "a", "agent": "read", "text": "found", "moon": {"phase": 3}}}


def test_fields_of_a_later_release_are_left_out_wherever_they_are() -> None:
    read = stamped_of(3, {**STAMP, "tide": "high", "event": {**STARTED, "colour": "red"}})
    assert read == Stamped(seq=3, **STAMP, event=RunStarted(goal="g", team="documents", mode="rules"))
    assert stamped_of(4, {**STAMP, "event": STEP}).flat()["result"]["text"] == "found"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "moon_rose", "phase": 3}, "moon_rose"),
        ({"type": "run_finished", "outcome": {"status": "dreamt"}}, "run_finished"),
        ({}, ""),
        ("nonsense", ""),
    ],
)
def test_an_event_that_cannot_be_read_keeps_its_place(event: Any, kind: str) -> None:
    assert stamped_of(7, {**STAMP, "event": event}) == Stamped(seq=7, **STAMP, event=UnknownEvent(kind=kind))


def test_what_has_no_place_is_no_event() -> None:
    with pytest.raises(ValidationError):
        stamped_of(1, {"event": STARTED})


def test_what_comes_from_outside_stays_strict() -> None:
    with pytest.raises(ValidationError, match="colour"):
        Stamped.model_validate({**STAMP, "seq": 1, "event": {**STARTED, "colour": "red"}})


def test_what_another_node_whispers_is_read_or_lost() -> None:
    told = {**{name: STAMP[name] for name in ("time", "thread", "run", "workspace")}, "tide": "low"}
    read = whispered_of(told | {"event": {"type": "text_streamed", "role": "critic", "text": "so", "colour": 1}})
    assert read is not None and read.event.text == "so"
    assert whispered_of(told | {"event": {"type": "sung"}}) is None


def test_circumstances_of_a_later_release_are_read() -> None:
    given = Context(workspace="acme", user="ada")
    assert context_of({**asdict(given), "tide": "high"}) == given


async def test_an_entry_of_a_later_release_is_read(tmp_path: Path) -> None:
    records: Records = await SqliteRecords.open(tmp_path / "records.sqlite")
    threads = Threads(records, lambda: 1.0)
    entry = ThreadEntry(thread="t", context=asdict(Context(workspace="acme")), goal="g", run="r", updated=1.0)
    await records.put("thread:acme:t", entry.model_dump(mode="json") | {"tide": "high"})
    assert await threads.get("acme", "t") == entry
    assert await threads.listed("acme") == [entry]
    await records.close()


@pytest.mark.parametrize("name", ["a/b", "/", ".", "..", "", "x" * 101, "a\nb"])
def test_a_name_that_is_no_part_of_a_url_is_none(name: str) -> None:
    with pytest.raises(InvalidGoal):
        checked_thread(name)


@pytest.mark.parametrize("name", ["a", "Ärger mit Wind", "a.b", "...", "a:b?c#d%2F"])
def test_other_names_are_kept_as_they_are(name: str) -> None:
    assert checked_thread(name) == name
