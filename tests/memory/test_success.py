import pytest

from memory.success import Interval, analysed, wilson
from tests.memory.test_episodes import episode


@pytest.mark.parametrize(
    ("successes", "runs", "low", "high"),
    [(0, 0, 0.0, 1.0), (1, 1, 0.2065, 1.0), (0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_the_wilson_interval(successes: int, runs: int, low: float, high: float) -> None:
    assert wilson(successes, runs) == pytest.approx(Interval(low, high), abs=1e-4)


def test_success_by_sequence_agent_and_kind() -> None:
    found = analysed([
        episode("1", "research", "write", kind="creation", quality=0.8, seconds=2.0),
        episode("2", "research", "write", kind="creation", success=False, seconds=4.0),
        episode("3", "write", kind="summary", quality=0.6),
    ])  # fmt: skip
    assert [(s.name, s.runs, s.successes) for s in found.sequences] == [("research → write", 2, 1), ("write", 1, 1)]
    assert [(s.name, s.runs, s.rate) for s in found.agents] == [
        ("write", 3, pytest.approx(2 / 3)),
        ("research", 2, 0.5),
    ]
    assert [s.name for s in found.kinds] == ["creation", "summary"]
    assert (found.sequences[0].quality, found.sequences[0].seconds) == (0.8, 3.0)
    assert found.overall.quality == pytest.approx(0.7)


def test_the_trend_compares_the_later_half_with_the_earlier() -> None:
    runs = [episode(str(n), started=float(n), success=n >= 4) for n in range(8)]
    assert analysed(runs[::-1]).trend == 1.0
    assert analysed(runs[:5]).trend is None


def test_the_commonest_errors_come_first() -> None:
    codes = ["tool_timeout", "rejected", "tool_timeout", ""]
    found = analysed([episode(str(n), error_code=code) for n, code in enumerate(codes)])
    assert found.errors == [("tool_timeout", 2), ("rejected", 1)]


def test_the_override_rate_is_of_answers_not_of_runs() -> None:
    assert analysed([episode("1", approvals=3, overrides=1), episode("2", approvals=1)]).override_rate == 0.25
    assert analysed([episode("1")]).override_rate is None


def test_nothing_happened() -> None:
    found = analysed([])
    assert (found.overall.runs, found.overall.rate, found.sequences, found.trend) == (0, 0.0, [], None)
