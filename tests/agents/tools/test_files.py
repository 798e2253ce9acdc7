import errno
import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agents.tools.files import file_tools, write_new
from agents.tools.registry import Tool, ToolOutput
from domain.errors import InvalidArguments, PathNotAllowed, ToolError


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def everything(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


async def test_the_tool_writes_a_file_in_sub_folders(out: Path) -> None:
    [tool] = file_tools(out)
    answer = await tool.call({"path": "notes/2026/brief.md", "text": "Grüße"})
    digest = hashlib.sha256("Grüße".encode()).hexdigest()
    assert answer.data == {"path": "notes/2026/brief.md", "bytes": 7, "sha256": digest, "new": True}
    assert everything(out) == {"notes/2026/brief.md": "Grüße".encode()}


def test_the_same_content_again_changes_nothing(out: Path) -> None:
    first = write_new(out, "a.md", "text")
    before = (out / "a.md").stat().st_mtime_ns
    second = write_new(out, "a.md", "text")
    assert (first.new, second.new, second.sha256) == (True, False, first.sha256)
    assert (out / "a.md").stat().st_mtime_ns == before


def test_other_content_is_refused_and_a_free_name_proposed(out: Path) -> None:
    write_new(out, "x/a.md", "one")
    write_new(out, "x/a-2.md", "two")
    with pytest.raises(ToolError, match="use 'x/a-3.md'"):
        write_new(out, "x/a.md", "three")
    assert everything(out) == {"x/a.md": b"one", "x/a-2.md": b"two"}


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../a.md", "a/../../b.md", "..", ".", "", " ", "a/", "a\0b", "a\nb", "\ud800.md", "a\\b.md",
        "C:/a.md", ".hidden", "a/.git/hooks", "x" * 241, "ü" * 121, "a/" * 2500 + "b",
    ],
    ids=lambda path: repr(path)[:30],
)  # fmt: skip
def test_a_path_that_is_not_allowed_writes_nothing(out: Path, path: str) -> None:
    with pytest.raises(PathNotAllowed):
        write_new(out, path, "text")
    assert not out.exists() or everything(out) == {}


@pytest.mark.parametrize("inside", ["link/a.md", "link/deep/a.md", "file.md", "loop/a.md"])
def test_links_are_not_followed_out_of_the_folder(out: Path, tmp_path: Path, inside: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    out.mkdir()
    (out / "link").symlink_to(elsewhere)
    (out / "file.md").symlink_to(elsewhere / "b.md")
    (out / "loop").symlink_to(out / "loop")
    with pytest.raises((PathNotAllowed, ToolError)):
        write_new(out, inside, "text")
    assert everything(elsewhere) == {}


def test_a_link_within_the_folder_is_fine(out: Path) -> None:
    (out / "real").mkdir(parents=True)
    (out / "link").symlink_to(out / "real")
    write_new(out, "link/a.md", "text")
    assert (out / "real" / "a.md").read_text() == "text"


@pytest.mark.parametrize("path", ["taken/a.md", "taken/deep/a.md"])
def test_a_file_where_a_folder_is_wanted(out: Path, path: str) -> None:
    write_new(out, "taken", "text")
    with pytest.raises(ToolError, match="a file, not a folder"):
        write_new(out, path, "text")


def test_a_folder_where_a_file_is_wanted(out: Path) -> None:
    write_new(out, "a/b.md", "text")
    with pytest.raises(ToolError, match="cannot be written"):
        write_new(out, "a", "text")


def test_text_that_is_not_unicode(out: Path) -> None:
    with pytest.raises(InvalidArguments, match="broken characters"):
        write_new(out, "a.md", "half \ud800")
    assert not out.exists()


@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.ENOSPC, ToolError), (errno.EDQUOT, ToolError), (errno.EIO, ToolError)],
    ids=["no space", "quota", "broken disk"],
)
def test_a_disk_that_fails_leaves_nothing_behind(
    out: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(error):
        write_new(out, "a.md", "text")
    assert everything(out) == {}


def test_a_disk_without_hard_links(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EPERM, "not permitted")

    monkeypatch.setattr(os, "link", fail)
    write_new(out, "a.md", "text")
    assert everything(out) == {"a.md": b"text"}


def test_of_many_writers_of_one_name_one_wins(out: Path) -> None:
    def write(n: int) -> bool:
        try:
            return write_new(out, "a.md", f"writer {n}").new
        except ToolError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(40))) == 1
    [content] = everything(out).values()
    assert content.startswith(b"writer ")


