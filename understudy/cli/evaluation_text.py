"""What recorded tasks gave, for a person: failures with their reasons, each task's cost, counts by suite."""

from collections.abc import Sequence

import typer

from evals.results import SuiteResult, TaskResult
from understudy.cli.tables import print_table
from understudy.cli.text import clean, excerpt, one_line

_DIFF_LINES = 20


def print_results(suites: Sequence[SuiteResult]) -> None:
    """Print results, those that failed first."""
    for result in (result for suite in suites for result in suite.ordered if not result.passed):
        _print_failure(result)
    every = [result for suite in suites for result in suite.ordered]
    rows = [
        (
            _name(result),
            "yes" if result.passed else "NO",
            len(result.drifts),
            result.calls,
            result.tokens,
            _seconds(result),
        )
        for result in sorted(every, key=lambda result: result.passed)
    ]
    print_table("Tasks", ("task", "passed", "drifts", "model calls", "tokens", "model seconds"), rows)
    _print_suites(suites)


def _print_failure(result: TaskResult) -> None:
    typer.echo(f"FAILED {_name(result)}")
    for line in result.reasons:
        typer.echo(f"  {one_line(line, 400)}")
    for drift in result.drifts:
        typer.echo(f"  call {drift.position} of {clean(drift.role)} {clean(drift.step)}".rstrip() + ":")
        for line in excerpt(drift.diff, _DIFF_LINES).splitlines():
            typer.echo(f"    {line}")


def _print_suites(suites: Sequence[SuiteResult]) -> None:
    epochs = max((suite.epochs for suite in suites), default=0)
    repeated = [f"all {epochs} pass"] if epochs > 1 else []
    columns = ["suite", "tasks", "passed", "95 % interval", *repeated, "model calls", "calls a task"]
    rows = []
    for suite in suites:
        calls, plays = sum(result.calls for result in suite.results), max(1, len(suite.results))
        chance = suite.pass_hat(epochs) if repeated else None
        shown = [f"{chance:.0%}" if chance is not None else "-"] if repeated else []
        interval = f"{suite.interval.low:.0%} to {suite.interval.high:.0%}"
        rows.append([suite.name, len(suite.tasks), suite.passed, interval, *shown, calls, f"{calls / plays:.1f}"])
    print_table("Suites", columns, rows)


def _seconds(result: TaskResult) -> str:
    seconds = result.metrics().get("efficiency.model_seconds")
    return "-" if seconds is None else f"{seconds:.1f}"


def _name(result: TaskResult) -> str:
    return f"{result.suite}/{result.task}" + (f" ({result.epoch})" if result.epoch > 1 else "")
