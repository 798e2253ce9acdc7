"""What people wrote of the tasks of marketing and documents is sound, before anything of them is played."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.team_files import load_team
from agents.tools.tables import Tables
from agents.tools.workbench import Workbench
from domain.validation import validate_plan
from evals import suites
from evals.recording.task import RecordedTask, read_task
from graph.catalogue import RunCatalogue
from memory.constraints import parsed_rule
from memory.profiles import Profile
from memory.task_record import TTL_SECONDS, TaskRecord

SUITES = Path(suites.__file__).parent
FOLDERS = [task for suite in ("marketing", "documents") for task in sorted((SUITES / suite / "tasks").iterdir())]


@pytest.fixture(scope="module")
def loaded() -> Iterator[dict[Path, Tables]]:
    """The tables of each folder, loaded once."""
    found: dict[Path, Tables] = {}
    yield found
    for tables in found.values():
        tables.close()


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def task(request: pytest.FixtureRequest) -> RecordedTask:
    return read_task(request.param)


def test_a_task_is_whole_and_told_about(task: RecordedTask) -> None:
    suite = task.folder.parents[1]
    assert (task.name, task.task.team) == (task.folder.name, suite.name)
    assert task.task.about
    assert task.data is not None
    assert task.data.is_dir()
    assert len(task.expected) == len(task.task.turns)
    assert (suite / "README.md").read_text().count(f"`{task.name}`") == 1


def test_each_figure_is_one_number_of_the_data(task: RecordedTask, loaded: dict[Path, Tables]) -> None:
    assert task.data is not None
    tables = loaded.setdefault(task.data, Tables(task.data))
    for turn in task.expected:
        for figure in turn.result.figures if turn.result else ():
            ((number,),) = tables.query(figure.sql).rows
            assert float(number) > 0, figure.name


def test_what_was_known_before_can_be_remembered_and_its_plans_run(task: RecordedTask, tmp_path: Path) -> None:
    team = load_team(task.task.team)
    catalogue = RunCatalogue(team, Workbench(task.data, tmp_path).toolbox())
    for value in task.before.tasks:
        record = TaskRecord.model_validate(value | {"workspace": "w"})
        assert -TTL_SECONDS < record.updated <= 0
        assert record.created <= record.updated
        assert record.plan is not None
        assert (record.team, record.sequence) == (team.name, record.plan.sequence)
        assert validate_plan(record.plan, catalogue) == [], record.goal
    Profile.model_validate(task.before.profile)
    assert [parsed_rule(rule).id for rule in task.before.rules] == [rule["id"] for rule in task.before.rules]