WRITE: dict[str, Any] = {"path": "deep/er/a.md", "text": "mine"}


async def written(out: Path, tool: Tool) -> tuple[dict[str, Any], ToolOutput]:
    """What was there before, and what writing gave."""
    return await tool.prepared(WRITE), await tool.call(WRITE)


async def test_what_was_written_can_be_taken_back_with_its_folders(out: Path) -> None:
    [tool] = file_tools(out)
    before, output = await written(out, tool)
    await tool.undone(WRITE, "key", before, output)
    assert list(out.rglob("*")) == []  # noqa: ASYNC240 - a look at the disk
    assert (await tool.verified(WRITE, "key", before)).state == "did_not_happen"
    assert (await tool.undone(WRITE, "key", before, output)).text == "deep/er/a.md is gone already"


async def test_taking_back_keeps_what_somebody_changed_or_added_since(out: Path) -> None:
    [tool] = file_tools(out)
    before, output = await written(out, tool)
    (out / "deep/er/b.md").write_text("theirs")
    (out / "deep/er/a.md").write_text("changed")
    with pytest.raises(ToolError, match="changed after it was written"):
        await tool.undone(WRITE, "key", before, output)
    (out / "deep/er/a.md").write_text("mine")
    await tool.undone(WRITE, "key", before, output)
    assert everything(out) == {"deep/er/b.md": b"theirs"}


async def test_a_file_that_was_there_before_is_kept(out: Path) -> None:
    [tool] = file_tools(out)
    write_new(out, **WRITE)
    before, output = await written(out, tool)
    verdict = await tool.verified(WRITE, "key", before)
    for found in (output, verdict.output):
        assert found is not None
        with pytest.raises(ToolError, match="was there before"):
            await tool.undone(WRITE, "key", before, found)
    assert everything(out) == {"deep/er/a.md": b"mine"}


@pytest.mark.parametrize(
    ("there", "state"), [("mine", "happened"), ("theirs", "cannot_tell"), (None, "did_not_happen")]
)
async def test_a_lost_attempt_is_looked_into(out: Path, there: str | None, state: str) -> None:
    [tool] = file_tools(out)
    before = await tool.prepared(WRITE)
    if there:
        write_new(out, WRITE["path"], there)
    assert (await tool.verified(WRITE, "key", before)).state == state


async def test_taking_back_does_not_follow_a_link_out_of_the_folder(out: Path, tmp_path: Path) -> None:
    [tool] = file_tools(out)
    before, output = await written(out, tool)
    shutil.rmtree(out / "deep/er")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.md").write_text("mine")
    (out / "deep/er").symlink_to(elsewhere)
    with pytest.raises(PathNotAllowed):
        await tool.undone(WRITE, "key", before, output)
    assert (elsewhere / "a.md").exists()


async def test_what_a_person_found_to_be_written_can_be_taken_back(out: Path) -> None:
    [tool] = file_tools(out)
    before, _ = await written(out, tool)
    told = ToolOutput("a person found that it had happened")
    assert (await tool.undone(WRITE, "key", before, told)).text == "removed deep/er/a.md"
    write_new(out, **WRITE)
    with pytest.raises(ToolError, match="was there before"):
        await tool.undone(WRITE, "key", await tool.prepared(WRITE), told)
