import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agents.team_files import load_team
from domain.errors import InvalidSettings, ModelUnavailable
from domain.plans import Plan, Step
from evals.benchmarks.plan import Planner, run, split
from evals.benchmarks.plan_planners import templates
from evals.benchmarks.plan_rows import Row, agreement, read_rows
from evals.scripted import ScriptedServer
from memory.plan_shapes import Agreement
from tests.evals.benchmarks.plan_cases import cases
from understudy.cli.main import app


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "cases.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    return read_rows(written(tmp_path, cases(200)))


async def test_memory_plans_better_than_its_nearest_request(rows: list[Row]) -> None:
    figures = (await run(rows, memory=150)).figures
    ours, nearest = figures["memory"], figures["nearest"]
    for name in ("node_f1", "edge_f1", "exact"):
        assert ours[name] > nearest[name]
        assert ours["surest_half"][name] > ours[name]
    assert ours["at_0.8"]["exact"] > ours["exact"]
    assert (figures["memory_size"], figures["requests"]) == (150, 50)
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p95"]


def row(goal: str, *tools: str) -> Row:
    plan = Plan(steps=[Step(id=f"s{i}", agent="worker", task=t, tool=t) for i, t in enumerate(tools)])
    return Row(goal, tools, plan)


HALVES = [row("find the tea", "find"), row("sell the tea", "sell")]


async def test_another_way_to_plan_is_measured_on_what_it_can_plan() -> None:
    async def found(row: Row) -> Plan | None:
        if row.tools == ("sell",):
            raise ModelUnavailable("away")
        return row.plan

    always = Planner(found, lambda _: True)
    figures = (await run(HALVES, others={"perfect": always, "absent": None})).figures
    assert figures["absent"] is None
    away = figures["perfect"]["failed"]
    assert figures["perfect"] == {
        "node_f1": 1 - away,
        "edge_f1": 1 - away,
        "exact": 1 - away,
        "requests": 1,
        "failed": away,
    }


async def test_templates_plan_only_what_the_team_has_names_for() -> None:
    planner = templates(load_team("documents"))
    assert not planner.rows(row("find the tea", "find"))
    known = row("How did exports change? Write a brief.", "search", "summarise")
    assert planner.rows(known)
    plan = await planner.plan(known)
    assert plan is not None and {s.agent for s in plan.steps} >= {"search"}
    report = await run(HALVES, others={"templates": planner})
    assert report.figures["templates"] is None
    assert report.notes == ("templates: no request has only tools that it knows",)


def test_the_split_is_seeded_and_leaves_something_on_both_sides() -> None:
    rows = [row(str(i), "x") for i in range(10)]
    assert [len(part) for part in split(rows, 0.7, 0)] == [len(part) for part in split(rows, 7, 0)] == [7, 3]
    assert split(rows, 0.5, 1) == split(rows, 0.5, 1) != split(rows, 0.5, 2)
    for memory in (0.0, 0.01, 10, 99):
        with pytest.raises(InvalidSettings, match="nothing"):
            split(rows, memory, 0)


def test_no_plan_agrees_with_nothing() -> None:
    assert agreement(None, HALVES[0]) == Agreement(0.0, 0.0)


PAIR = [{"id": "n1", "tool": "find"}, {"id": "n2", "name": "sell"}]


@pytest.mark.parametrize(
    ("steps", "edges"),
    [
        (["find", "sell"], [[0, 1]]),
        (["find", "sell"], [["find", "sell"]]),
        (PAIR, [["n1", "n2"]]),
        (PAIR, [[0, 1], [0, 1]]),
        ([{"id": 1, "tool": "find"}, {"id": 0, "tool": "sell"}], [[1, 0]]),
    ],
    ids=["by place", "by name", "by id", "twice", "numbers as ids"],
)
def test_steps_and_edges_can_be_written_in_some_ways(tmp_path: Path, steps: list[Any], edges: list[Any]) -> None:
    plan = {"steps": steps, "edges": edges}
    [found] = read_rows(written(tmp_path, [{"goal": "g", "tools": ["find", "sell"], "plan": plan}]))
    assert [(s.tool, s.needs) for s in found.plan.steps] == [("find", []), ("sell", ["s0"])]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"goal": " "}, "is not"),
        ({"tools": "find"}, "is not"),
        ({"plan": {"steps": []}}, "is not"),
        ({"plan": ["find"]}, "is not"),
        ({"plan": {"steps": ["find", 3]}}, "3 is no step"),
        ({"plan": {"steps": ["fly"]}}, "fly, which is not among its tools"),
        ({"plan": {"steps": ["find", "sell"], "edges": [[0, 2]]}}, r"\[0, 2\] is no edge"),
        ({"plan": {"steps": ["find", "find"], "edges": [["find", "find"]]}}, "is no edge"),
        ({"plan": {"steps": ["find", "sell"], "edges": ["find"]}}, "is no edge"),
        ({"plan": {"steps": ["find", "sell"], "edges": [[0, 1], [1, 0]]}}, "wait for each other"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    good = {"goal": "g", "tools": ["find", "sell"], "plan": {"steps": ["find"], "edges": []}}
    with pytest.raises(InvalidSettings, match=rf"cases\.jsonl:2.*{message}"):
        read_rows(written(tmp_path, [good, good | change]))


def test_a_missing_or_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("missing", "empty"):
        with pytest.raises(InvalidSettings, match=name):
            read_rows(tmp_path / name)


def test_the_command_measures_the_configured_model_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = {"id": "a", "agent": "worker", "task": "find it", "tool": "find"}
    pair = [step, {"id": "b", "agent": "worker", "task": "sell it", "tool": "sell", "needs": ["a"]}]
    plan = {"steps": ["find", "sell"], "edges": [[0, 1]]}
    path = written(tmp_path, [{"goal": f"sell {n} teas", "tools": ["find", "sell"], "plan": plan} for n in range(6)])
    replies = [{"content": {"alternatives": [{"steps": steps}]}} for steps in (pair, [step])]
    monkeypatch.chdir(tmp_path)
    with ScriptedServer(replies) as server:
        for name, value in (("OPENAI_API_KEY", "none"), ("OPENAI_BASE_URL", server.base_url)):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "home"))
        command = ["bench", "plan", "--cases", str(path), "--model-requests", "2", "--json"]
        result = CliRunner().invoke(app, command)
    figures = json.loads(result.stdout)
    assert figures["templates"] is None
    assert figures["model"] == {
        "node_f1": pytest.approx((1 + 2 / 3) / 2), "edge_f1": 0.5, "exact": 0.5, "requests": 2, "failed": 0,
    }  # fmt: skip
    assert figures["memory"]["exact"] == 1.0
