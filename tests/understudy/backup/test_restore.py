"""A file that is no sound backup is refused, and leaves nothing behind."""

import gzip
import io
import json
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidBackup, SchemaTooNew
from understudy.backup import back_up
from understudy.backup_restore import restore
from understudy.migrations.steps import LATEST

Members = list[tuple[tarfile.TarInfo, bytes]]
BLOB = f"blobs/{'a' * 32}/{'b' * 64}"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    (folder / BLOB).parent.mkdir(parents=True)
    (folder / BLOB).write_bytes(b"text" * 1000)
    with closing(sqlite3.connect(folder / "records.sqlite")) as file:
        file.execute("CREATE TABLE t (n INTEGER)")
    return back_up(folder, tmp_path / "backup").path


def remade(path: Path, change: Callable[[Members], object]) -> Path:
    """Write the archive again with other members."""
    with tarfile.open(path) as archive:
        members = [(each, archive.extractfile(each).read()) for each in archive]  # type: ignore[union-attr]
    change(members)
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content))
    return path


def manifest_with(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    def changed(members: Members) -> None:
        told = json.loads(members[0][1])
        change(told)
        members[0] = (members[0][0], json.dumps(told).encode())

    return changed


def renamed(name: str) -> Callable[[Members], None]:
    """Have the blob go by another name, in the manifest, too."""

    def changed(members: Members) -> None:
        members[2][0].name = name
        manifest_with(lambda told: told["files"][1].update(name=name))(members)

    return changed


def linked(members: Members) -> None:
    members[2][0].type, members[2][0].linkname = tarfile.SYMTYPE, "/etc/passwd"


def swapped(members: Members) -> None:
    members[1], members[2] = members[2], members[1]
    del members[0]


def other_content(members: Members) -> None:
    members[2] = (members[2][0], b"TEXT" * 1000)


def twice(members: Members) -> None:
    members.append(members[2])


BAD: dict[str, tuple[str, Callable[[Members], object]]] = {
    "other content": ("is damaged", other_content),
    "shorter content": ("is not what", lambda members: members.__setitem__(2, (members[2][0], b"short"))),
    "a member is missing": ("is missing", lambda members: members.pop()),
    "a member comes twice": ("is not what", twice),
    "a member that no manifest names": ("'extra'", lambda members: members.append((tarfile.TarInfo("extra"), b"x"))),
    "no manifest": ("does not begin", swapped),
    "a link": ("is not what", linked),
    "a way out": ("holds no file", renamed("../../evil")),
    "an absolute name": ("holds no file", renamed("/tmp/evil")),
    "a name of no backup": ("holds no file", renamed("blobs/evil")),
    "a file of the place": ("holds no file", renamed("identity.json")),
    "a later format": ("has format 2", manifest_with(lambda told: told.update(format=2))),
    "an unknown key": ("cannot be read", manifest_with(lambda told: told.update(more=1))),
    "a negative size": ("cannot be read", manifest_with(lambda told: told["files"][0].update(bytes=-1))),
    "a file named twice": ("names a file twice", manifest_with(lambda told: told["files"].append(told["files"][1]))),
    "a manifest that is no JSON": ("cannot be read", lambda members: members.__setitem__(0, (members[0][0], b"{"))),
}


@pytest.mark.parametrize("how", BAD)
def test_what_was_tampered_with_is_refused_whole(how: str, backup: Path, tmp_path: Path) -> None:
    message, change = BAD[how]
    remade(backup, change)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InvalidBackup, match=message):
        restore(backup, tmp_path / "new")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"no tar"), gzip.compress(b"\0" * 2048)],
    ids=["nothing", "text", "packed text", "packed nothing"],
)
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(content)
    with pytest.raises(InvalidBackup):
        restore(tmp_path / "junk", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_backup_that_was_cut_short_is_refused_or_had_lost_nothing_but_padding(backup: Path, tmp_path: Path) -> None:
    whole, refused = backup.read_bytes(), 0
    for size in (cuts := range(0, len(whole), max(1, len(whole) // 25))):
        backup.write_bytes(whole[:size])
        try:
            restore(backup, tmp_path / f"{size}")
        except InvalidBackup:
            refused += 1
        else:
            assert (tmp_path / f"{size}" / BLOB).read_bytes() == b"text" * 1000
    assert refused >= len(cuts) - 3


@pytest.mark.parametrize("name", ["missing", "kept"])
def test_what_is_no_file_is_refused(name: str, backup: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidBackup):
        restore(tmp_path / name, tmp_path / "new")


def test_a_file_that_sqlite_cannot_read_is_refused_though_its_hash_is_right(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "records.sqlite", isolation_level=None)) as file:
        file.execute("CREATE TABLE t (n INTEGER)")
        numbers = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 5000) SELECT n FROM r"
        file.execute(f"INSERT INTO t {numbers}")
    whole = (folder / "records.sqlite").read_bytes()
    (folder / "records.sqlite").write_bytes(whole[:5000] + b"\xff" * 8000 + whole[13000:])
    made = back_up(folder, tmp_path / "backup")
    with pytest.raises(InvalidBackup, match="no sound database"):
        restore(made.path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_backup_of_the_release_after_the_next_is_refused(backup: Path, tmp_path: Path) -> None:
    remade(backup, manifest_with(lambda told: told.update(schema_version=LATEST + 2)))
    with pytest.raises(SchemaTooNew):
        restore(backup, tmp_path / "new")


def test_a_folder_with_something_in_it_is_left_alone(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    with pytest.raises(InvalidBackup, match="not empty"):
        restore(backup, tmp_path / "mine")
    with pytest.raises(InvalidBackup, match="not empty"):
        restore(backup, tmp_path / "mine" / "file")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]


def test_of_two_restores_into_one_folder_one_wins_whole(backup: Path, tmp_path: Path) -> None:
    ended: list[str] = []

    def restored() -> None:
        try:
            restore(backup, tmp_path / "new")
            ended.append("restored")
        except InvalidBackup:
            ended.append("refused")

    threads = [threading.Thread(target=restored) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["refused"] * 3 + ["restored"]
    assert (tmp_path / "new" / BLOB).read_bytes() == b"text" * 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "home", "kept", "new"]
