import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.errors import StorageBusy, StorageError
from memory.home import DataFolder

OWNER = """
import asyncio, sys
from pathlib import Path
from memory.home import DataFolder
folder = asyncio.run(DataFolder.open(Path(sys.argv[1]), command="understudy chat"))
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.kill()


async def test_the_folder_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    folder = await DataFolder.open(tmp_path / "deep" / "data", command="test")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.close()


async def test_a_second_process_is_told_who_has_the_folder(tmp_path: Path) -> None:
    expected = r"in use by `understudy chat` \(process {}, since \d\d:\d\d\)"
    with another_process(tmp_path) as owner, pytest.raises(StorageBusy, match=expected.format(owner.pid)):
        await DataFolder.open(tmp_path, command="test")


async def test_the_lock_ends_with_a_killed_process(tmp_path: Path) -> None:
    with another_process(tmp_path) as owner:
        owner.kill()
        owner.wait()
    folder = await DataFolder.open(tmp_path, command="test")
    assert json.loads((tmp_path / "owner.json").read_text())["pid"] == os.getpid()
    folder.close()


async def test_close_frees_the_folder_and_may_be_repeated(tmp_path: Path) -> None:
    first = await DataFolder.open(tmp_path, command="one")
    first.close()
    first.close()
    second = await DataFolder.open(tmp_path, command="two")
    first.close()
    with pytest.raises(StorageBusy, match="`two`"):
        await DataFolder.open(tmp_path, command="three")
    second.close()


async def test_a_damaged_owner_note_does_not_hide_the_lock(tmp_path: Path) -> None:
    folder = await DataFolder.open(tmp_path, command="one")
    (tmp_path / "owner.json").write_text("{")
    with pytest.raises(StorageBusy, match="in use by another process"):
        await DataFolder.open(tmp_path, command="two")
    folder.close()


@pytest.mark.parametrize("below", ["", "data"], ids=["itself a file", "below a file"])
async def test_a_file_is_no_folder(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="is not a folder"):
        await DataFolder.open(tmp_path / "file" / below, command="test")
    assert (tmp_path / "file").read_text() == "mine"


async def test_a_folder_that_cannot_be_written_is_reported() -> None:
    with pytest.raises(StorageError, match="/proc/understudy cannot be"):
        await DataFolder.open(Path("/proc/understudy"), command="test")
