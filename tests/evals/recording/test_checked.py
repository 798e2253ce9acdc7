"""What is not fit to be played is refused by the name of its file, and no secret is repeated."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evals.recording.checked import NotRecorded, checked_task
from evals.recording.task import InvalidRecording
from tests.evals.players import task_folder

CARD, IBAN, KEY = "4242 4242 4242 4242", "DE89 3704 0044 0532 0130 00", "sk-proj-9aB3dE5fG7hJ1kL3mN5pQ7rS9tU1vW3x"
PEM = [
    "-----BEGIN PRIVATE KEY-----",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7",
    "-----END PRIVATE KEY-----",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return task_folder(tmp_path / "s", "t")


def edited(folder: Path, name: str, change: Callable[[Any], None]) -> None:
    path = folder / name
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def test_a_sound_task_is_read(folder: Path) -> None:
    assert checked_task(folder).name == "t"


@pytest.mark.parametrize("name", ["before.json", "tools.json", "answers.json"])
def test_a_recording_with_a_file_missing_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InvalidRecording, match=f"{name} is missing"):
        checked_task(folder)
    assert checked_task(folder, recorded=False)


def test_a_task_that_nobody_recorded_is_told_apart(folder: Path) -> None:
    (folder / "calls.json").unlink()
    with pytest.raises(NotRecorded, match="not recorded"):
        checked_task(folder)
    assert checked_task(folder, recorded=False)


@pytest.mark.parametrize("field", ["data", "world"])
def test_what_a_task_refers_to_must_be_there(folder: Path, field: str) -> None:
    edited(folder, "task.json", lambda task: task.update({field: "../../gone"}))
    with pytest.raises(InvalidRecording, match=f"there is no ../../gone, which '{field}' names"):
        checked_task(folder)


def ask(*lines: str) -> Callable[[Any], None]:
    def change(calls: Any) -> None:
        calls[0]["asked"]["messages"][0].update(lines=lines)
        del calls[0]["digest"]  # as if it had been recorded so

    return change


@pytest.mark.parametrize(
    ("name", "change", "secret", "kind"),
    [
        ("calls.json", ask(f"Pay with {CARD}"), CARD, "a card number"),
        ("calls.json", lambda calls: calls[0]["answered"].update(lines=["to", IBAN]), IBAN, "an account number"),
        ("calls.json", ask(*PEM), PEM[1], "a key"),
        ("tools.json", lambda tools: tools.append({"tool": "x", "args": {"k": KEY}}), KEY, "a key"),
        ("tools.json", lambda tools: tools.append({"tool": "x", "args": {}, "text": CARD}), CARD, "a card"),
        ("task.json", lambda task: task.update(turns=[{"say": f"the key is {KEY}"}]), KEY, "a key"),
        ("before.json", lambda before: before.update(profile={"account": IBAN}), IBAN, "an account"),
        ("answers.json", lambda answers: answers.append({"status": "done", "lines": [CARD]}), CARD, "a card"),
    ],
)
def test_a_secret_is_refused_and_not_repeated(
    folder: Path, name: str, change: Callable[[Any], None], secret: str, kind: str
) -> None:
    edited(folder, name, change)
    with pytest.raises(InvalidRecording, match=f"{name} holds what looks like {kind}") as caught:
        checked_task(folder)
    assert secret not in str(caught.value)
