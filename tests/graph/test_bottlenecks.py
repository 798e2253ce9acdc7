"""Where the time of many runs goes."""

import pytest

from graph.bottlenecks import Bottlenecks, bottlenecks, quantile
from graph.trace import Trace
from tests.graph.timed_runs import TimedRun, usual_run


def small_talk() -> Trace:
    return TimedRun("Hello").called(1, "supervisor", 1).routed(1, "conversation").trace(1)


@pytest.fixture(scope="module")
def found() -> Bottlenecks:
    return bottlenecks([small_talk() for _ in range(30)] + [usual_run()])


def shares(found: Bottlenecks) -> dict[str, tuple[float, float]]:
    return {f"{s.kind} {s.name}".strip(): (round(s.share, 3), round(s.slowest_share, 3)) for s in found.path}


def test_shares_add_up_to_the_whole_time(found: Bottlenecks) -> None:
    assert sum(s.share for s in found.path) == pytest.approx(1)
    assert sum(s.slowest_share for s in found.path) == pytest.approx(1)
    assert sum(s.seconds for s in found.path) == pytest.approx(50)


def test_the_slowest_runs_are_looked_at_for_themselves(found: Bottlenecks) -> None:
    assert (found.runs, found.slowest, found.p50, found.p95) == (31, 2, 1, 1)
    assert shares(found)["role supervisor"] == (round(30.8 / 50, 3), round(1.8 / 21, 3))
    assert shares(found)["person"] == (0.1, round(5 / 21, 3))
    assert [f"{s.kind} {s.name}" for s in found.path[:2]] == ["agent analyst", "person "]


def test_tools_and_models_count_for_the_work_on_the_path_only(found: Bottlenecks) -> None:
    seconds = {f"{s.kind} {s.name}": round(s.seconds, 3) for s in found.inside}
    assert seconds["tool query_tables"] == 3
    assert "tool search_documents" not in seconds
    # Of analyse 1.5, of the supervisor 0.8, of the planner 2 and of the critic 3; and each small talk's second.
    assert seconds["model openai:m"] == pytest.approx(1.5 + 0.8 + 2 + 3 + 30)


def test_kinds_of_tasks_have_their_own_times(found: Bottlenecks) -> None:
    assert [(k.kind, k.runs, k.p95, k.bottleneck_kind, k.bottleneck) for k in found.kinds] == [
        ("comparison", 1, 20, "agent", "analyst"), ("conversation", 30, 1, "role", "supervisor"),
    ]  # fmt: skip


def test_without_runs_there_is_nothing_to_tell() -> None:
    none = bottlenecks([])
    assert (none.runs, none.slowest, none.p95, none.path, none.kinds) == (0, 0, 0, [], [])


def test_a_quantile_is_one_of_the_values() -> None:
    assert [quantile([4, 1, 3, 2], share) for share in (0.5, 0.95, 1)] == [2, 4, 4]
