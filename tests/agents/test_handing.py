"""What a specialist's model reads of earlier steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.cast import build_cast
from agents.context_cache import ContextCache
from agents.contracts import Assignment, Cast
from agents.handing import Handing
from agents.team import Team
from agents.team_files import load_team
from agents.tools.registry import Toolbox
from agents.transformers import Transformers, transformers_of
from domain.briefings import Briefing
from domain.outcomes import Source, StepResult
from domain.plans import Step

TABLE = {"columns": ["year", "sales"], "rows": [[2024, 12]], "sql": "SELECT 1"}
FOUND = StepResult(
    step="find", agent="researcher", text="x" * 400, data=TABLE,
    sources=[Source(name="a.md", quote="short"), Source(name="a.md", quote="a longer quote")],
)  # fmt: skip

FILE = """
name = "office"
description = "d"
[[specialists]]
name = "researcher"
description = "d"
[[specialists]]
name = "writer"
description = "d"
[[specialists]]
name = "auditor"
description = "d"
[[transformers]]
from = "researcher"
to = "writer"
use = ["trim"]
tokens = 20
[[transformers]]
from = "*"
to = "auditor"
use = []
"""


@pytest.fixture
def office(tmp_path: Path) -> Team:
    path = tmp_path / "office.toml"
    path.write_text(FILE)
    return load_team(path)


def assignment(team: Team, briefing: Briefing, to: str, found: StepResult = FOUND) -> Assignment:
    return Assignment(
        goal="How were sales?", briefing=briefing, team=team, emit=lambda event: None,
        step=Step(id="say", agent=to, task="Say it.", needs=["find"]), specialist=team.specialist(to),
        inputs={"find": found}, tools=Toolbox.of([]),
    )  # fmt: skip


def handed(handing: Handing, team: Team, briefing: Briefing, to: str, found: StepResult = FOUND) -> StepResult:
    [result] = handing.inputs(assignment(team, briefing, to, found))
    return result


def test_by_default_tables_become_text_and_sources_are_named_once(team: Team, briefing: Briefing) -> None:
    result = handed(Handing(), team, briefing, "writer")
    assert result.text == "x" * 400 + "\n\n| year | sales |\n| --- | --- |\n| 2024 | 12 |"
    assert (result.data, [s.quote for s in result.sources]) == ({"sql": "SELECT 1"}, ["a longer quote"])
    assert (result.step, result.agent, result.status) == ("find", "researcher", "done")


def test_the_team_file_says_what_stands_between_two(office: Team, briefing: Briefing) -> None:
    handing = Handing(transformers_of(office))
    trimmed = handed(handing, office, briefing, "writer")
    assert len(trimmed.text) < 60
    assert trimmed.data["rows"] == [[2024, 12]]
    assert handed(handing, office, briefing, "auditor") == FOUND
    assert handed(handing, office, briefing, "researcher").text.endswith("| 2024 | 12 |")


def test_what_cannot_be_transformed_is_handed_over_as_it_is(team: Team, briefing: Briefing) -> None:
    odd = FOUND.model_copy(update={"data": {"columns": [1], "rows": 7}})
    assert handed(Handing(), team, briefing, "writer", odd) == odd
    broken = FOUND.model_copy(update={"text": "half a pair: \ud800"})
    assert handed(Handing(), team, briefing, "writer", broken) is broken


def test_a_transformer_that_makes_no_result_of_it_changes_nothing(team: Team, briefing: Briefing) -> None:
    transformers = Transformers()
    transformers.register("*", "*", lambda context: {"text": 3})
    assert handed(Handing(transformers), team, briefing, "writer") == FOUND


def test_the_same_result_is_made_ready_once_in_a_workspace(team: Team, briefing: Briefing) -> None:
    handing = Handing()
    for to in ("writer", "researcher", "writer"):
        handed(handing, team, briefing, to)
    assert (handing.cache.status().misses, handing.cache.status().hits) == (1, 2)
    handed(handing, team, briefing.model_copy(update={"workspace": "other"}), "writer")
    assert handing.cache.status().misses == 2


async def test_the_model_reads_what_was_made_ready(stage: Callable[..., Any], office: Team, briefing: Briefing) -> None:
    on, cache = stage({"content": "Sales were 12."}, {"content": "Sales were 12."}), ContextCache()
    cast = build_cast(office, on.models, Cast(*[None] * 7), cache)  # type: ignore[arg-type]  # no twin is called
    for _ in range(2):
        await cast.specialist(assignment(office, briefing, "writer"))
    first, second = (request["messages"][1]["content"] for request in on.sent())
    assert first == second
    assert "x" * 100 not in first
    assert (cache.status().misses, cache.status().hits) == (1, 1)
