"""Results as a prompt shows them: nothing twice, and nothing lost."""

from pathlib import Path
from typing import Any

import pytest

from agents.roles.sections import results
from agents.tools.workbench import Workbench
from domain.outcomes import Source, StepResult

PASSAGE = "Wind turbines at the coast were repaired in March, after the storm of the winter."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wind.md").write_text(f"# Wind\n\n{PASSAGE}\n")
    (tmp_path / "plants.csv").write_text("plant,share\nhill,1.0\ncoast,2.5\n")
    return tmp_path


async def found(folder: Path, tool: str, **args: Any) -> StepResult:
    output = await Workbench(folder, None).toolbox().get(tool).call(args)
    return StepResult(step="find", agent="a", text=output.text, data=output.data, sources=list(output.sources))


@pytest.mark.parametrize(
    ("tool", "args", "once"),
    [
        ("search_documents", {"query": "turbines repaired"}, PASSAGE),
        ("read_document", {"name": "wind.md"}, PASSAGE),
        ("query_tables", {"sql": "SELECT * FROM plants WHERE share < 2"}, "hill"),
        ("query_tables", {"sql": "SELECT * FROM plants WHERE share < 2"}, "share < 2"),
    ],
)
async def test_what_a_tool_gave_is_shown_once(folder: Path, tool: str, args: dict[str, Any], once: str) -> None:
    result = await found(folder, tool, **args)
    assert results([result]).count(once) == 1
    assert '<data name="find data">' not in results([result])
    assert f"; keys of its data: {', '.join(result.data)}" in results([result], keys=True)


async def test_a_finding_is_shown_beside_what_it_was_made_of(folder: Path) -> None:
    raw = await found(folder, "search_documents", query="turbines repaired")
    shown = results([raw.model_copy(update={"text": "They were repaired [wind.md]."})])
    assert shown.count(PASSAGE) == 1 and '<data name="find data">' in shown


def test_short_values_stay_so_that_a_finding_can_be_held_against_them() -> None:
    data = {"rooms": [{"name": "kitchen", "open": True, "degrees": 21}]}
    shown = results([StepResult(step="find", agent="a", text="The kitchen is closed, 21 degrees.", data=data)])
    assert '{"rooms":[{"name":"kitchen","open":true,"degrees":21}]}' in shown


def test_data_beyond_the_text_that_is_shown_is_not_lost() -> None:
    text = "x" * 8000 + PASSAGE
    sources = [Source(name="wind.md", quote=PASSAGE)]
    shown = results([StepResult(step="find", agent="a", text=text, data={"text": PASSAGE}, sources=sources)])
    assert shown.count(PASSAGE) == 1
