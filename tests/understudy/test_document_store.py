from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.errors import InvalidRequest, RequestTooLarge
from understudy import document_store
from understudy.document_store import DocumentStore, checked_name


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """What the installation is configured with."""
    folder = tmp_path / "shared"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "rules.md").write_text("# Rules")
    return folder


@pytest.fixture
def store(tmp_path: Path, shared: Path) -> DocumentStore:
    """The documents of a conversation whose name would lead elsewhere."""
    return DocumentStore(tmp_path / "home", "default", "../../etc", shared)


async def test_without_documents_runs_are_given_what_is_configured(store: DocumentStore) -> None:
    assert store.data() is None
    assert store.listed() == []


async def test_a_document_stands_beside_what_is_configured(store: DocumentStore, tmp_path: Path) -> None:
    await store.take("note.md", chunks(b"# A ", b"note"))
    folder = store.data()
    assert folder is not None and folder.is_relative_to(tmp_path / "home" / "documents" / "default")
    assert (folder / "note.md").read_bytes() == b"# A note"
    assert (folder / "deep" / "rules.md").read_text() == "# Rules"
    assert [(each.name, each.size) for each in store.listed()] == [("note.md", 8)]


async def test_what_is_configured_stays_up_to_date(store: DocumentStore, shared: Path) -> None:
    await store.take("note.md", chunks(b"x"))
    store.data()
    (shared / "deep" / "rules.md").unlink()
    (shared / "more.csv").write_text("a,b\n1,2\n")
    folder = store.data()
    assert folder is not None
    assert not (folder / "deep" / "rules.md").exists()
    assert (folder / "more.csv").exists()
    assert [each.name for each in store.listed()] == ["note.md"]


async def test_a_second_of_the_same_name_replaces_the_first(store: DocumentStore) -> None:
    await store.take("note.md", chunks(b"one"))
    await store.take("note.md", chunks(b"second"))
    assert [(each.name, each.size) for each in store.listed()] == [("note.md", 6)]


async def test_nobody_takes_the_place_of_a_shared_file(store: DocumentStore, shared: Path) -> None:
    (shared / "prices.csv").write_text("a\n1\n")
    with pytest.raises(InvalidRequest, match="rename"):
        await store.take("prices.csv", chunks(b"a\n2\n"))


async def test_what_is_too_large_leaves_nothing(store: DocumentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_store, "MAX_BYTES", 10)
    with pytest.raises(RequestTooLarge):
        await store.take("note.md", chunks(b"123456", b"789012"))
    assert list(store.folder.iterdir()) == []


async def test_all_together_have_a_bound(store: DocumentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_store, "MAX_TOTAL_BYTES", 10)
    await store.take("one.md", chunks(b"12345678"))
    with pytest.raises(RequestTooLarge):
        await store.take("two.md", chunks(b"123"))
    await store.take("one.md", chunks(b"1234567890"))


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a.md", "/etc/passwd.md", "a/b.md", "a\\b.md", ".a.md", "a.md\n", "a\x00.md", " a.md", "a.exe",
     "a", "C:a.md", "x" * 300 + ".md", "\ud800.md", "\u202egnp.md"],
)  # fmt: skip
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        checked_name(name)


async def test_a_link_in_the_folder_is_no_document(store: DocumentStore, tmp_path: Path) -> None:
    await store.take("note.md", chunks(b"x"))
    (tmp_path / "secret.md").write_text("secret")
    (store.folder / "link.md").symlink_to(tmp_path / "secret.md")
    assert [each.name for each in store.listed()] == ["note.md"]


async def test_forgetting_leaves_the_shared_files(store: DocumentStore, shared: Path) -> None:
    await store.take("note.md", chunks(b"x"))
    store.data()
    store.forget()
    assert not store.folder.exists()
    assert (shared / "deep" / "rules.md").read_text() == "# Rules"
