import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from agents.delegation.trials import Trial, Trials, verdict
from domain.errors import InvalidTrial, UnknownTrial, UserError
from memory.sqlite import SqliteRecords

SHORTER = Trial("shorter", "search>write", "write", 0.5, team="office", of="sequences")


@pytest.fixture
async def trials(records: SqliteRecords) -> Trials:
    made = Trials(records)
    await made.start("acme", SHORTER)
    return made


def trial(*, good: Sequence[int], count: int) -> Trial:
    sums = (float(good[0]), float(good[1]))
    return Trial("t", "a", "b", 0.5, "office", outcomes=sums, squares=sums, counts=(count, count))


async def feed(trials: Trials, *, control: float, challenger: float, runs: int, seed: int = 0) -> None:
    """Let runs happen whose variants succeed at these rates."""
    rng, rates = random.Random(seed), {"search>write": control, "write": challenger}
    for n in range(runs):
        rate = rates[(await trials.get("acme", "shorter")).variant(f"run{n}")]
        await trials.observe("acme", "shorter", f"run{n}", float(rng.random() < rate))


def test_a_run_keeps_its_variant_and_shares_are_kept() -> None:
    shared = Trial("t", "a", "b", 0.2, "office")
    given = [shared.assigned(f"run{n}") for n in range(2000)]
    assert given == [shared.assigned(f"run{n}") for n in range(2000)]
    assert given.count("challenger") / 2000 == pytest.approx(0.2, abs=0.03)


def test_trials_assign_apart_from_each_other() -> None:
    one, two = (Trial(name, "a", "b", 0.5, "office") for name in ("one", "two"))
    same = sum(one.assigned(f"run{n}") == two.assigned(f"run{n}") for n in range(2000))
    assert same / 2000 == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("good", "count", "clear"),
    [((10, 19), 19, False), ((10, 12), 40, False), ((20, 39), 40, True), ((39, 20), 40, True), ((0, 0), 0, False)],
    ids=["too few", "hardly different", "better", "worse", "empty"],
)
def test_a_difference_is_clear_only_with_enough_evidence(good: tuple[int, int], count: int, clear: bool) -> None:
    found = verdict(trial(good=good, count=count))
    assert found.clear is clear
    assert found.low <= found.difference <= found.high


def test_looking_after_every_outcome_seldom_finds_what_is_not_there() -> None:
    rng, wrong = random.Random(1), 0
    for _ in range(200):
        good = [0, 0]
        for count in range(1, 250):
            good = [total + (rng.random() < 0.7) for total in good]
            if verdict(trial(good=good, count=count)).clear:
                wrong += 1
                break
    assert wrong / 200 <= 0.05


async def test_a_better_challenger_is_promoted_and_used_from_then_on(trials: Trials) -> None:
    await feed(trials, control=0.4, challenger=0.95, runs=150)
    promoted = await trials.get("acme", "shorter")
    assert promoted.state == "promoted"
    assert {promoted.variant(f"later{n}") for n in range(20)} == {"write"}
    assert (await trials.stop("acme", "shorter")).variant("later") == "search>write"


async def test_a_worse_challenger_is_stopped(trials: Trials) -> None:
    await feed(trials, control=0.95, challenger=0.4, runs=150)
    stopped = await trials.get("acme", "shorter")
    assert stopped.state == "stopped"
    assert {stopped.variant(f"later{n}") for n in range(20)} == {"search>write"}


async def test_equals_go_on_running(trials: Trials) -> None:
    await feed(trials, control=0.7, challenger=0.7, runs=150)
    assert (await trials.get("acme", "shorter")).state == "running"


async def test_a_run_counts_once(trials: Trials) -> None:
    for _ in range(2):
        found = await trials.observe("acme", "shorter", "run1", 1.0)
    assert sum(found.trial.counts) == 1


async def test_many_at_once_are_all_counted(trials: Trials) -> None:
    await asyncio.gather(*(trials.observe("acme", "shorter", f"run{n}", 1.0) for n in range(20)))
    assert sum((await trials.get("acme", "shorter")).counts) == 20


async def test_a_stopped_trial_counts_no_more(trials: Trials) -> None:
    assert (await trials.stop("acme", "shorter")).state == "stopped"
    assert (await trials.observe("acme", "shorter", "run1", 1.0)).trial.counts == (0, 0)


async def test_trials_survive_and_stay_in_their_workspace(records: SqliteRecords, trials: Trials) -> None:
    assert [found.name for found in await Trials(records).all("acme")] == ["shorter"]
    assert await trials.all("other") == []
    with pytest.raises(UnknownTrial, match="'other' has no trial 'shorter'"):
        await trials.get("other", "shorter")


async def test_a_name_is_used_once(trials: Trials) -> None:
    with pytest.raises(InvalidTrial, match="a trial 'shorter' already"):
        await trials.start("acme", replace(SHORTER, control="a"))


@pytest.mark.parametrize(("challenger", "share"), [("a", 0.5), ("b", 0.0), ("b", 1.0)], ids=str)
async def test_impossible_trials_are_refused(trials: Trials, challenger: str, share: float) -> None:
    with pytest.raises(InvalidTrial, match="two different variants"):
        await trials.start("acme", Trial("new", "a", challenger, share, "office"))


@pytest.mark.parametrize("name", ["", "a:b", "a b", "x" * 41])
async def test_an_unusable_name_is_refused(trials: Trials, name: str) -> None:
    with pytest.raises(InvalidTrial, match="is no name for a trial"):
        await trials.start("acme", replace(SHORTER, name=name, control="a"))


async def test_a_control_has_one_trial_at_a_time(trials: Trials) -> None:
    later = replace(SHORTER, name="later", challenger="read")
    with pytest.raises(InvalidTrial, match="'shorter' is running and has 'search>write' as its control"):
        await trials.start("acme", later)
    for elsewhere in (replace(later, name="agents", of="agents"), replace(later, name="studio", team="studio")):
        await trials.start("acme", elsewhere)
    await trials.stop("acme", "shorter")
    assert await trials.start("acme", later) == later


async def test_an_impossible_outcome_is_refused(trials: Trials) -> None:
    with pytest.raises(UserError, match="an outcome lies in 0..1, not 2"):
        await trials.observe("acme", "shorter", "run1", 2.0)
