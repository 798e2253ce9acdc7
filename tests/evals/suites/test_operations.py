import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.suites.operations import history, service, wording
from evals.suites.operations.queueing import metrics
from evals.suites.operations.service import PARAMETERS, Broken, Refused, SourceAway
from evals.suites.state_file import WORLD

SERVICE: dict[str, Any] = {
    "hour": 9,
    "calls_per_hour": 240,
    "patience_seconds": 180,
    "noise": 0.03,
    "parameters": {"agents": 24, "handle_seconds": 300, "callback_after_seconds": 0, "automation_share": 0.0},
    "limits": {"agents": [5, 60]},
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "service.json"
    path.write_text(json.dumps(SERVICE))
    monkeypatch.setenv(WORLD, str(path))
    return path


def test_waiting_is_erlangs_where_nobody_gives_up() -> None:
    # 20 Erlangs on 24 agents: a textbook table gives a probability of delay of 0.298.
    found = metrics(SERVICE["parameters"], SERVICE | {"patience_seconds": 1e12})
    assert found.mean_wait_seconds == pytest.approx(0.2981 * 300 / 4, rel=0.01)
    assert found.service_level == pytest.approx(1 - 0.2981 * math.exp(-4 * 20 / 300), rel=0.01)
    assert found.occupancy == pytest.approx(20 / 24, rel=0.01)


inside = st.fixed_dictionaries(
    {name: st.integers(int(low), int(high)) if name == "agents" else st.floats(low, high)
     for name, (low, high) in PARAMETERS.items()}
)  # fmt: skip


@given(inside, st.floats(0, 5000))
def test_every_metric_is_sound_whatever_is_set(parameters: dict[str, float], calls: float) -> None:
    found = metrics(parameters, {"calls_per_hour": calls})
    shares = (found.service_level, found.abandoned, found.occupancy, found.resolved, found.satisfaction)
    assert all(0 <= share <= 1 for share in shares)
    assert found.mean_wait_seconds >= 0
    assert math.isfinite(found.cost_per_hour)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(10, 50))
def test_more_agents_cost_more_and_nobody_waits_longer(agents: int) -> None:
    few, many = (metrics(SERVICE["parameters"] | {"agents": n}, SERVICE) for n in (agents, agents + 1))
    assert many.cost_per_hour > few.cost_per_hour
    assert many.mean_wait_seconds <= few.mean_wait_seconds + 1e-9


def changed(world: Path, **more: Any) -> None:
    world.write_text(json.dumps(SERVICE | {"noise": 0.0} | more))


def test_parameters_are_set_and_put_back(world: Path) -> None:
    done = service.set_parameters({"agents": 30}, cost=168)
    assert done["before"] == {"agents": 24}
    assert service.was_set({"agents": 30}, cost=168)
    assert service.check_guards()["last_change"] == {"before": {"agents": 24}, "after": {"agents": 30}}
    assert service.put_back({"agents": 30}, cost=168) == "back to agents 24"
    assert not service.was_set({"agents": 30})
    with pytest.raises(Refused, match="set otherwise since"):
        service.put_back({"agents": 30})


def test_a_change_costs_no_more_than_was_allowed(world: Path) -> None:
    with pytest.raises(Refused, match=r"168\.00 dollars an hour more, and 100\.00 are allowed"):
        service.set_parameters({"agents": 30}, cost=100)
    assert json.loads(world.read_text()) == SERVICE


def test_no_change_is_made_that_is_foreseen_to_break_what_holds(world: Path) -> None:
    with pytest.raises(Refused, match=r"service_level 0\.6\d+ is not within 0\.8 and 1"):
        service.set_parameters({"agents": 18})
    assert json.loads(world.read_text()) == SERVICE
    changed(world, parameters=SERVICE["parameters"] | {"agents": 18})
    assert service.set_parameters({"agents": 20}, cost=56)["after"] == {"agents": 20}  # still broken, and no worse


def test_a_measurement_is_noisy_and_the_same_every_time(world: Path) -> None:
    assert service.status() == service.status()
    assert service.status()["metrics"] != service.forecast([{}])["candidates"][0]["metrics"]


def test_a_drift_shows_when_it_is_measured_and_breaks_a_guard(world: Path) -> None:
    changed(world, drift={"calls": 1.4})
    [foreseen] = service.forecast([{}])["candidates"]
    assert not foreseen["broken"]
    assert [each.split()[0] for each in service.status()["broken"]] == ["service_level", "abandoned"]
    with pytest.raises(Broken, match="service_level"):
        service.check_guards()


def test_candidates_are_foreseen_side_by_side_under_any_load(world: Path) -> None:
    found = service.forecast([{"agents": 22}, {}, {"agents": 30}], calls_per_hour=280)
    levels = [each["metrics"]["service_level"] for each in found["candidates"]]
    assert levels == sorted(levels)
    assert [bool(each["broken"]) for each in found["candidates"]] == [True, True, False]
    assert wording.of_forecast(found).endswith("keeps every guard: agents 30, 840.00 an hour.")
    assert service.status()["parameters"] == SERVICE["parameters"]


def test_a_source_fails_as_often_as_the_world_says(world: Path) -> None:
    changed(world, faults={"read_status": 1})
    with pytest.raises(SourceAway, match="does not answer"):
        service.status()
    assert service.status()["hour"] == 9


def test_the_history_is_what_the_simulation_says(tmp_path: Path) -> None:
    history.write(tmp_path / "hourly.csv")
    kept = Path(history.__file__).parent / "data" / "hourly.csv"
    assert (tmp_path / "hourly.csv").read_bytes() == kept.read_bytes()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "no parameter is named"),
        ({"mood": 1}, "no parameter mood"),
        ({"agents": 61}, "5 to 60"),
        ({"agents": 20.5}, "whole numbers"),
        ({"agents": True}, "whole numbers"),
        ({"automation_share": float("nan")}, "0 to 0.6"),
        ({"handle_seconds": "fast"}, "180 to 600"),
    ],
)
def test_what_is_not_allowed_changes_nothing(world: Path, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        service.set_parameters(parameters)
    assert json.loads(world.read_text()) == SERVICE
