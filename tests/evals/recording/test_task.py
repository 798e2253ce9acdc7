import json
import re
from pathlib import Path
from typing import Any

import pytest

from agents.exchanges.calls import Answered, Asked, RecordedCall, Said
from domain.secrets import Secrets
from evals.recording.task import Before, InvalidRecording, RecordedTask, TaskFile, Turn, read_task, write_task

CALL = RecordedCall(
    role="planner",
    asked=Asked(model="openai:m", messages=[Said(role="user", lines=["Plan", "it — würdig"])]),
    answered=Answered(lines=["{}"], input_tokens=3, output_tokens=1),
)
TASK = TaskFile(
    name="first", team="documents", turns=[Turn(say="Find it"), Turn(decide=[{"type": "approve"}])], started=1
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    recorded = RecordedTask(tmp_path / "first", TASK, Before(rules=[{"id": "r"}]), (CALL,))
    write_task(recorded, lambda value: value)
    return recorded.folder


def test_what_is_written_is_read(folder: Path) -> None:
    found = read_task(folder)
    kept = CALL.model_copy(update={"digest": CALL.asked.digest})
    assert (found.task, found.calls, found.before.rules) == (TASK, (kept,), [{"id": "r"}])


def test_an_edited_request_is_told_and_an_edited_answer_is_taken(folder: Path) -> None:
    path = folder / "calls.json"
    kept = path.read_text()
    path.write_text(kept.replace("{}", "[]"))
    assert read_task(folder).calls[0].answered == Answered(lines=["[]"], input_tokens=3, output_tokens=1)
    path.write_text(kept.replace("würdig", "würdelos"))
    with pytest.raises(InvalidRecording, match="the request of call 1, by planner, was edited"):
        read_task(folder)


def test_writing_twice_gives_the_same_bytes_and_keeps_what_a_person_wrote(folder: Path) -> None:
    (folder / "expect.toml").write_text('[[turns]]\nroute = { source = ["memory"] }\n')
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_task(read_task(folder), lambda value: value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_secrets_do_not_get_into_the_files(folder: Path) -> None:
    leaky = CALL.model_copy(update={"answered": Answered(lines=["the key is sk-very-secret-1"])})
    write_task(read_task(folder)._replace(calls=(leaky,)), Secrets(["sk-very-secret-1"]).value)
    assert "sk-very-secret-1" not in "".join(path.read_text() for path in folder.iterdir())


def test_a_secret_that_is_a_plain_word_spoils_no_recording(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InvalidRecording, match="a key that is no word"):
        write_task(read_task(folder), Secrets(["documents"]).value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_half_a_character_is_kept(folder: Path) -> None:
    odd = CALL.model_copy(update={"answered": Answered(lines=["half \ud83d, whole \U0001f30a, \\ud83d"])})
    write_task(read_task(folder)._replace(calls=(odd,)), lambda value: value)
    assert [call.answered for call in read_task(folder).calls] == [odd.answered]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("calls.json", "[" * 100_000, "recursion"),
        (
            "calls.json",
            '[{"role": "r", "asked": {"model": "m", "messages": []}, "answered": {"calls": [{}]}}]',
            "0.answ",
        ),
        ("expect.toml", "[[turns]]\nroute = 2026-01-01\n", "route"),
        ("task.json", '{"format": 1, "name": "a", "team": "t", "turns": [{"say": "x"}], "started": NaN}', "started"),
    ],
)
def test_what_was_edited_into_nonsense_is_named(folder: Path, name: str, text: str, why: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(InvalidRecording, match=f"{name}: .*{why}"):
        read_task(folder)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRecording, match="cannot be written"):
        write_task(RecordedTask(tmp_path / "file" / "task", TASK), lambda value: value)


@pytest.mark.parametrize("name", ["task.json", "before.json", "calls.json"])
def test_a_file_cut_short_is_named_with_its_line(folder: Path, name: str) -> None:
    text = (folder / name).read_text()
    (folder / name).write_text(text[: len(text) // 2])
    with pytest.raises(InvalidRecording, match=rf"{name}, line \d+: not JSON"):
        read_task(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"turns": []}, "turns"),
        ({"turns": [{"say": "a", "wait": 3}]}, "exactly one"),
        ({"turns": [{}]}, "exactly one"),
        ({"name": "../up"}, "name"),
        ({"colour": "red"}, "colour"),
        ({"started": "soon"}, "started"),
        ({"format": 99}, "format 99"),
        ({"format": None}, "format None"),
    ],
)
def test_a_file_edited_into_nonsense_is_named(folder: Path, change: dict[str, Any], message: str) -> None:
    path = folder / "task.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InvalidRecording, match=re.escape(str(path))) as caught:
        read_task(folder)
    assert message in str(caught.value)


def test_more_turns_expected_than_there_are_is_refused(folder: Path) -> None:
    (folder / "expect.toml").write_text("[[turns]]\n" * 3)
    with pytest.raises(InvalidRecording, match="3 turns are expected, the task has 2"):
        read_task(folder)


def test_an_unknown_expectation_is_named(folder: Path) -> None:
    (folder / "expect.toml").write_text("[[turns]]\nroutes = 1\n")
    with pytest.raises(InvalidRecording, match=r"turns\.0\.routes"):
        read_task(folder)


def test_a_folder_without_a_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecording, match=r"no .*task\.json"):
        read_task(tmp_path)


def test_an_older_format_is_migrated_step_by_step(folder: Path) -> None:
    path = folder / "task.json"
    old = json.loads(path.read_text())
    path.write_text(
        json.dumps({"format": 1, "title": old.pop("name"), **{k: v for k, v in old.items() if k != "format"}})
    )

    def renamed(files: dict[str, Any]) -> dict[str, Any]:
        task = dict(files["task.json"])
        return files | {"task.json": task | {"format": 2, "called": task.pop("title")}}

    def renamed_again(files: dict[str, Any]) -> dict[str, Any]:
        task = {k: v for k, v in files["task.json"].items() if k not in ("title", "called")}
        return files | {"task.json": task | {"format": 3, "name": files["task.json"]["called"]}}

    assert read_task(folder, migrations={1: renamed, 2: renamed_again}).name == "first"
