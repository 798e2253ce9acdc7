"""A goal that asks for an effect does not get a remembered plan without it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.tools.files import file_tools
from agents.tools.registry import Toolbox
from domain.plans import Plan
from tests.graph.conftest import Opener, Theatre, Troupe, step
from tests.graph.test_road import FILE

ASKED = "Summarise how wind power grew in Iowa"


@pytest.fixture
async def stage(theatre: Opener, tmp_path: Path) -> Theatre:
    """A house that can write files, in which a question was answered by a plan that wrote none."""
    stage = theatre(Troupe(scores=[0.92]))
    stage.services = replace(stage.services, tools=Toolbox.of(file_tools(tmp_path / "out")))
    stage.reopen()
    await stage.say(ASKED)
    return stage


async def test_a_plan_without_the_file_that_is_asked_for_is_but_a_hint(stage: Theatre) -> None:
    state: Any = await stage.say(f"{ASKED} and save it as wind.md")
    assert (state["decision"]["source"], state["recall"]["confidence"]) == ("planner", 0.8)
    assert "Its plan does not do what the goal asks of write_file" in state["recall"]["explanation"]


async def test_a_goal_that_asks_for_no_file_gets_the_plan(stage: Theatre) -> None:
    state: Any = await stage.say("Summarise how wind power has grown in Iowa")
    assert state["decision"]["source"] == "memory"


async def test_a_plan_with_the_file_is_reused_and_writes_it_under_the_new_name(stage: Theatre, tmp_path: Path) -> None:
    stage.troupe.plans = [Plan(steps=[step("look", "writer"), FILE])]
    await stage.say("Summarise how solar power grew in Ohio and save it as solar.md")
    state: Any = await stage.say("Summarise how solar power grew in Ohio and save it as ohio.md")
    assert state["decision"]["source"] == "memory"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["ohio.md", "report.md"]
