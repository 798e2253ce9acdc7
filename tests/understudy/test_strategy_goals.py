import pytest

from agents.delegation.standings import Standing
from memory.episodes import Episode
from memory.friction import FrictionWeek
from memory.goals import Direction, StrategicGoal
from memory.provenance import Provenance
from understudy.strategy_goals import figures_of_agent, figures_of_runs, progress
from understudy.summaries import execution_summary

PERSON = Provenance(writer="person", user="ada")


def _goal(direction: Direction, target: float, baseline: float | None, due: float | None = None) -> StrategicGoal:
    return StrategicGoal(
        id="g", name="g", measure="quality", target=target, direction=direction, due=due, baseline=baseline,
        created=0.0, provenance=PERSON,
    )  # fmt: skip


def _episode(**given: object) -> Episode:
    told = {
        "run": "r", "started": 1.0, "team": "t", "goal": "g", "task": "k", "sequence": ["writer"], "status": "done",
        "success": True, "provenance": PERSON,
    }  # fmt: skip
    return Episode.model_validate(told | given)


@pytest.mark.parametrize(
    ("direction", "target", "baseline", "value", "met", "done"),
    [
        ("at_least", 0.8, 0.4, 0.6, False, 0.5),
        ("at_least", 0.8, 0.4, 0.8, True, 1.0),
        ("at_least", 0.8, 0.4, 0.2, False, 0.0),
        ("at_most", 2.0, 10.0, 4.0, False, 0.75),
        ("at_most", 2.0, 1.0, 3.0, False, 0.0),
        ("at_least", 0.8, None, 0.5, False, None),
        ("at_least", 0.8, 0.4, None, None, None),
    ],
)
def test_a_goal_has_come_so_far(
    direction: Direction, target: float, baseline: float | None, value: float | None, met: bool | None,
    done: float | None,
) -> None:  # fmt: skip
    found = progress(_goal(direction, target, baseline), value, now=0.0)
    assert found.met is met
    assert found.done == (None if done is None else pytest.approx(done))


def test_a_goal_is_overdue_only_while_it_is_not_met() -> None:
    goal = _goal("at_least", 0.8, 0.4, due=10.0)
    assert [progress(goal, 0.5, now=now).overdue for now in (9.0, 10.0)] == [False, True]
    assert not progress(goal, 0.9, now=11.0).overdue


def test_figures_of_runs_leave_out_what_was_not_measured() -> None:
    assert figures_of_runs([], [], []) == {"runs": 0.0, "taps": 0.0, "dialogs": 0.0}


def test_figures_of_runs_are_means_and_shares() -> None:
    episodes = [
        _episode(source="memory", quality=0.8, seconds=2.0, approvals=2, overrides=1),
        _episode(source="planner", success=False, status="failed", seconds=4.0),
    ]
    week = FrictionWeek("2026-W01", "ada", 3, 1, 0, 0, 0, None)
    found = figures_of_runs(episodes, [True, False, False, True], [week])
    assert found["success_rate"] == found["reuse_rate"] == found["complaint_rate"] == found["override_rate"] == 0.5
    assert (found["seconds"], found["quality"], found["taps"]) == (3.0, 0.8, 3.0)


def test_figures_of_an_agent_weigh_its_kinds_of_steps_by_their_number() -> None:
    standings = [Standing("a", "w", 3, 3, 1.0, 1.0, 0.0), Standing("b", "w", 1, 0, 0.0, 5.0, 4.0)]
    found = figures_of_agent(standings)
    assert found == {"runs": 4.0, "success_rate": 0.75, "quality": 0.75, "seconds": 2.0, "cost": 1.0}
    assert figures_of_agent([]) == {"runs": 0.0}


def test_errors_that_keep_coming_back_are_summed_up_the_commonest_first() -> None:
    broken = {"success": False, "status": "failed"}
    episodes = [
        _episode(run="c", started=3.0, error_code="tool_timeout", sequence=["reader", "writer"], **broken),
        _episode(run="b", started=2.0),
        _episode(run="a", started=1.0, error_code="tool_timeout", **broken),
        _episode(run="0", started=0.0, error_code="budget_exceeded", **broken),
    ]
    summary = execution_summary(episodes)
    assert [(error.code, error.runs, error.share, error.latest_run) for error in summary.errors] == [
        ("tool_timeout", 2, 0.5, "c"),
        ("budget_exceeded", 1, 0.25, "0"),
    ]
    assert summary.errors[0].agents == ["writer", "reader"]
    assert (summary.runs, summary.since, summary.success_rate) == (4, 0.0, 0.25)


def test_a_workspace_without_runs_has_a_summary_too() -> None:
    summary = execution_summary([])
    assert (summary.runs, summary.success_rate, summary.median_seconds, summary.errors) == (0, None, None, [])
