import errno
import os
import stat
from pathlib import Path

import pytest

from domain.errors import StorageCorrupt, StorageFull
from memory.blobs import BlobStore


def test_what_is_stored_comes_back_and_equal_content_is_stored_once(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    digest = blobs.put("acme:1", b"a long report")
    assert blobs.put("acme:1", b"a long report") == digest
    assert blobs.get("acme:1", digest) == b"a long report"
    assert blobs.sizes("acme:1") == {digest: 13}


def test_groups_do_not_see_each_other(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    digest = blobs.put("acme:1", b"secret")
    with pytest.raises(StorageCorrupt, match="gone"):
        blobs.get("other:1", digest)
    blobs.drop("other:1")
    assert blobs.get("acme:1", digest) == b"secret"


def test_a_damaged_blob_is_never_returned(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    digest = blobs.put("acme:1", b"whole")
    next(tmp_path.rglob(digest)).write_bytes(b"other")
    with pytest.raises(StorageCorrupt, match="damaged"):
        blobs.get("acme:1", digest)


def test_a_name_that_is_no_digest_reaches_no_file(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("private")
    with pytest.raises(StorageCorrupt, match="names no blob"):
        BlobStore(tmp_path / "blobs").get("acme:1", "../../outside")


def test_sweeping_keeps_what_is_wanted_and_removes_half_written_files(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    kept, gone = blobs.put("acme:1", b"kept"), blobs.put("acme:1", b"gone")
    next(tmp_path.rglob(gone)).with_name("half.1a2b").write_bytes(b"ha")
    assert blobs.sweep("acme:1", [kept]) == len(b"gone") + len(b"ha")
    assert list(blobs.sizes("acme:1")) == [kept]


def test_dropping_leaves_no_bytes(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    blobs.put("acme:1", b"forget me")
    blobs.drop("acme:1")
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_full_disk_is_told_and_not_filled_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    blobs = BlobStore(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StorageFull, match="no space"):
            blobs.put("thread", b"large")
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
    assert blobs.get("thread", blobs.put("thread", b"large")) == b"large"


def test_the_name_of_a_blob_reaches_the_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    sync = os.fsync

    def noted(handle: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    BlobStore(tmp_path).put("thread", b"large")
    assert synced == [False, True]
