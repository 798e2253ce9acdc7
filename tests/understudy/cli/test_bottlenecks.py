"""`understudy bottlenecks`, and what `understudy trace` says about the critical path."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import Result

from graph.critical_path import critical_path
from tests.graph.timed_runs import usual_run
from understudy.cli.critical_text import path_tree

Invoke = Callable[..., Result]
ENERGY = str(Path(__file__).parents[3] / "examples" / "energy")


@pytest.fixture
def thread(understudy: Invoke) -> str:
    """A run that has ended."""
    result = understudy("run", "Compare wind with coal", "--data", ENERGY, "--json")
    assert result.exit_code == 0, result.stderr
    return str(json.loads(result.stdout.splitlines()[0])["thread"])


def test_bottlenecks_add_up_to_the_time_of_the_runs(understudy: Invoke, thread: str) -> None:
    found = json.loads(understudy("bottlenecks", "--json").stdout)
    assert (found["runs"], found["slowest"]) == (1, 1)
    assert sum(share["share"] for share in found["path"]) == pytest.approx(1)
    assert {"agent", "node"} <= {share["kind"] for share in found["path"]}
    assert "tool" in {share["kind"] for share in found["inside"]}
    trace = json.loads(understudy("trace", thread, "--json").stdout)
    assert trace["critical_path"]["segments"][-1]["name"] == "remember"
    assert found["p95"] == pytest.approx(trace["seconds"])


def test_bottlenecks_are_printed_as_three_tables(understudy: Invoke, thread: str) -> None:
    tables = understudy("bottlenecks").stdout.split("\n\n")
    heads = [table.split("\t")[0] for table in tables]
    assert heads == ["on the critical path", "tool or model", "kind"]
    assert tables[2].splitlines()[1].startswith("comparison\t1\t")


def test_without_runs_the_tables_are_empty(understudy: Invoke) -> None:
    result = understudy("bottlenecks")
    assert (result.exit_code, len(result.stdout.strip().splitlines())) == (0, 5), result.stdout


def test_a_trace_shows_its_critical_path_and_can_be_drawn(understudy: Invoke, thread: str, tmp_path: Path) -> None:
    shown = understudy("trace", thread, "--picture", "run.svg")
    assert shown.exit_code == 0, shown.stderr
    assert "critical path" in shown.stdout
    assert (tmp_path / "run.svg").read_text().count("<svg") == 1


def test_the_path_is_told_in_words() -> None:
    console = Console(width=100, file=io.StringIO(), record=True)
    trace = usual_run()
    console.print(path_tree(trace, critical_path(trace)))
    lines = [" ".join(line.strip("│├└─ ").split()) for line in console.export_text().splitlines()]
    assert lines == [
        "critical path 20.00 s",
        "0.20 s 1% supervisor (no model at work)",
        "0.80 s 4% role supervisor",
        "2.00 s 10% role planner",
        "5.00 s 25% analyst works (analyse)",
        "3.00 s 15% writer works (write)",
        "3.00 s 15% role critic",
        "5.00 s 25% waits for a person (deliver)",
        "0.50 s 2% writer works (deliver)",
        "0.50 s 2% remember (no model at work)",
        "not on it, with slack: search 3.00 s, extra 4.00 s",
    ]
