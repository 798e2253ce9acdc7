"""Every scorer is held against one real run: what it did passes, anything else fails and says why."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agents.tools.tables import Tables
from evals.scoring.evidence import Evidence
from evals.scoring.expectations import ExpectedTurn, Score
from evals.scoring.scorer import scored
from graph.tracing import traced
from understudy.orchestrator import Orchestrator
from understudy.settings import load_settings

DATA = Path(__file__).parents[3] / "examples" / "energy"
GOAL = "Compare how wind and coal changed between 2001 and 2017 and write a brief"
RENEWABLES = """SELECT sum(net_generation) FROM "iowa_electricity" WHERE source = 'Renewables' AND year = 2017"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Return what a run of the example left behind, approved by a person."""
    return asyncio.run(_run(tmp_path_factory.mktemp("scored")))


async def _run(home: Path) -> Evidence:
    out = home / "out"
    async with Orchestrator(load_settings(home=home / "home", data=DATA, out=out)) as understudy:
        asked = await understudy.run(GOAL)
        events = list(asked.events)
        events += [s async for s in understudy.resume(asked.thread, {"decisions": [{"type": "approve"}]})]
        trace = await understudy.trace(asked.thread)
    return Evidence(events, trace, data=DATA, tables=Tables(DATA), out=out)


def failed(seen: Evidence, **expected: Any) -> list[Score]:
    return [score for score in scored(ExpectedTurn.model_validate(expected), seen) if not score.passed]


def test_what_happened_is_what_is_expected(seen: Evidence) -> None:
    assert seen.plan is not None
    steps = {s.id: s.agent + (f":{s.tool}" if s.tool else "") for s in seen.plan.steps}
    edges = [(a, s.id) for s in seen.plan.steps for a in sorted(s.inputs()) if a in steps]
    expected = {
        "route": {"source": ["planner"], "sequence": seen.plan.sequence, "band": ["plan"], "confidence": [0, 0.5]},
        "plan": {"steps": steps, "edges": edges},
        "trajectory": {"agents": seen.agents, "tools": ["write_file"], "forbidden_tools": ["calculate_taxes"]},
        "questions": {"asked": ["before_writing"], "not_asked": ["review_plan"], "at_most": 1},
        "result": {
            "status": ["done"], "contains": ["COAL"], "lacks": ["lorem"], "citations": True, "files": ["*.md"],
            "figures": [{"name": "renewables", "sql": RENEWABLES}],
        },
        "quality": {"critic": 0.5, "rubric": 0.5},
        "effects": {"write_file": 1},
    }  # fmt: skip
    assert failed(seen, **expected) == []


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        ({"route": {"source": ["memory"]}}, "route.source"),
        ({"route": {"sequence": ["nobody"]}}, "route.sequence"),
        ({"route": {"band": ["reuse"]}}, "route.band"),
        ({"route": {"confidence": [0.9, 1]}}, "route.confidence"),
        ({"plan": {"steps": {"one": "someone:else"}, "edge_f1": 0}}, "plan.node_f1"),
        ({"trajectory": {"agents": ["write", "search"], "exact": True}}, "trajectory.agents"),
        ({"trajectory": {"tools": ["send_mail"]}}, "trajectory.tools"),
        ({"trajectory": {"forbidden_tools": ["write_file"]}}, "trajectory.forbidden_tools"),
        ({"questions": {"asked": ["strategy_review"]}}, "questions.strategy_review"),
        ({"questions": {"not_asked": ["before_writing"]}}, "questions.not_before_writing"),
        ({"questions": {"at_most": 0}}, "questions.at_most"),
        ({"result": {"status": ["failed"]}}, "result.status"),
        ({"result": {"contains": ["unicorn|dragon"]}}, "result.contains"),
        ({"result": {"lacks": ["coal"]}}, "result.lacks"),
        ({"result": {"files": ["*.pdf"]}}, "result.files"),
        ({"result": {"figures": [{"name": "x", "sql": "SELECT 123456789"}]}}, "result.figure.x"),
        ({"quality": {"critic": 1.0}}, "quality.critic"),
        ({"quality": {"rubric": 1.0}}, "quality.rubric"),
        ({"effects": {}}, "effects.count"),
        ({"effects": {"write_file": 2}}, "effects.count"),
    ],
)
def test_anything_else_fails_and_says_why(seen: Evidence, expected: dict[str, Any], name: str) -> None:
    scores = failed(seen, **expected)
    assert [score.name for score in scores] == [name]
    assert scores[0].detail


def test_a_scorer_that_breaks_down_is_named_and_the_others_go_on(seen: Evidence) -> None:
    expected = {
        "result": {"figures": [{"name": "x", "sql": "SELECT nonsense FROM nowhere"}]},
        "effects": {"write_file": 1},
    }
    scores = scored(ExpectedTurn.model_validate(expected), seen)
    assert [score.name for score in scores if not score.passed] == ["result.error"]
    assert "effects.count" in {score.name for score in scores if score.passed}


def test_efficiency_is_recorded_and_fails_nothing(seen: Evidence) -> None:
    found = {score.name: score for score in scored(ExpectedTurn(), seen) if score.kind == "efficiency"}
    assert found["efficiency.calls"].value == 0
    assert found["efficiency.degraded_share"].value == 0.75  # a tool's step is nobody's twin's
    assert all(score.passed for score in found.values())


def test_a_turn_that_waits_has_no_result(seen: Evidence) -> None:
    waiting = Evidence(seen.events[:5], traced(list(seen.events[:5]), []))
    assert [s.name for s in failed(waiting, result={"status": ["done"]})] == ["result"]


@pytest.mark.parametrize(
    "expected",
    [
        {"route": {"source": ["oracle"]}},
        {"route": {"confidence": [0.9, 0.1]}},
        {"plan": {"steps": {"a": "x"}, "edges": [["a", "b"]]}},
        {"result": {"statis": ["done"]}},
        {"questions": {"at_most": -1}},
    ],
)
def test_an_expectation_that_cannot_be_right_is_refused(expected: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ExpectedTurn.model_validate(expected)
