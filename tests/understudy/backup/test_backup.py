"""A backup holds every file as it was at one moment, and nothing that is secret or can be built again."""

import os
import signal
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from domain.errors import InvalidBackup, StorageBusy, StorageCorrupt
from memory.blobs import BlobStore
from tests.forks import Forks
from understudy.backup import back_up
from understudy.backup_restore import manifest_of, restore


def database(path: Path, *statements: str, mode: str = "wal") -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute(f"PRAGMA journal_mode = {mode}")
        for statement in statements:
            file.execute(statement)


def number_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as file:
        return int(file.execute("SELECT max(n) FROM t").fetchone()[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a number in each of three files, one of them without a log that is written ahead."""
    made = tmp_path / "kept"
    made.mkdir()
    for name, mode in (("records.sqlite", "wal"), ("checkpoints.sqlite", "wal"), ("dbos.sqlite", "delete")):
        # Large enough that copying takes its time.
        database(made / name, "CREATE TABLE t (n INTEGER, text BLOB)", mode=mode)
        filled = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 2000) "
        database(made / name, f"INSERT INTO t {filled} SELECT 0, randomblob(2000) FROM r", mode=mode)
    return made


@contextmanager
def counting(folder: Path) -> Iterator[Callable[[], int]]:
    """Write rising numbers in the block, to the records before the two others; and tell the latest."""
    done, latest = threading.Event(), [0]
    begun = threading.Event()

    def count() -> None:
        names = ("records.sqlite", "checkpoints.sqlite", "dbos.sqlite")
        files = [sqlite3.connect(folder / name, timeout=30, isolation_level=None) for name in names]
        while not done.is_set():
            latest[0] += 1
            for file in files:
                file.execute("INSERT INTO t VALUES (?, randomblob(500))", latest)
            begun.set()
        for file in files:
            file.close()

    thread = threading.Thread(target=count)
    thread.start()
    try:
        assert begun.wait(30)
        yield lambda: latest[0]
    finally:
        done.set()
        thread.join()


def test_files_that_are_written_meanwhile_are_all_of_one_moment(folder: Path, tmp_path: Path) -> None:
    with counting(folder) as latest:
        before = latest()
        for number in range(3):
            back_up(folder, tmp_path / f"{number}.backup")
        assert latest() > before, "the writer goes on"
    for number in range(3):
        into = restore(tmp_path / f"{number}.backup", tmp_path / f"r{number}").folder
        first, second, third = (number_in(into / f"{name}.sqlite") for name in ("records", "checkpoints", "dbos"))
        assert first - second in (0, 1) and second - third in (0, 1) and first - third in (0, 1)
        assert first >= before - 1, "the latest number is being written"


def test_a_backup_is_for_its_owner_only_and_so_is_what_is_restored(folder: Path, tmp_path: Path) -> None:
    made = back_up(folder, tmp_path / "b")
    done = restore(made.path, tmp_path / "new" / "home")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (made.path, done.folder, *done.folder.iterdir())}
    assert {modes.pop(done.folder)} == {0o700}
    assert set(modes.values()) == {0o600}


def test_blobs_come_along_and_the_index_and_logs_do_not(folder: Path, tmp_path: Path) -> None:
    digest = BlobStore(folder / "blobs").put("default:t", b"much text")
    for name in ("chroma", "logs"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("x")
    (folder / "owner.json").write_text("{}")
    made = back_up(folder, tmp_path / "b")
    assert made.left_out == ("chroma", "logs")
    into = restore(made.path, tmp_path / "new").folder
    assert BlobStore(into / "blobs").get("default:t", digest) == b"much text"
    assert sorted(path.name for path in into.iterdir()) == [
        "blobs", "checkpoints.sqlite", "dbos.sqlite", "records.sqlite",
    ]  # fmt: skip


def test_what_a_backup_makes_in_the_data_folder_is_gone_after_it(folder: Path, tmp_path: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    back_up(folder, tmp_path / "b")
    assert {path.name for path in folder.iterdir()} - before <= {"backup.lock"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "home", "kept"]


def test_nobody_is_logged_in_by_a_backup(folder: Path, tmp_path: Path) -> None:
    tables = "CREATE TABLE identity_sessions (hash TEXT)", "INSERT INTO identity_sessions VALUES ('d41d8cd9-mine')"
    database(folder / "runs.sqlite", *tables, "CREATE TABLE fences (holder TEXT)")
    into = restore(back_up(folder, tmp_path / "b").path, tmp_path / "new").folder
    assert b"d41d8cd9-mine" not in (into / "runs.sqlite").read_bytes()
    assert b"d41d8cd9-mine" in b"".join(path.read_bytes() for path in folder.glob("runs.sqlite*"))


def test_an_existing_file_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    with pytest.raises(InvalidBackup, match="exists already"):
        back_up(folder, tmp_path / "b")
    assert (tmp_path / "b").read_text() == "mine"


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_folder_with_nothing_in_it_is_not_backed_up(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidBackup, match="nothing that could be backed up"):
        back_up(tmp_path / name, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_second_backup_at_once_is_refused(folder: Path, tmp_path: Path) -> None:
    with FileLock(folder / "backup.lock"), pytest.raises(StorageBusy, match="another backup"):
        back_up(folder, tmp_path / "b")


def test_a_file_that_is_held_all_the_time_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.backup._LOCK_SECONDS", 0.01)
    with closing(sqlite3.connect(folder / "checkpoints.sqlite", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusy, match="written to all the time"):
            back_up(folder, tmp_path / "b")
    assert back_up(folder, tmp_path / "b").path.exists()


def test_a_damaged_file_is_called_so(folder: Path, tmp_path: Path) -> None:
    (folder / "records.sqlite").write_bytes(b"no database at all" * 1000)
    with pytest.raises(StorageCorrupt):
        back_up(folder, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def dies_while_packing(folder: str, path: str) -> None:
    def killed(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("understudy.backup._packed", killed)
        back_up(Path(folder), Path(path))


def test_what_a_killed_backup_has_left_goes_with_the_next(folder: Path, tmp_path: Path, forks: Forks) -> None:
    with forks.start(dies_while_packing, str(folder), str(tmp_path / "b")) as process:
        assert process.wait() == -signal.SIGKILL
    assert list(folder.glob("backup-*")) != []
    made = back_up(folder, tmp_path / "b")
    assert list(folder.glob("backup-*")) == []
    assert manifest_of(made.path) == made.manifest


def test_the_manifest_comes_first_and_says_what_follows(folder: Path, tmp_path: Path) -> None:
    made = back_up(folder, tmp_path / "b")
    with tarfile.open(made.path) as archive:
        names = archive.getnames()
    assert names == ["manifest.json", *(entry.name for entry in made.manifest.files)]
    assert made.manifest.schema_version == 1, "a folder without a database of versions"
