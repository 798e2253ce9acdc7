"""A task is played live, recorded, and replayed: the same every time, without a network, and told when it drifts."""

import json
from pathlib import Path

import pytest

from domain.errors import InvalidSettings
from evals.improvised import Scene
from evals.playing import Played, Version
from evals.recording.task import RecordedTask, read_task
from evals.scripted import ImprovisingServer
from tests.understudy.evaluation.station import COUNT
from understudy.evaluation.playing import open_player
from understudy.evaluation.recorder import RecordingFailed, record_folder

GOAL = "Write a brief on the wind at the coast"
AGAIN = "Write a brief on the wind in the hills"
STEPS = [
    {"id": "look", "agent": "read", "task": "Find out what the notes say of wind"},
    {"id": "ask", "agent": "watch", "task": "Observe the wind", "tool": "observe", "args": {"place": "coast"}},
    {
        "id": "deliver", "agent": "write", "task": "Write the answer", "tool": "write_file",
        "args": {"path": "wind.md", "text": {"ref": {"step": "result"}}},
    },
]  # fmt: skip
TEAM = """
name = "coast"
description = "Watches the wind."

[[tools]]
name = "observe"
from = "function"
target = "tests.understudy.evaluation.station:observe"
effect = "read"

[[specialists]]
name = "read"
description = "Reads documents."
tools = ["search_documents"]

[[specialists]]
name = "watch"
description = "Observes the weather."
tools = ["observe"]

[[specialists]]
name = "write"
description = "Writes files."
tools = ["write_file"]

[[checkpoints]]
name = "publishing"
description = "A person sees the text before a file is written."
condition = "ON_EFFECT"
timeout_seconds = 3600
on_timeout = "reject"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task as a person writes it: nothing was recorded yet."""
    path = tmp_path / "task"
    (path / "data").mkdir(parents=True)
    (path / "data" / "notes.md").write_text("# Wind\n\nWind at the coast is strong in winter.\n")
    (path / "team.toml").write_text(TEAM)
    task = {
        "format": 1, "name": "wind", "team": "team.toml", "user": "ann", "started": 1785000000.0, "data": "data",
        "turns": [
            {"say": GOAL}, {"decide": [{"type": "edit", "args": {"path": "coast.md"}}]},
            {"say": GOAL, "anew": True}, {"wait": 4000},
        ],
    }  # fmt: skip
    (path / "task.json").write_text(json.dumps(task))
    counter = tmp_path / "asked"
    counter.write_text("0")
    monkeypatch.setenv(COUNT, str(counter))
    return path


async def recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> RecordedTask:
    """Record the task with a model that improvises, and take the model away."""
    scene = Scene(goal=GOAL, kind="creation", plans=[STEPS])
    with ImprovisingServer([scene], {"search_documents": {"query": "wind"}}) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "the-key-of-this-test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("UNDERSTUDY_MODEL", "openai:improvised")
        task = await record_folder(folder, Version(), answered_by="an improviser")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "UNDERSTUDY_MODEL"):
        monkeypatch.delenv(name)
    return task


def listing(folder: Path) -> str:
    """Return the names and texts of all files in a folder."""
    return "\n".join(f"{path.name}: {path.read_text()}" for path in folder.rglob("*") if path.is_file())


def told(played: Played) -> str:
    """Return everything of a play that a report may show."""
    events = [sorted(stamped.event.type for stamped in turn.events) for turn in played.turns]  # steps overlap
    ends = [turn.outcome for turn in played.turns]
    answers = [(end.status, end.answer, end.quality) if end else None for end in ends]
    rest = played._replace(turns=[])
    return json.dumps([events, answers, rest], default=str)


async def test_what_was_recorded_is_replayed_alike_every_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = await recorded(folder, monkeypatch)
    asked = (tmp_path / "asked").read_text()
    assert int(asked) >= 1
    task = read_task(folder)
    assert [call.model_copy(update={"digest": ""}) for call in task.calls] == list(made.calls)
    assert (task.tools, task.answers) == (made.tools, made.answers)
    assert [answer.status for answer in task.answers][:2] == ["asked", "done"]
    assert {call.role for call in task.calls} >= {"supervisor", "planner", "specialist", "critic"}
    assert task.task.answered_by == "an improviser"
    async with open_player(Version()) as player:
        plays = [await player.play(task, "strict") for _ in range(3)]
    assert [played.error for played in plays] == ["", "", ""]
    first = plays[0]
    assert (first.drifts, first.unused, first.changed_output) == ([], [], False)
    assert told(plays[0]) == told(plays[1]) == told(plays[2])
    assert (tmp_path / "asked").read_text() == asked  # nobody asked the real tool
    assert "\ncoast.md: " not in listing(folder)
    assert "the-key-of-this-test" not in listing(folder)


async def test_one_changed_word_of_a_prompt_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await recorded(folder, monkeypatch)
    notes = folder / "data" / "notes.md"
    notes.write_text(notes.read_text().replace("strong", "mighty"))
    task = read_task(folder)
    async with open_player(Version()) as player:
        strict, tolerant = await player.play(task, "strict"), await player.play(task, "tolerant")
    assert "mighty" in strict.error
    assert "mighty" in strict.drifts[0].diff
    assert tolerant.error == ""
    assert [drift.role for drift in tolerant.drifts]
    assert all(drift.answered for drift in tolerant.drifts)
    assert not tolerant.changed_output


async def test_a_task_that_cannot_be_played_leaves_its_folder_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = json.loads((folder / "task.json").read_text())
    task["turns"][1] = {"decide": [{"type": "approve"}, {"type": "approve"}, {"type": "approve"}]}
    (folder / "task.json").write_text(json.dumps(task))
    with pytest.raises(RecordingFailed, match=r"turn 2: .* decision\(s\) are wanted, 3 came"):
        await recorded(folder, monkeypatch)
    assert not (folder / "calls.json").exists()


async def test_another_encoder_is_not_taken_for_the_one_at_hand(folder: Path) -> None:
    async with open_player(Version(settings={"encoder": "no-such-encoder"})) as player:
        with pytest.raises(InvalidSettings, match="no-such-encoder"):
            await player.play(read_task(folder), "tolerant")
