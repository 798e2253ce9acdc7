"""What a recorded conversation takes along: what its tools could read, and no secret of it."""

from pathlib import Path

import pytest

from domain.secrets import Secrets
from evals.recording.task import InvalidRecording
from understudy.evaluation.taken import check_place, clear_place, hider, taken_data, taken_team
from understudy.evaluation.turns import NotRecordable

CARD, TOKEN = "4111 1111 1111 1111", "a-token-of-this-machine"
SECRETS = Secrets([TOKEN])
PEM = ["-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "-----END PRIVATE KEY-----"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    return folder


def held(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_texts_and_names_come_without_secrets_in_any_encoding(data: Path, tmp_path: Path) -> None:
    text = f"caf\xe9 {CARD} {TOKEN}"
    for name, encoding in (("a.md", "utf-8"), ("b.csv", "cp1252"), ("c.txt", "utf-16"), (f"{TOKEN}.txt", "utf-8")):
        (data / name).write_bytes(text.encode(encoding))
    (data / "picture.png").write_bytes(b"\x89PNG\0\xff")
    (data / "plain.txt").write_bytes(b"caf\xe9")
    taken_data(str(data), tmp_path / "task", SECRETS)
    bare = "caf\xe9 [card] [secret]".encode()
    assert held(tmp_path / "task" / "data") == {
        "a.md": bare, "b.csv": bare, "c.txt": bare, "[secret].txt": bare,
        "picture.png": b"\x89PNG\0\xff", "plain.txt": b"caf\xe9",
    }  # fmt: skip


def test_what_lies_outside_of_the_folder_stays_there(data: Path, tmp_path: Path) -> None:
    (tmp_path / "private.txt").write_text("private")
    (data / "link.txt").symlink_to(tmp_path / "private.txt")
    (data / "gone.txt").symlink_to(tmp_path / "gone.txt")
    (data / ".hidden").write_text("hidden")
    assert taken_data(str(data), tmp_path / "task", SECRETS) == "data"
    assert held(tmp_path / "task") == {}


def test_a_secret_in_a_file_that_is_no_text_is_refused_and_not_repeated(data: Path, tmp_path: Path) -> None:
    (data / "sheet.bin").write_bytes(b"\0" + TOKEN.encode())
    with pytest.raises(NotRecordable, match=r"sheet.bin.*no text") as caught:
        taken_data(str(data), tmp_path / "task", SECRETS)
    assert TOKEN not in str(caught.value)


def test_files_whose_names_differ_in_a_secret_only_are_told(data: Path, tmp_path: Path) -> None:
    (data / f"{TOKEN}.txt").write_text("one")
    (data / "[secret].txt").write_text("other")
    with pytest.raises(NotRecordable, match="two files are called"):
        taken_data(str(data), tmp_path / "task", SECRETS)


def test_a_place_that_cannot_be_written_is_named(data: Path, tmp_path: Path) -> None:
    (data / "a.md").write_text("a")
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRecording, match="'a.md' cannot be taken along"):
        taken_data(str(data), tmp_path / "file" / "task", SECRETS)


def test_a_team_file_comes_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f'name = "mine"\nheader = "{TOKEN}"\n')
    assert taken_team(str(tmp_path / "mine.toml"), tmp_path / "task", SECRETS) == "team.toml"
    assert held(tmp_path / "task") == {"team.toml": b'name = "mine"\nheader = "[secret]"\n'}


def test_what_is_left_of_a_task_is_not_mixed_with_another(data: Path, tmp_path: Path) -> None:
    (data / "a.md").write_text("a")
    taken_data(str(data), tmp_path / "task", SECRETS)
    (tmp_path / "task" / "expect.toml").write_text("")
    with pytest.raises(NotRecordable, match="already holds"):
        check_place(tmp_path / "task")
    clear_place(tmp_path / "task")
    check_place(tmp_path / "task")
    assert held(tmp_path / "task") == {"expect.toml": b""}


def test_a_key_of_several_lines_is_hidden_whole_and_other_lines_stay_as_they_are() -> None:
    hide = hider(Secrets())
    assert hide({"lines": ["Use", *PEM, "now"]}) == {"lines": ["Use", "[key]", "now"]}
    assert hide({"lines": ["one\nline", "two"]}) == {"lines": ["one\nline", "two"]}
