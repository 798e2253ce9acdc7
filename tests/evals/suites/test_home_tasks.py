"""What the suite's tasks begin with fits the team and the household that they are played with."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.team_files import load_team
from domain.constraints import RULE
from domain.plans import Plan, Step
from evals.recording.task import RecordedTask, read_task
from evals.suites import found
from evals.suites.home import household
from evals.suites.state_file import WORLD
from memory.profiles import Profile
from understudy.evaluation.before import put_before
from understudy.orchestrator import Orchestrator
from understudy.settings import load_settings
from understudy.wiring import House

(SUITE,) = found(["home"])
TASKS = [read_task(folder) for folder in SUITE.tasks]
TEAM = load_team("home")


def test_the_suite_has_tasks_of_every_kind() -> None:
    turns = [turn for task in TASKS for turn in task.task.turns]
    decisions = {decision["type"] for turn in turns for decision in turn.decide or ()}
    assert len(TASKS) >= 10
    assert {"approve", "edit", "reject"} <= decisions
    assert any(turn.wait for turn in turns)
    assert any(len(task.task.turns) > 1 and not task.task.turns[1].anew for task in TASKS)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_what_is_remembered_can_be_run_by_the_team(task: RecordedTask) -> None:
    tools = {tool.name: tool for tool in TEAM.tools}
    for step in _remembered(task):
        specialist = TEAM.specialist(step.agent)
        assert step.tool is None or (step.tool in specialist.tools and tools[step.tool].effect == step.effect)
    Profile.model_validate(task.before.profile)
    for rule in task.before.rules:
        RULE.validate_python(rule)
    assert task.task.started % 60 == 0
    assert len(task.expected) == len(task.task.turns)


@pytest.mark.parametrize("world", sorted((SUITE.folder / "worlds").glob("*.json")), ids=lambda path: path.stem)
def test_devices_of_a_world_have_settings_that_they_take_and_are_in_the_manual(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, Any] = json.loads(world.read_text())
    manual = (SUITE.folder / "data" / "device_manuals.md").read_text()
    for name, device in state["devices"].items():
        assert f"| {name} | {device['room']} |" in manual
        device |= {"online": True, "fails": 0}
    copy = tmp_path / "world.json"
    copy.write_text(json.dumps(state))
    monkeypatch.setenv(WORLD, str(copy))
    for name, device in state["devices"].items():
        for setting, value in device["settings"].items():
            _set_again(name, device["kind"], setting, value)
    assert household.circumstances()["power_in_use"] <= state["power_limit"]


def _set_again(name: str, kind: str, setting: str, value: Any) -> None:
    if kind in household.SAFE:
        (household.secure if household.SAFE[kind][value] else household.open_up)(name, value)
    elif kind == "appliance":
        household.run_appliance(name, value)
    else:
        household.set_device(name, setting, value)


def test_a_device_of_memory_is_one_of_the_world() -> None:
    for task in TASKS:
        assert task.task.world is not None
        devices = json.loads((task.folder / task.task.world).read_text())["devices"]
        named = {step.args["device"] for step in _remembered(task) if "device" in step.args}
        assert named <= devices.keys(), task.name


async def test_whoever_leaves_is_told_of_the_window_that_cannot_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = read_task(SUITE.folder / "tasks" / "leaving-with-an-open-window")
    world = tmp_path / "world.json"
    world.write_bytes((task.folder / str(task.task.world)).read_bytes())
    monkeypatch.setenv(WORLD, str(world))
    settings = load_settings(home=tmp_path / "data", team="home", user="ana", retry_pause=0)
    house = House(settings)
    async with Orchestrator(settings, house=house) as understudy:
        await put_before(house, settings.workspace, task.before, time.time())
        outcome = (await understudy.run("We are leaving: make the house safe.")).outcome
    assert outcome is not None
    assert outcome.plan is not None
    assert (outcome.status, outcome.plan.source) == ("done", "memory")
    for told in ("front_door: state is now locked", "alarm: state is now away", "kitchen_window cannot be reached"):
        assert told in outcome.answer
    states = {name: d["settings"].get("state") for name, d in json.loads(world.read_text())["devices"].items()}
    assert states["back_door"] == "locked"
    assert states["kitchen_window"] == "open"


def _remembered(task: RecordedTask) -> Iterator[Step]:
    for value in task.before.tasks:
        yield from Plan.model_validate(value["plan"]).steps
