"""A conversation that took place becomes a recorded task, which replays to the same end."""

import json
from pathlib import Path

import pytest

from agents.exchanges.calls import Asked, RecordedCall, RecordedTool, Said
from agents.exchanges.logged import Logged
from evals.improvised import Scene
from evals.playing import Version
from evals.recording.task import InvalidRecording, read_task
from evals.scripted import ImprovisingServer
from graph.context import Context
from memory.task_record import TaskRecord
from tests.understudy.evaluation.test_playing import listing
from understudy.evaluation.playing import open_player
from understudy.evaluation.recorder import Source, asked_to_the_end, record_thread
from understudy.evaluation.turns import NotRecordable
from understudy.orchestrator import Orchestrator
from understudy.settings import load_settings
from understudy.wiring import House

GOAL = "Write a brief on tides"
CARD = "4111 1111 1111 1111"
STEPS = [
    {"id": "look", "agent": "research", "task": "Find out about tides"},
    {
        "id": "deliver", "agent": "writer", "task": "Write it", "tool": "write_file",
        "args": {"path": "tides.md", "text": {"ref": {"step": "result"}}},
    },
]  # fmt: skip


async def session(tmp_path: Path, folder: Path, *, answer: object = None, keep: bool = True) -> None:
    """Have a conversation with a model on a provider's machine, and record it."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "tides.md").write_text(f"# Tides\n\nTides follow the moon. Paid with {CARD}.\n")
    scene = Scene(goal=GOAL, kind="creation", plans=[STEPS])
    with ImprovisingServer([scene], {"search_documents": {"query": "tides"}}) as server:
        settings = load_settings(
            home=tmp_path / "live", data=data, out=tmp_path / "out", user="ann", workspace="coast", keep_calls=keep,
            model="openai:improvised", openai_base_url=server.base_url, openai_api_key="a-key-that-nobody-sees",
        )  # fmt: skip
        house = House(settings)
        async with Orchestrator(settings, house=house) as understudy:
            known = TaskRecord(
                workspace="coast", team="documents", goal="Sum up the tide tables", sequence=["research"],
                successes=3, last_success=True, quality=0.9,
            )  # fmt: skip
            await understudy.memory.remember(known)
            assert (await understudy.run(GOAL, thread="tides")).pending
            if answer is not None:
                assert [stamped async for stamped in understudy.resume("tides", answer)]
            context = Context("coast", "ann", "documents", str(data), str(tmp_path / "out"))
            await record_thread(Source(understudy, house, context), "tides", folder, name="tides")


async def test_a_session_becomes_a_task_that_replays(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    await session(tmp_path, folder, answer={"decisions": [{"type": "reject", "message": "too dry"}]})
    task = read_task(folder)
    assert [turn.model_dump(exclude_defaults=True) for turn in task.task.turns] == [
        {"say": GOAL}, {"decide": [{"type": "reject", "message": "too dry"}]},
    ]  # fmt: skip
    assert [known["goal"] for known in task.before.tasks] == ["Sum up the tide tables"]
    assert task.before.tasks[0]["updated"] <= 0
    written = listing(folder)
    assert CARD not in written
    assert "a-key-that-nobody-sees" not in written
    async with open_player(Version()) as player:
        played = await player.play(task, "strict")
    assert (played.error, played.drifts, played.unused, played.changed_output) == ("", [], [], False)
    assert [answer.status for answer in task.answers] == ["asked", "rejected"]


def test_what_a_stop_cut_off_is_left_out_where_it_was_asked_again() -> None:
    def call(time: float, text: str, failure: str = "model_unavailable") -> Logged:
        asked = Asked(model="m", messages=[Said(role="user", lines=[text])])
        return Logged("r", time, RecordedCall(role="planner", asked=asked, failure=failure))

    def look(time: float, failure: str) -> Logged:
        return Logged("r", time, RecordedTool(tool="look", args={}, failure=failure))

    late, answered = call(1.0, "late"), call(4.0, "late", "")
    never, cut, again = call(5.0, "never again"), call(6.0, "cut"), call(9.0, "cut", "")
    cut_tool, again_tool = look(6.5, "tool_timeout"), look(9.5, "")
    logged = [late, answered, never, cut, cut_tool, again, again_tool]
    left = [late, answered, never, again, again_tool]
    assert asked_to_the_end(logged, [7.0]) == [each.exchange for each in left]
    assert asked_to_the_end(logged, []) == [each.exchange for each in logged]


async def test_a_session_without_a_model_replays_without_one(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "task"
    data.mkdir()
    (data / "tides.md").write_text("# Tides\n\nTides follow the moon.\n")
    settings = load_settings(home=tmp_path / "live", data=data, user="ann", workspace="coast")
    house = House(settings)
    async with Orchestrator(settings, house=house) as understudy:
        for goal in ("What do the tides follow?", "What follows the moon?"):
            assert [stamped async for stamped in understudy.stream(goal, thread="tides")]
        context = Context("coast", "ann", "documents")  # the folder is that of the settings
        await record_thread(Source(understudy, house, context), "tides", folder, name="tides")
    task = read_task(folder)
    async with open_player(Version()) as player:
        played = await player.play(task, "strict")
        meddling = task._replace(task=task.task.model_copy(update={"settings": {"home": str(tmp_path / "live")}}))
        with pytest.raises(InvalidRecording, match="home: no settings that a task has"):
            await player.play(meddling, "strict")
    assert (played.error, played.changed_output, len(played.turns)) == ("", False, 2)
    assert (task.task.data, task.task.out) == ("data", False)  # who cannot write is not told of it in a replay, too


async def test_what_was_not_kept_cannot_be_recorded(tmp_path: Path) -> None:
    with pytest.raises(NotRecordable, match="keep_calls"):
        await session(tmp_path, tmp_path / "task", keep=False)


async def test_a_recording_is_not_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "task.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(NotRecordable, match="already holds"):
        await session(tmp_path, folder)
