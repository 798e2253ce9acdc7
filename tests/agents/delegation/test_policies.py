import numpy as np
import pytest

from agents.delegation.arms import Candidate, Objective, Observations, Requests, indices
from agents.delegation.features import WIDTH
from agents.delegation.policies.source import Source
from agents.delegation.selector import POLICIES, Selector, batch_size
from agents.delegation.tally import Tally
from domain.errors import InvalidSettings, UserError

CHEAP, DEAR = Candidate("cheap", cost=1.0), Candidate("dear", cost=20.0)


def requests(*kinds: int) -> Requests:
    return Requests(indices(kinds), np.zeros((len(kinds), WIDTH)))


def seen(kind: int, arm: int, outcomes: list[float], *, cost: float = 1.0, seconds: float = 0.0) -> Observations:
    n = len(outcomes)
    return Observations(
        requests(*[kind] * n), indices([arm] * n), np.array(outcomes), np.full(n, cost), np.full(n, seconds)
    )


def selector(policy: str = "shared-linear", *, objective: Objective | None = None, kinds: int = 2) -> Selector:
    rng = np.random.default_rng(0)
    return Selector([CHEAP, DEAR], kinds=kinds, fallback=1, policy=policy, objective=objective, rng=rng)


def share_of(chooser: Selector, arm: int, kind: int = 0) -> float:
    return float((chooser.choose(requests(*[kind] * 200)) == arm).mean())


def test_the_source_formula_is_as_written() -> None:
    tally = Tally([Candidate("a", capability=0.9), Candidate("b", capability=0.2)], kinds=1)
    tally.learn(seen(0, 0, [1.0] * 30 + [0.0] * 10, seconds=2.0))
    tally.learn(seen(0, 1, [1.0] * 200, seconds=8.0))
    tally.count, tally.outcome, tally.failed = np.array([[40.0, 200.0]]), np.array([[30.0, 200.0]]), np.array([[10, 0]])
    latency = tally.seconds[0, 0] / tally.seconds[0, 1]
    a = 0.9 * 0.6 + 0.4 * (0.4 * 0.75 + 0.3 * (1 - latency) + 0.3 * 0.75)
    b = 0.2 * 0.2 + 0.8 * (0.4 * 1.0 + 0.3 * 0.0 + 0.3 * 1.0)
    scores = Source(tally, np.random.default_rng(0)).scores(requests(0), np.zeros((1, 2)))
    assert scores == pytest.approx(np.array([[a, b]]))


@pytest.mark.parametrize("policy", POLICIES)
def test_without_outcomes_the_fallback_is_chosen(policy: str) -> None:
    assert share_of(selector(policy), 1) == 1.0


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "source"])
def test_much_evidence_is_followed(policy: str) -> None:
    chooser = selector(policy, objective=Objective(price=0.1))
    chooser.learn(seen(0, 0, [1.0] * 150))
    chooser.learn(seen(0, 1, [1.0, 0.0] * 75, cost=20.0))
    assert share_of(chooser, 0) > 0.95


@pytest.mark.parametrize("policy", ["shared-linear", "thompson", "linear"])
def test_task_kinds_are_told_apart(policy: str) -> None:
    chooser = selector(policy, objective=Objective(price=0.0))
    for kind, good in ((0, 0), (1, 1)):
        chooser.learn(seen(kind, good, [1.0] * 200))
        chooser.learn(seen(kind, 1 - good, [1.0, 0.0, 0.0, 0.0] * 50))
    assert share_of(chooser, 0, kind=0) > 0.95
    assert share_of(chooser, 1, kind=1) > 0.95


@pytest.mark.parametrize("policy", ["shared-linear", "linear", "neighbours"])
def test_texts_are_told_apart(policy: str) -> None:
    chooser, rng = selector(policy, objective=Objective(price=0.0), kinds=1), np.random.default_rng(1)
    vectors = np.zeros((1600, WIDTH))
    side = rng.integers(2, size=1600)
    vectors[:, -1] = 2 * side - 1.0
    arms = rng.integers(2, size=1600)
    ones = np.ones(1600)
    known = Requests(indices([0] * 1600), vectors)
    chooser.learn(Observations(known, arms, (arms == side).astype(float), ones, ones))
    assert (chooser.choose(known) == side).mean() > 0.95


@pytest.mark.parametrize("policy", POLICIES)
def test_an_arm_over_the_budget_is_barred(policy: str) -> None:
    chooser = selector(policy, objective=Objective(budget=5.0))
    assert share_of(chooser, 0) == 1.0
    chooser.learn(seen(0, 0, [0.0] * 50))
    assert share_of(chooser, 0) == 1.0


def test_where_nobody_is_within_the_budget_the_cheapest_is_chosen() -> None:
    assert share_of(selector(objective=Objective(budget=0.1)), 0) == 1.0


def test_a_price_on_time_moves_the_choice() -> None:
    for latency_price, arm in ((0.0, 1), (0.5, 0)):
        chooser = selector("thompson", objective=Objective(price=0.0, latency_price=latency_price))
        chooser.learn(seen(0, 0, [1.0, 1.0, 1.0, 0.0] * 100, seconds=1.0))
        chooser.learn(seen(0, 1, [1.0] * 400, seconds=30.0))
        assert share_of(chooser, arm) > 0.95


def test_expected_costs_follow_what_was_seen() -> None:
    tally = Tally([CHEAP, DEAR], kinds=2)
    assert tally.cost.tolist() == [[1.0, 20.0], [1.0, 20.0]]
    tally.learn(seen(0, 0, [1.0] * 997, cost=3.0))
    assert tally.cost[0, 0] == pytest.approx(3.0, abs=0.02)
    assert tally.cost[1, 0] == pytest.approx(3.0, abs=0.02)


def test_old_outcomes_fade() -> None:
    tally = Tally([CHEAP, DEAR], kinds=1)
    tally.learn(seen(0, 0, [1.0] * 10))
    tally.learn(seen(0, 1, [1.0] * 20_000))
    assert tally.count[0, 0] == pytest.approx(5.0)


def test_batches_grow_with_what_was_seen_up_to_a_bound() -> None:
    assert [batch_size(n) for n in (0, 63, 64, 640, 10**6)] == [1, 1, 2, 20, 64]


def test_an_unknown_policy_names_the_known_ones() -> None:
    with pytest.raises(InvalidSettings, match="shared-linear, thompson"):
        selector("best")


@pytest.mark.parametrize(
    ("field", "value"), [("capability", 1.1), ("cost", -1.0), ("seconds", float("nan"))], ids=lambda v: str(v)
)
def test_impossible_candidates_are_refused(field: str, value: float) -> None:
    with pytest.raises(UserError, match="capability lies in"):
        Candidate("a", **{field: value})
