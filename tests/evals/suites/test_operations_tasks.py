"""The tasks of the suite, and the team with its real server: without a model, along remembered plans."""

import json
import shutil
import time
from pathlib import Path

import pytest

from agents.team_files import load_team
from agents.tools.foreign import plain_schema
from agents.tools.json_parameters import parameters_of
from agents.tools.tables import Tables
from domain.errors import InvalidArguments
from evals.recording.task import RecordedTask, read_task
from evals.suites.operations import server
from evals.suites.state_file import WORLD
from memory.task_record import TaskRecord
from understudy.evaluation.before import put_before
from understudy.orchestrator import Orchestrator
from understudy.settings import load_settings

SUITE = Path(server.__file__).parent
TASKS = [read_task(folder) for folder in sorted((SUITE / "tasks").iterdir())]


async def test_the_plans_that_tasks_remember_fit_the_team_and_its_server() -> None:
    team = load_team("operations")
    forms = {
        tool.name: parameters_of(tool.name, plain_schema(tool.inputSchema)) for tool in await server.server.list_tools()
    }
    assert {tool.name for tool in team.tools} == forms.keys()
    known = [TaskRecord.model_validate(value | {"workspace": "w"}) for task in TASKS for value in task.before.tasks]
    steps = [step for record in known if record.plan for step in record.plan.steps]
    assert len(steps) > len(known) > 0
    for step in steps + [step for template in team.templates for step in template.steps]:
        assert step.tool is None or step.tool in team.specialist(step.agent).tools
        if step.tool in forms:
            forms[step.tool].model_validate(step.args)


def test_every_figure_that_is_expected_can_be_computed() -> None:
    tables = Tables(SUITE / "data")
    try:
        figures = [f for task in TASKS for turn in task.expected if turn.result for f in turn.result.figures]
        assert len(figures) >= 5
        for figure in figures:
            [[value]] = tables.query(figure.sql).rows
            assert float(value) > 0, figure.name
    finally:
        tables.close()


def test_every_task_is_about_something_of_its_own() -> None:
    assert len(TASKS) >= 9
    assert len({task.task.about for task in TASKS}) == len(TASKS)
    for task in TASKS:
        assert task.name == task.folder.name
        assert task.task.world is not None and (task.folder / task.task.world).is_file()
        assert task.expected


def named(name: str) -> RecordedTask:
    return next(task for task in TASKS if task.name == name)


async def test_a_change_that_goes_wrong_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task, world = named("change-rolled-back"), tmp_path / "world.json"
    assert task.task.world and task.task.turns[0].say
    shutil.copyfile(task.folder / task.task.world, world)
    monkeypatch.setenv(WORLD, str(world))
    settings = load_settings(home=tmp_path / "home", team="operations", out=tmp_path / "out", retry_pause=0.0)
    async with Orchestrator(settings) as understudy:
        await put_before(understudy._house, "default", task.before, time.time())
        result = await understudy.run(task.task.turns[0].say)
        standing = await understudy.tools.standing("set_parameters")
    assert result.outcome is not None
    assert result.outcome.undone == ["set_parameters for step 'change': Set agents to 21."]
    assert json.loads(world.read_text())["parameters"]["agents"] == 24
    assert "agents" in json.dumps(standing.tool.schema())
    with pytest.raises(InvalidArguments, match="600 is greater than the maximum of 60"):
        standing.tool.validated({"parameters": {"agents": 600}})
