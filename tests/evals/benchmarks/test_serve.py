"""The service benchmark on one small installation: what it counts, and that nothing is lost when processes die."""

import asyncio
from collections.abc import Iterator

import pytest

from domain.errors import MissingExtra
from evals.benchmarks import serve_load, serve_pages
from evals.benchmarks.serve import SCENARIOS, UnknownScenario, chosen_scenarios
from evals.benchmarks.serve_clients import Session, Turn, quantile
from evals.benchmarks.serve_effects import happened
from evals.benchmarks.serve_kills import kills
from evals.benchmarks.serve_sessions import rejoin, sessions
from evals.benchmarks.serve_stage import MemoryWatch, Stage, open_stage
from evals.report import Report


def silent(said: str) -> None:
    """Nobody looks."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage(workers=1, delay=0.01, tell=silent, marks=50) as opened:
        yield opened


@pytest.mark.timeout(300)
def test_an_installation_is_measured_from_its_conversations_to_its_kills(stage: Stage) -> None:
    talked = asyncio.run(sessions(stage, sessions=2, seconds=2, think=0.1, delay=0.01))
    joined = asyncio.run(rejoin(stage, joins=2))
    killed = asyncio.run(kills(stage, clients=2, kills=1, every=0.5, seed=3, tell=silent))
    turns = talked["turns"]
    assert isinstance(turns, int) and turns > 0
    wrong = ("failed_turns", "lost_events", "events_twice")
    assert [talked[name] for name in wrong] == [0, 0, 0]
    assert set(talked["rss_mb"]) >= {"api-1", "api-2", "worker-1"}  # type: ignore[call-overload]  # a mapping
    assert joined["wrong_events"] == 0
    lost = ("lost_runs", "effects_twice", "effects_missing", "restarted_by_hand", "lost_events", "events_twice")
    assert {name: killed[name] for name in lost} == dict.fromkeys(lost, 0)
    assert killed["kills"] == 1
    marks = happened(stage.effects)
    assert len(marks) == killed["runs"] and set(marks.values()) == {1}


@pytest.mark.timeout(120)
def test_a_bare_graph_does_turns_on_the_same_database_and_model(stage: Stage) -> None:
    before = stage.model.report()["served"]
    done = asyncio.run(serve_load.bare(stage, {"calls": 1, "steps": 3}, processes=1, seconds=5))
    assert done.turns > 0 < done.cpu
    assert stage.model.report()["served"] >= before + done.turns


def event(number: int, kind: str, **more: object) -> dict[str, object]:
    return {"seq": number, "type": kind, "time": 0.0, **more}


def test_a_session_counts_events_that_it_missed_or_heard_twice() -> None:
    session = Session(http=None, urls=["http://127.0.0.1"])  # type: ignore[arg-type]  # nothing is sent
    new = [session._is_new(event(number, "step_started")) for number in (1, 2, 2, 5)]
    assert (new, session.missed, session.twice, session.seen) == ([True, True, False, True], 2, 1, 5)


def test_calls_side_by_side_count_once_on_the_critical_path() -> None:
    def call(ended: float, seconds: float, step: str | None) -> dict[str, object]:
        return {"type": "model_called", "time": ended, "seconds": seconds, "step": step}

    calls = [call(1.0, 1.0, None), call(3.0, 2.0, "a"), call(3.5, 2.0, "b"), call(5.0, 1.0, "c")]
    assert Turn(6.0, 0.1, calls, 0).model_seconds == pytest.approx(1.0 + 2.5 + 1.0)


def test_memory_that_grows_shows_as_a_slope_of_its_second_half() -> None:
    watch = MemoryWatch(cluster=None, samples={"api-1": [(0, 90), (1, 100), (2, 101), (3, 102)]})  # type: ignore[arg-type]
    assert watch.figures()["api-1"] == {"first": 90, "last": 102, "mb_per_minute": pytest.approx(60)}


def test_a_quantile_is_a_value_that_was_seen() -> None:
    assert [quantile([3.0, 1.0, 2.0], share) for share in (0.0, 0.5, 1.0)] == [1.0, 2.0, 3.0]


def test_scenarios_keep_their_order_and_unknown_ones_are_refused() -> None:
    assert chosen_scenarios([]) == list(SCENARIOS)
    assert chosen_scenarios(["kills", "sessions"]) == ["sessions", "kills"]
    with pytest.raises(UnknownScenario, match="throughput"):
        chosen_scenarios(["thruput"])


def test_every_aim_belongs_to_a_figure_of_its_scenario_and_a_missing_one_is_a_miss() -> None:
    for name, (_, aims) in SCENARIOS.items():
        assert aims and all(aim.figure.startswith(f"{name}.") for aim in aims)
        assert not Report("serve", {name: {}}, aims).passed


def test_pages_without_a_browser_say_what_is_missing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingExtra, match="apt-get install chromium"):
        asyncio.run(serve_pages.pages(stage, visits=1))
