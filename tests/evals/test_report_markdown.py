"""The Markdown report: counts, failures first, every task's cost."""

from evals.report_markdown import markdown
from evals.results import PromptDrift, SuiteResult, TaskResult, TurnScores
from evals.scoring.expectations import Score, right

TAKEN = [
    Score(name=f"efficiency.{name}", value=value, kind="efficiency")
    for name, value in (("calls", 4), ("model_seconds", 1.5), ("degraded_share", 0.5))
]


def test_failures_come_first_and_nothing_breaks_the_tables() -> None:
    drift = PromptDrift(role="planner", position=1, diff="-old\n+```new", answered=False)
    good = TaskResult(suite="s", task="a", turns=[TurnScores(turn=1, scores=TAKEN)])
    wrong = [right("result.contains", False, "the answer does not say 'a|b'")]
    bad = TaskResult(
        suite="s", task="b", turns=[TurnScores(turn=1, scores=wrong)], drifts=[drift], error="turn 2: lost\nits way"
    )
    lines = markdown([SuiteResult(name="s", results=[good, bad]), SuiteResult(name="none", results=[])], title="T")
    text = lines.splitlines()
    assert "| s | 2 | 1 | 9% to 91% | 1 | 4 | 0 |" in text
    assert "| none | 0 | 0 | 0% to 100% | 0 | 0 | 0 |" in text
    start = text.index("### s/b")
    assert text[start + 2 : start + 9] == [
        "* turn 2: lost",
        "* turn 1: result.contains: the answer does not say 'a\\|b'",
        "",
        "```diff",
        "-old",
        "+` ` `new",
        "```",
    ]
    assert text[-2:] == ["| s/b | **no** | 0 | 0 | - | - | - |", "| s/a | yes | 4 | 0 | 1.5 | - | 50% |"]
