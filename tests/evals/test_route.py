import json
from pathlib import Path

import pytest

from domain.errors import InvalidSettings
from evals.benchmarks.route import run
from evals.benchmarks.route_rows import Row, at_most, read_rows
from tests.memory.requests import ALIEN, requests

MEMORY = [Row(*row) for row in requests()]
QUERIES = [
    Row("please refund the blue jacket", "refunds"),
    Row("what is the weather in sydney", "weather"),
    Row("play the newest jazz", "music"),
    Row(ALIEN, None),
]


async def test_the_shipped_memory_is_measured() -> None:
    figures = (await run(MEMORY, QUERIES)).figures
    assert (figures["accuracy"], figures["auroc"]) == (1.0, 1.0)
    assert figures["at_0.8"]["unknown_reused"] == 0.0
    assert figures["at_0.8"]["coverage"] >= 2 / 3
    assert (figures["memory_size"], figures["routes"], figures["requests"]) == (120, 3, 4)
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p95"]


async def test_fewer_examples_a_route_can_be_measured() -> None:
    figures = (await run(MEMORY, QUERIES, per_route=2)).figures
    assert figures["memory_size"] == 6


async def test_the_curve_has_every_number_of_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evals.benchmarks.route.CURVE", (1, 5))
    figures = (await run(MEMORY, QUERIES, curve=True)).figures
    assert list(figures["by_examples"]) == ["1", "5"]
    assert figures["by_examples"]["5"]["at_0.8"].keys() == {"precision", "coverage", "unknown_reused"}


async def test_a_remembered_row_needs_a_route() -> None:
    with pytest.raises(InvalidSettings, match="needs a route"):
        await run([Row("do it", None)], QUERIES)


def test_rows_are_read_and_blank_lines_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"goal": "a", "route": "x"}) + "\n\n" + json.dumps({"goal": "b", "route": None}))
    assert read_rows(file) == [Row("a", "x"), Row("b", None)]


def test_a_line_separator_inside_of_a_goal_ends_no_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"goal": "one\u2028line", "route": "a"}\n', encoding="utf-8")
    assert read_rows(file) == [Row("one\u2028line", "a")]


@pytest.mark.parametrize(
    "line", ["no json", "[]", "3", '{"goal": "a"}', '{"goal": "", "route": "x"}', '{"goal": "a", "route": 3}']
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f'{{"goal": "a", "route": "x"}}\n{line}')
    with pytest.raises(InvalidSettings, match=r"rows\.jsonl:2"):
        read_rows(file)


def test_a_missing_or_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("missing", "empty"):
        with pytest.raises(InvalidSettings, match=name):
            read_rows(tmp_path / name)


def test_at_most_keeps_the_first_of_each_route() -> None:
    rows = [Row("a", "x"), Row("b", "x"), Row("c", "y")]
    assert at_most(rows, 1) == [Row("a", "x"), Row("c", "y")]
    assert at_most(rows, None) == rows
