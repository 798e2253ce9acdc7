from collections.abc import Mapping
from typing import Any

import pytest

from evals.benchmarks import memory
from evals.benchmarks.memory import extrapolated, run, short
from evals.benchmarks.memory_probe import rss_mb
from evals.benchmarks.request_texts import COUNT, ROUTES, TEAMS, Requests

FIGURES = {
    "insert_per_s", "learning_after_s", "open_s", "first_recall_ms", "recall_ms_p50", "recall_ms_p95",
    "recall_cpu_ms_mean", "rss_mb",
    "rss_before_opening_mb", "numpy_ms_p50", "numpy_ms_p95", "index_recall_at_10", "disk_mb",
}  # fmt: skip


@pytest.mark.timeout(180)
async def test_one_memory_grows_through_the_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SIZES", (40, 1000))
    monkeypatch.setattr(memory, "QUERIES", 30)
    told: list[tuple[str, int, int]] = []
    report = await run(size=120, progress=lambda *at: told.append(at))
    assert told == [
        ("remembering", 40, 120),
        ("measuring", 40, 120),
        ("remembering", 120, 120),
        ("measuring", 120, 120),
    ]
    assert set(report.figures["40"]) == set(report.figures["120"]) == FIGURES
    assert report.figures["120"]["index_recall_at_10"] >= 0.95
    assert all(value > 0 for size in ("40", "120") for value in report.figures[size].values())
    assert report.figures["120"]["disk_mb"] > report.figures["40"]["disk_mb"]
    assert "1M_extrapolated" not in report.figures  # of two sizes any curve can be made


def measured(sizes: tuple[int, ...], p95: float = 10.0) -> Mapping[int, Mapping[str, Any]]:
    names = FIGURES - {"recall_ms_p95", "rss_mb"}
    return {s: dict.fromkeys(names, 1.0) | {"recall_ms_p95": p95 * s**0.25, "rss_mb": 100 + s / 1000} for s in sizes}


def test_what_is_not_measured_is_fitted() -> None:
    found = extrapolated(measured((1000, 10_000, 100_000)), 1_000_000)
    assert found["recall_ms_p95"] == pytest.approx(10 * 1_000_000**0.25)
    assert found["rss_mb"] == pytest.approx(1100)
    assert found["insert_per_s"] == pytest.approx(1)


def test_the_report_says_what_is_extrapolated() -> None:
    report = memory._report(measured((1000, 10_000, 100_000)))
    assert "1M" not in report.figures and "1M_extrapolated" in report.figures
    assert any("1M is not measured" in note for note in report.notes)
    assert "1M_extrapolated" not in memory._report(measured((1000, 10_000, 100_000, 1_000_000))).figures


@pytest.mark.parametrize(("p95", "passed"), [(2.0, True), (4.0, False)])
def test_the_aim_at_100k_is_judged(p95: float, passed: bool) -> None:
    aims = memory._report(measured((1000, 10_000, 100_000), p95)).as_json()["aims"]
    assert aims["100k.recall_ms_p95 <= 50"] is passed
    assert aims["recall_growth <= 0.5"] is True


def test_growth_is_not_judged_below_10k() -> None:
    assert list(memory._report(measured((1000,))).as_json()["aims"]) == ["1k.index_recall_at_10 >= 0.95"]


@pytest.mark.parametrize(("size", "name"), [(1000, "1k"), (100_000, "100k"), (1_000_000, "1M"), (1500, "1500")])
def test_sizes_are_named_in_short(size: int, name: str) -> None:
    assert short(size) == name


def test_this_process_takes_memory() -> None:
    assert 10 < rss_mb() < 10_000


def test_requests_are_different_and_come_again() -> None:
    requests = Requests(1)
    goals = [requests[i].goal for i in range(5000)] + [requests[COUNT - 1 - i].goal for i in range(5000)]
    assert len(set(goals)) == 10_000
    assert [Requests(1)[i].goal for i in range(5000)] == goals[:5000]
    assert [Requests(2)[i].goal for i in range(5000)] != goals[:5000]


def test_requests_are_of_some_hundred_routes_of_every_team() -> None:
    requests = [Requests(1)[i] for i in range(5000)]
    assert len({(r.team, r.sequence) for r in requests}) == ROUTES >= 200
    assert {r.team for r in requests} == set(TEAMS)
