import asyncio
from pathlib import Path

import pytest

from agents.tools.workbench import Workbench
from domain.briefings import Material
from domain.errors import UnknownFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes.md").write_text("# Notes on wind\n\nIt blows.\n")
    (tmp_path / "plants.csv").write_text("year,source\n2001,Coal\n")
    (tmp_path / "broken.pdf").write_bytes(b"junk")
    (tmp_path / "photo.png").write_bytes(b"junk")
    return tmp_path


@pytest.mark.parametrize(
    ("data", "out", "names"),
    [
        (False, False, {"calculate"}),
        (False, True, {"calculate", "write_file"}),
        (
            True,
            False,
            {"calculate", "list_materials", "search_documents", "read_document", "describe_table", "query_tables"},
        ),
    ],
    ids=["no folder", "output only", "data only"],
)
def test_the_toolbox_has_the_tools_that_make_sense(tmp_path: Path, data: bool, out: bool, names: set[str]) -> None:
    bench = Workbench(tmp_path if data else None, tmp_path if out else None)
    assert set(bench.toolbox().tools) == names


def test_only_writing_has_an_effect(tmp_path: Path) -> None:
    tools = Workbench(tmp_path, tmp_path).toolbox().tools.values()
    assert {tool.name for tool in tools if tool.effect == "write"} == {"write_file"}


async def test_materials_say_what_cannot_be_read(folder: Path) -> None:
    broken, *others = await Workbench(folder, None).materials()
    assert (broken.name, broken.readable, broken.summary[:35]) == (
        "broken.pdf", False, "cannot be read: it is not a sound P",
    )  # fmt: skip
    assert others == [
        Material(name="notes.md", kind="document", summary="Notes on wind"),
        Material(name="plants", kind="table", summary="1 rows: year (BIGINT 2001-2001), source (VARCHAR: Coal)"),
    ]


async def test_the_list_names_what_cannot_be_read_too(folder: Path) -> None:
    answer = await Workbench(folder, None).toolbox().get("list_materials").call({})
    assert [m["name"] for m in answer.data["materials"]] == ["broken.pdf", "notes.md", "plants"]
    assert answer.data["materials"][0]["summary"].startswith("cannot be read: it is not a sound PDF")
    assert answer.text.endswith("Of kinds that are not read: photo.png")


async def test_an_empty_folder(tmp_path: Path) -> None:
    answer = await Workbench(tmp_path, None).toolbox().get("list_materials").call({})
    assert (answer.text, answer.data) == ("There are no documents and no tables.", {"materials": []})


async def test_without_a_folder_there_are_no_materials() -> None:
    assert await Workbench(None, None).materials() == []


async def test_a_missing_folder_is_noticed_on_first_use_only(tmp_path: Path) -> None:
    bench = Workbench(tmp_path / "nowhere", None)
    bench.toolbox()
    with pytest.raises(UnknownFolder, match="nowhere"):
        await bench.materials()


async def test_tools_work_side_by_side(folder: Path) -> None:
    toolbox = Workbench(folder, None).toolbox()
    search, query = toolbox.get("search_documents"), toolbox.get("query_tables")
    calls = [search.call({"query": "wind"}), query.call({"sql": "SELECT count(*) FROM plants"})]
    answers = await asyncio.gather(*calls, *(query.call({"sql": f"SELECT {n}"}) for n in range(20)))
    assert [answer.data.get("rows") for answer in answers[1:]] == [[[1]], *([[n]] for n in range(20))]


async def test_after_closing_the_folder_is_read_again(folder: Path) -> None:
    bench = Workbench(folder, None)
    before = await bench.materials()
    bench.close()
    assert await bench.materials() == before


def test_every_parameter_is_explained_to_the_model(tmp_path: Path) -> None:
    for tool in Workbench(tmp_path, tmp_path).toolbox().tools.values():
        properties = tool.schema()["function"]["parameters"]["properties"]
        assert all(field.get("description") for field in properties.values()), tool.name
