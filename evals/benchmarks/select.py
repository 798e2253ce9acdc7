"""Replay known outcomes of several arms as a stream in which only the chosen arm's outcome is seen.

Each seed shuffles them anew. The policies are the shipped ones, at work in `agents.delegation.selector.Selector` with
the shipped growing batches; before the first outcome the dearest arm is the team's default, as it would be in a team
that has no experience yet, and the first row's costs are the price list.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from agents.delegation.arms import Candidate, Floats, Indices, Objective, Observations, Requests
from agents.delegation.selector import DEFAULT_POLICY, POLICIES, Selector, batch_size, checked_policy
from evals.benchmarks.outcome_rows import Stream
from evals.report import Aim, Report

SEEDS = 20
PRICE = 0.1
_CURVE_POINTS = 200


def replay(stream: Stream, policy: str, *, price: float, seed: int) -> tuple[Indices, Indices]:
    """Return the order in which the rows came and the arm that was chosen for each, both of shape [rows]."""
    rng = np.random.default_rng([seed, 0])
    order = rng.permutation(len(stream)).astype(np.int64)
    chosen = np.zeros(len(stream), np.int64)
    selector = _selector(stream, policy, price, int(order[0]), np.random.default_rng([seed, 1]))
    while selector.seen < len(stream):
        batch = slice(selector.seen, selector.seen + batch_size(selector.seen))
        rows = order[batch]
        requests = Requests(stream.requests.kinds[rows], stream.requests.vectors[rows])
        arms = chosen[batch] = selector.choose(requests)
        seen = (stream.outcomes[rows, arms], stream.costs[rows, arms], stream.seconds[rows, arms])
        selector.learn(Observations(requests, arms, *seen))
    return order, chosen


def _selector(stream: Stream, policy: str, price: float, first: int, rng: np.random.Generator) -> Selector:
    listed = zip(stream.arms, stream.costs[first], stream.seconds[first], strict=True)
    return Selector(
        [Candidate(name, cost=float(cost), seconds=float(seconds)) for name, cost, seconds in listed],
        kinds=len(stream.kinds),
        fallback=int(stream.costs[first].argmax()),
        policy=policy,
        objective=Objective(price=price),
        rng=rng,
    )


@dataclass(frozen=True)
class Replays:
    """A policy's replays; regrets are cumulative at the end of the stream, one entry a seed."""

    quality: float
    cost: float
    utility: float
    regret_best_fixed: Floats
    regret_oracle: Floats
    curve: Floats
    """Cumulative regret against the best fixed arm along the stream, shape [seeds, points]."""

    def figures(self) -> dict[str, Any]:
        """Return the means, with 95 % intervals of the mean and the worst seed."""
        return {
            "quality": self.quality,
            "cost": self.cost,
            "utility": self.utility,
            "regret_best_fixed": float(self.regret_best_fixed.mean()),
            "regret_best_fixed_interval": _interval(self.regret_best_fixed),
            "regret_best_fixed_worst_seed": float(self.regret_best_fixed.max()),
            "regret_oracle": float(self.regret_oracle.mean()),
            "regret_oracle_interval": _interval(self.regret_oracle),
        }


def replays(stream: Stream, policy: str, *, price: float, seeds: int) -> Replays:
    """Replay the stream once a seed."""
    utilities = stream.utilities(price)
    best, oracle = utilities.mean(0).argmax(), utilities.max(axis=1)
    points = np.unique(np.linspace(0, len(stream) - 1, _CURVE_POINTS).astype(int))
    quality, cost, curves, oracles = [], [], [], []
    for seed in range(seeds):
        order, chosen = replay(stream, policy, price=price, seed=seed)
        quality.append(stream.outcomes[order, chosen].mean())
        cost.append(stream.costs[order, chosen].mean())
        gained = utilities[order, chosen]
        curves.append(np.cumsum(utilities[order, best] - gained))
        oracles.append(float((oracle[order] - gained).sum()))
    regrets = np.array([curve[-1] for curve in curves])
    utility = float(utilities[:, best].mean() - regrets.mean() / len(stream))
    sampled = np.array([curve[points] for curve in curves])
    return Replays(float(np.mean(quality)), float(np.mean(cost)), utility, regrets, np.array(oracles), sampled)


def chosen_policies(names: Sequence[str]) -> tuple[str, ...]:
    """Return the named policies, `all` standing for every one, or raise `InvalidSettings`."""
    if "all" in names:
        return tuple(POLICIES)
    for name in names:
        checked_policy(name)
    return tuple(dict.fromkeys(names))


def run(
    stream: Stream,
    *,
    policies: Sequence[str] = tuple(POLICIES),
    price: float = PRICE,
    seeds: int = SEEDS,
    png: Path | None = None,
) -> Report:
    """Replay every policy on the same streams and compare it with each fixed arm and with the oracle."""
    # The matrices are small: more threads only wait for each other.
    with threadpool_limits(1):
        results = {policy: replays(stream, policy, price=price, seeds=seeds) for policy in policies}
    if png is not None:
        from evals.benchmarks.regret_curves import draw

        draw({policy: result.curve for policy, result in results.items()}, rows=len(stream), price=price, path=png)
    aims = (Aim(f"policies.{DEFAULT_POLICY}.regret_best_fixed", "<=", 0.0),) if DEFAULT_POLICY in policies else ()
    return Report("select", _figures(stream, price, seeds, results), aims)


def _figures(stream: Stream, price: float, seeds: int, results: Mapping[str, Replays]) -> dict[str, Any]:
    utilities = stream.utilities(price)
    rows = np.arange(len(stream))
    fixed = {arm: _choice(stream, utilities, rows, np.full(len(rows), i)) for i, arm in enumerate(stream.arms)}
    return {
        "rows": len(stream),
        "task_types": len(stream.kinds),
        "seeds": seeds,
        "price": price,
        "default": DEFAULT_POLICY,
        "best_fixed": stream.arms[int(utilities.mean(0).argmax())],
        "policies": {policy: result.figures() for policy, result in results.items()},
        "arms": fixed,
        "oracle": _choice(stream, utilities, rows, utilities.argmax(axis=1)),
    }


def _choice(stream: Stream, utilities: Floats, rows: Indices, arms: Indices) -> dict[str, float]:
    return {
        "quality": float(stream.outcomes[rows, arms].mean()),
        "cost": float(stream.costs[rows, arms].mean()),
        "utility": float(utilities[rows, arms].mean()),
    }


def _interval(values: Floats) -> list[float]:
    """Return the normal 95 % interval of the mean."""
    half = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return [float(values.mean()) - half, float(values.mean()) + half] if math.isfinite(half) else []
