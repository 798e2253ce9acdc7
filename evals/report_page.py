"""The report of an evaluation as one HTML page that needs nothing else: failures first, plots, every task's trace."""

from collections.abc import Iterator, Sequence
from html import escape

from evals.comparison import Comparison
from evals.report_comparison import comparison_section
from evals.report_parts import Column, document, link_to, listed, mark, table, toned
from evals.report_plots import amount_plot, share_plot
from evals.report_tasks import drift_block, task_section
from evals.results import SuiteResult, TaskResult

_SUITES = (
    Column("suite", "name"),
    Column("", "plot"),
    Column("passed", "n"),
    Column("rate", "n"),
    Column("95 % interval", "n"),
    Column("drifts", "n"),
    Column("calls a task", "n"),
    Column("tokens a task", "n"),
)
_SUITES_TOLD = "The bar is the share of tasks that pass in every epoch; the line is its 95 % interval (Wilson)."
_COSTS = (
    Column("task", "name"),
    Column("", "plot minor"),
    Column("calls", "n"),
    Column("", "plot"),
    Column("tokens", "n"),
    Column("passed"),
)


def page(suites: Sequence[SuiteResult], *, title: str, comparison: Comparison | None = None) -> str:
    """Return the page.

    Args:
        suites: What was run.
        title: Heading, for example the team and version.
        comparison: How it differs from another version, where that was asked.
    """
    return document(title, _parts(suites, title, comparison))


def _parts(suites: Sequence[SuiteResult], title: str, comparison: Comparison | None) -> Iterator[str]:
    results = [result for suite in suites for result in suite.ordered]
    yield f"<h1>{escape(title)}</h1>"
    yield _lead(suites, results, " in the second version" if comparison else "")
    yield table(_SUITES, map(_suite_row, suites), _SUITES_TOLD)
    if comparison:
        yield comparison_section(comparison)
    yield _failures([result for result in results if not result.passed])
    yield _drifts(results)
    yield _costs(results)
    for suite in suites:
        yield f"<h2>{escape(suite.name)}</h2>"
        yield from map(task_section, suite.ordered)


def _lead(suites: Sequence[SuiteResult], results: Sequence[TaskResult], told: str) -> str:
    tasks, passed = sum(len(suite.tasks) for suite in suites), sum(suite.passed for suite in suites)
    calls, tokens = sum(result.calls for result in results), sum(result.tokens for result in results)
    drifted = sum(bool(result.drifts) for result in results), sum(result.changed_output for result in results)
    return (
        f"<p class='lead'>{mark(passed == tasks)} {passed} of {tasks} tasks pass{told}</p>"
        f"<p class='dim'>Plays: {len(results)}, model calls: {calls:,}, tokens: {tokens:,}; "
        f"with prompt drift: {drifted[0]}, with output drift: {drifted[1]}.</p>"
    )


def _suite_row(suite: SuiteResult) -> list[str]:
    tasks, plays = len(suite.tasks), max(1, len(suite.results))
    share = suite.passed / tasks if tasks else 0.0
    low, high = suite.interval
    interval = f"{low:.0%} to {high:.0%}"
    return [
        escape(suite.name),
        share_plot(share, suite.interval, f"{share:.0%}, between {interval}"),
        f"{suite.passed} of {tasks}",
        f"{share:.0%}",
        interval,
        str(sum(len(result.drifts) for result in suite.results)),
        f"{sum(result.calls for result in suite.results) / plays:.1f}",
        f"{sum(result.tokens for result in suite.results) / plays:,.0f}",
    ]


def _failures(failed: Sequence[TaskResult]) -> str:
    if not failed:
        return ""
    items = "".join(f"<p>{mark(False)} {link_to(result)}</p>{listed(result.reasons)}" for result in failed)
    return f"<h2>Failures</h2>{items}"


def _drifts(results: Sequence[TaskResult]) -> str:
    """Return what is asked otherwise than recorded, and apart from it what comes out otherwise."""
    asked = "".join(drift_block(drift, link_to(result)) for result in results for drift in result.drifts)
    came = ", ".join(link_to(result) for result in results if result.changed_output)
    parts = [f"<h3>Prompts</h3>{asked}" if asked else "", f"<h3>Output</h3><p>{came}</p>" if came else ""]
    return f"<h2>Drift</h2>{''.join(parts)}" if any(parts) else ""


def _costs(results: Sequence[TaskResult]) -> str:
    most_calls = max((result.calls for result in results), default=0)
    most_tokens = max((result.tokens for result in results), default=0)
    rows = (
        [
            link_to(result),
            amount_plot(result.calls, most_calls, f"{result.calls} calls"),
            str(result.calls),
            amount_plot(result.tokens, most_tokens, f"{result.tokens} tokens"),
            f"{result.tokens:,}",
            toned("yes", "good") if result.passed else toned("no", "bad"),
        ]
        for result in sorted(results, key=lambda result: (-result.tokens, result.suite, result.task, result.epoch))
    )
    return f"<h2>Cost of each play</h2>{table(_COSTS, rows)}" if results else ""
