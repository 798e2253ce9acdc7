import pytest

from agents.delegation.delegator import Delegator
from agents.planning.estimates import CALLS, DECLARED_RUNS, QUALITY, SECONDS, Terms, estimate, exposure, makespan
from agents.planning.history import History, Measured, TaskOutcomes, history_of
from domain.outcomes import Usage
from domain.plans import Plan, Step
from memory.encoders import encoder
from memory.episodes import Episode
from memory.provenance import Provenance
from memory.sqlite import SqliteRecords


def step(name: str, *needs: str, agent: str = "", **more: object) -> Step:
    given = {"id": name, "agent": agent or name, "task": "t", "needs": list(needs), **more}
    return Step.model_validate(given)


CHAIN = Plan(steps=[step("read"), step("write", "read")])


def episode(run: int, **more: object) -> Episode:
    given = {
        "run": f"r{run}", "started": run, "team": "t", "goal": "g", "task": "1", "sequence": ["read", "write"],
        "status": "done", "success": True, "quality": 0.9, "seconds": 40.0,
        "usage": Usage(calls=6, input_tokens=500, output_tokens=100, dollars=0.03),
        "provenance": Provenance(writer="person"), **more,
    }  # fmt: skip
    return Episode.model_validate(given)


def measured(*episodes: Episode) -> History:
    return history_of(episodes, {}, team="t", by_rules=False)


def test_without_history_the_declared_counts() -> None:
    found = estimate(CHAIN, Terms())
    assert found.quality == pytest.approx(QUALITY)
    assert (found.seconds, found.calls) == (2 * SECONDS, 2 * CALLS)
    assert (found.dollars, found.basis) == (None, "declared defaults")
    assert "dollars" not in found.figures()


def test_the_planners_own_word_counts_before_anything_was_measured() -> None:
    found = estimate(CHAIN.model_copy(update={"estimates": {"quality": 0.9}}), Terms())
    assert found.quality == pytest.approx(0.9)
    assert found.basis == "the planner's own guess and declared defaults"


def test_runs_of_the_same_sequence_draw_the_estimate_to_what_they_were() -> None:
    few, many = (estimate(CHAIN, Terms(measured(*map(episode, range(n))))) for n in (1, 60))
    assert QUALITY < few.quality < many.quality < 0.9
    assert 2 * SECONDS < few.seconds < many.seconds < 40
    assert (few.basis, many.basis) == ("1 run of this sequence", "60 runs of this sequence")
    assert many.dollars == pytest.approx(many.calls * 0.005)
    assert many.tokens == pytest.approx(many.calls * 100)


def test_failures_lower_the_quality_and_agents_speak_for_new_sequences() -> None:
    history = measured(*(episode(i, success=False, quality=None) for i in range(9)))
    other = Plan(steps=[step("write"), step("publish", "write")])
    found = estimate(other, Terms(history))
    assert found.quality == pytest.approx(DECLARED_RUNS * QUALITY / (9 + DECLARED_RUNS))
    assert found.basis == "what write did in 9 runs"


@pytest.mark.parametrize("other", [{"team": "x"}, {"degraded": True}])
def test_other_teams_and_runs_without_a_model_do_not_count(other: dict[str, object]) -> None:
    assert measured(episode(1, **other)) == History()


def test_an_unknown_price_stays_unknown() -> None:
    assert estimate(CHAIN, Terms(measured(episode(1, usage=Usage(calls=2))))).dollars is None


def test_by_rules_nothing_is_called_and_nothing_is_paid() -> None:
    found = estimate(CHAIN, Terms(by_rules=True))
    assert (found.calls, found.dollars) == (0, 0)


def test_what_is_finished_takes_nothing_more() -> None:
    assert estimate(CHAIN, Terms(finished=frozenset({"read"}))).seconds == SECONDS


def test_the_duration_is_that_of_the_schedule() -> None:
    wide = Plan(steps=[step("a"), step("b"), step("c"), step("d", "a")])
    durations = {"a": 1.0, "b": 2.0, "c": 4.0, "d": 5.0}
    assert [makespan(wide, durations, slots) for slots in (1, 2, 3)] == [12, 7, 6]


def test_exposure_grows_with_the_class_of_data_and_where_it_is_written() -> None:
    private = step("a", privacy="personal")
    plans = [[step("a", privacy="public")], [step("a")], [private], [private, step("b", "a", effect="write")]]
    found = [exposure(Plan(steps=steps)) for steps in plans]
    assert found == sorted(found) and found[0] == 0 and len(set(found)) == 4


async def test_what_delegation_observed_is_summed_up_by_agent(records: SqliteRecords) -> None:
    delegator, outcomes = Delegator(records, encoder(), team="t"), TaskOutcomes(records)
    await delegator.observe("w", "search", "read", 0.8, seconds=3, cost=1)
    assert await outcomes.tallied("w", "t") == {"read": Measured(1, 0.8, 3.0)}
    await delegator.observe("w", "search", "read", 0.6, seconds=5, cost=1)
    tallied = await outcomes.tallied("w", "t")
    assert tallied == {"read": Measured(2, 1.4, 8.0)}
    assert await outcomes.tallied("other", "t") == {}
    found = estimate(CHAIN, Terms(history_of([], tallied, team="t", by_rules=False)))
    assert found.seconds == pytest.approx((8 + DECLARED_RUNS * SECONDS) / (2 + DECLARED_RUNS) + SECONDS)
    assert found.calls == 2 * CALLS  # what a task cost is not a number of calls
