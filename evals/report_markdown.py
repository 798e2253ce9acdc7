"""The report of an evaluation as Markdown: counts by suite, failures with their reasons, every task's cost."""

import re
from collections.abc import Iterator, Mapping, Sequence

from evals.results import SuiteResult, TaskResult

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


def markdown(suites: Sequence[SuiteResult], *, title: str) -> str:
    """Return the report, failures first."""
    return "\n".join([f"# {_plain(title)}", "", *_counts(suites), *_failures(suites), *_tasks(suites)]).rstrip() + "\n"


def _counts(suites: Sequence[SuiteResult]) -> Iterator[str]:
    epochs = max((suite.epochs for suite in suites), default=0)
    repeated = f" all {epochs} times |" if epochs > 1 else ""
    yield f"| suite | tasks | passed | 95 % interval |{repeated} drifts | model calls | tokens |"
    yield "| --- | --: | --: | --- |" + (" --: |" if repeated else "") + " --: | --: | --: |"
    for suite in suites:
        low, high = suite.interval
        chance = suite.pass_hat(epochs)
        share = (f" {chance:.0%} |" if chance is not None else " |") if repeated else ""
        drifts, calls, tokens = (
            (sum(found) for found in zip(*((len(r.drifts), r.calls, r.tokens) for r in suite.results), strict=True))
            if suite.results
            else (0, 0, 0)
        )
        counts = f"{len(suite.tasks)} | {suite.passed} | {low:.0%} to {high:.0%} |{share} {drifts} | {calls} | {tokens}"
        yield f"| {_plain(suite.name)} | {counts} |"
    yield ""


def _failures(suites: Sequence[SuiteResult]) -> Iterator[str]:
    failed = [result for suite in suites for result in suite.ordered if not result.passed]
    if not failed:
        return
    yield from ("## Failures", "")
    for result in failed:
        yield from (f"### {_plain(_name(result))}", "")
        yield from (f"* {_plain(' '.join(line.split()))}" for line in result.reasons)
        for drift in result.drifts:
            yield from ("", "```diff", *drift.diff.replace("```", "` ` `").splitlines(), "```")
        yield ""


def _tasks(suites: Sequence[SuiteResult]) -> Iterator[str]:
    yield from (
        "## Tasks", "",
        "| task | passed | model calls | tokens | model seconds | dollars | degraded |",
        "| --- | --- | --: | --: | --: | --: | --: |",
    )  # fmt: skip
    for suite in suites:
        for result in suite.ordered:
            passed = "yes" if result.passed else "**no**"
            taken = " | ".join(_taken(result.metrics()))
            yield f"| {_plain(_name(result))} | {passed} | {result.calls} | {result.tokens} | {taken} |"


def _taken(metrics: Mapping[str, float]) -> Iterator[str]:
    """Yield seconds, dollars and the share of steps done by a twin; a dash where nobody knows."""
    for name, form in (("model_seconds", ".1f"), ("dollars", ".4f"), ("degraded_share", ".0%")):
        value = metrics.get(f"efficiency.{name}")
        yield "-" if value is None else format(value, form)


def _name(result: TaskResult) -> str:
    return f"{result.suite}/{result.task}" + (f" ({result.epoch})" if result.epoch > 1 else "")


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
