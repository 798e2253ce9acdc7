import os
from pathlib import Path
from typing import Any

import pytest

from agents.tools.documents import Documents, document_tools
from agents.tools.registry import Toolbox, ToolOutput
from domain.errors import InvalidArguments, PathNotAllowed, ToolError, UnknownFolder
from domain.outcomes import Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    (data / "sub").mkdir(parents=True)
    (data / "wind.md").write_text("# Wind\n\nTurbines turn.\n\n## Coal\n\nCoal burns.\n")
    (data / "sub" / "law.txt").write_text("A law of 1983 asks for turbines.")
    return data


async def call(folder: Path, tool: str, **args: Any) -> ToolOutput:
    return await Toolbox.of(document_tools(Documents(folder))).get(tool).call(args)


async def test_search_returns_passages_with_their_place(folder: Path) -> None:
    answer = await call(folder, "search_documents", query="What does coal do?")
    [hit] = answer.data["hits"]
    assert (hit["document"], hit["locator"], hit["text"]) == ("wind.md", "Coal", "## Coal\n\nCoal burns.")
    assert answer.sources == (Source(name="wind.md", locator="Coal", quote="## Coal\n\nCoal burns."),)


async def test_nothing_found_is_an_answer(folder: Path) -> None:
    answer = await call(folder, "search_documents", query="zebra")
    assert (answer.data, answer.sources) == ({"hits": []}, ())
    assert "No passage contains any word of 'zebra'" in answer.text


async def test_search_returns_no_more_than_the_limit(folder: Path) -> None:
    assert len((await call(folder, "search_documents", query="turbines", limit=1)).data["hits"]) == 1


@pytest.mark.parametrize("args", [{"query": ""}, {"query": "a", "limit": 0}, {"query": "a", "limit": 21}, {}])
async def test_arguments_out_of_range(folder: Path, args: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments):
        await call(folder, "search_documents", **args)


async def test_a_document_is_read_in_parts(folder: Path) -> None:
    first = await call(folder, "read_document", name="sub/law.txt", limit=5)
    assert first.data == {"name": "sub/law.txt", "text": "A law", "start": 0, "total": 32}
    assert "continue with start=5" in first.text
    rest = await call(folder, "read_document", name="./sub/law.txt", start=5)
    assert first.data["text"] + rest.data["text"] == "A law of 1983 asks for turbines."


async def test_reading_past_the_end_says_so(folder: Path) -> None:
    answer = await call(folder, "read_document", name="sub/law.txt", start=99)
    assert (answer.data["text"], answer.text) == ("", "sub/law.txt has only 32 characters.")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("/etc/passwd", PathNotAllowed, "outside"),
        ("../secret.txt", PathNotAllowed, "outside"),
        ("wnd.md", ToolError, "near: wind.md"),
        ("zzzz", ToolError, "list_materials"),
        ("leak.txt", ToolError, "leads out of the folder"),
        ("binary.txt", ToolError, "binary"),
    ],
)
async def test_what_cannot_be_read(folder: Path, name: str, error: type[Exception], words: str) -> None:
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "leak.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "binary.txt").write_bytes(b"\0")
    with pytest.raises(error, match=words):
        await call(folder, "read_document", name=name)


def test_files_that_lead_out_or_hide_are_not_searched(folder: Path) -> None:
    (folder.parent / "secret.txt").write_text("zebra")
    (folder / "leak.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "out").symlink_to(folder.parent)
    (folder / ".hidden.md").write_text("zebra")
    assert Documents(folder).search("zebra", limit=5) == []


def test_changed_new_and_removed_files_are_noticed(folder: Path) -> None:
    documents = Documents(folder)
    assert documents.search("zebra", limit=5) == []
    (folder / "wind.md").write_text("zebra one")
    (folder / "new.md").write_text("zebra two")
    (folder / "sub" / "law.txt").unlink()
    assert {hit.document for hit in documents.search("zebra", limit=5)} == {"wind.md", "new.md"}
    assert documents.search("law", limit=5) == []


def test_a_file_that_breaks_leaves_the_index(folder: Path) -> None:
    documents = Documents(folder)
    assert documents.search("coal", limit=5)
    (folder / "wind.md").write_bytes(b"\0\0")
    assert documents.search("coal", limit=5) == []
    assert {d.name: d.problem for d in documents.all()} == {"wind.md": "it is binary, not text", "sub/law.txt": ""}


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    assert {d.name for d in Documents(folder).all()} == {"wind.md", "sub/law.txt"}


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UnknownFolder, match="nowhere"):
        Documents(tmp_path / "nowhere").all()


def test_closed_documents_are_read_again(folder: Path) -> None:
    documents = Documents(folder)
    documents.all()
    documents.close()
    assert documents.search("coal", limit=1)
