import pytest

from agents.tools.registry import Tool
from domain.errors import InvalidArguments
from evals.benchmarks.tools import run, tools


@pytest.mark.parametrize("tool", tools())
def test_both_tools_refuse_what_does_not_fit(tool: Tool) -> None:
    assert tool.validated({"query": "a", "status": "open"})
    for wrong in ({"status": "open"}, {"query": "a", "status": "shut"}, {"query": "a", "status": "open", "x": 1}):
        with pytest.raises(InvalidArguments):
            tool.validated(wrong)


def test_the_report_has_every_figure() -> None:
    report = run(calls=100, runs=3)
    rates = [report.figures[name] for name in ("json_schema_per_s", "function_per_s", "pydantic_per_s")]
    assert rates == sorted(rates)  # each does what the next one does, and more
    assert 0 < report.figures["function_of_pydantic"] < 1
    assert report.figures["call_us"] > 0
