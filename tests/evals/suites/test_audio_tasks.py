"""The recorded tasks of the audio suite as far as no model is needed: what they name exists and can be computed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from agents.team_files import load_team
from agents.tools.tables import Tables
from agents.transformers import approximate_tokens, transformers_of
from domain.plans import Effect, Plan
from domain.validation import validate_plan
from evals.recording.task import RecordedTask, read_task
from evals.suites.audio.listeners import Analysis, heard
from evals.suites.audio.room import RECORDINGS

SUITE = RECORDINGS.parent
TASKS = [read_task(path) for path in sorted((SUITE / "tasks").iterdir())]
TEAM = load_team("audio")
WRITES = {"write_file", "master_recording"}


class Catalogue:
    """A `domain.validation.Catalogue` of the team."""

    def agents(self) -> Sequence[str]:
        return [specialist.name for specialist in TEAM.specialists]

    def tools_of(self, agent: str) -> Sequence[str]:
        return TEAM.specialist(agent).tools

    def tool_effect(self, tool: str) -> Effect | None:
        return "write" if tool in WRITES else "none" if tool == "calculate" else "read"

    def argument_problems(self, tool: str, args: Mapping[str, Any]) -> Sequence[str]:
        return ()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_what_a_task_names_exists(task: RecordedTask) -> None:
    assert task.folder.name == task.name
    assert task.data == RECORDINGS.resolve()
    assert (task.folder / str(task.task.world)).is_file()
    assert len(task.expected) == len(task.task.turns)
    tools = {tool for specialist in TEAM.specialists for tool in specialist.tools}
    for turn in task.expected:
        if trajectory := turn.trajectory:
            assert {*trajectory.tools, *trajectory.forbidden_tools} <= tools
            assert {*trajectory.agents, *trajectory.forbidden_agents} <= set(Catalogue().agents())
        assert set(turn.effects or {}) <= WRITES
        assert {*(turn.questions.asked if turn.questions else ())} <= {c.name for c in TEAM.checkpoints}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_remembered_plans_can_run(task: RecordedTask) -> None:
    for remembered in task.before.tasks:
        plan = Plan.model_validate(remembered["plan"])
        assert validate_plan(plan, Catalogue()) == []
        assert plan.sequence == remembered["sequence"]
        named = [step.args["recording"] for step in plan.steps if "recording" in step.args]
        assert all((RECORDINGS / name).is_file() for name in named)


def test_the_engineer_is_handed_the_silences_as_text() -> None:
    reading = heard("studio", "silence", RECORDINGS / "interview.wav")
    context = {"text": reading.text, "data": reading.model_dump(mode="json", exclude_unset=True)}
    made = transformers_of(TEAM).apply("studio", "engineer", context)
    assert "| begin | end |" in made["text"]
    assert "rows" not in made["data"]
    assert approximate_tokens(made) <= 400


FIGURES = {
    f"{task.name}: {figure.name}": figure
    for task in TASKS
    for turn in task.expected
    if turn.result
    for figure in turn.result.figures
    if figure.name != "wanted"  # what the catalogue wants is not what was recorded
}
COLUMNS: dict[str, Analysis] = {"wanted_bpm": "tempo", "wanted_hertz": "pitch", "wanted_rms_db": "loudness"}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_what_the_studio_hears(name: str) -> None:
    """What is computed from the catalogue is true of the recording, so an answer that is measured well is right."""
    figure, catalogue = FIGURES[name], Tables(RECORDINGS)
    match = re.fullmatch(r"SELECT (\w+)( \+ [\d.]+)? FROM recordings WHERE recording = '([\w.]+)'", figure.sql)
    assert match is not None
    column, difference, recording = match.groups()
    try:
        wanted, stated = (
            float(catalogue.query(sql).rows[0][0]) for sql in (figure.sql.replace(difference or "", ""), figure.sql)
        )
    finally:
        catalogue.close()
    value = heard("studio", COLUMNS[column], RECORDINGS / recording).value or 0.0
    assert (wanted - value if difference else value) == pytest.approx(stated, rel=figure.tolerance)
