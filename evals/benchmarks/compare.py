"""How far `eval compare` can be believed: alarms where nothing changed, and whether a planted drop is found.

A replay gives the same result every time. A live model does not: each task there has a chance of its own to pass, and
calls, tokens and seconds vary. Ten points are taken in two ways: a tenth of the tasks never passes any more, as when a
change breaks something, or every task passes less often by ten points, as when a prompt gets worse.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.comparison import compared
from evals.report import Aim, Report
from evals.results import TaskResult, TurnScores
from evals.scoring.expectations import Score
from evals.statistics import Verdict, difference

TASKS = 40
"""Of the suites that the aims are about."""
DROP = 0.1
SIZES = (20, 40, 60, 80, 120)
EPOCHS = (1, 3, 5)
ENOUGH = 0.9
"""Share of the seeds in which a drop must be found at a size that is called enough."""
_PASSING = (9.0, 1.0)
"""Beta distribution of the tasks' chances to pass live: nine in ten on average."""

Chances = npt.NDArray[np.float64]
"""Of each task to pass, shape [tasks]."""
Plant = Callable[[Chances, np.random.Generator], Chances]


def run(*, seeds: int = 100, sizes: Sequence[int] = SIZES, epochs: Sequence[int] = EPOCHS) -> Report:
    """Return how often there is a false alarm, and how often a drop of ten points is found.

    Args:
        seeds: Comparisons of each kind.
        sizes: Numbers of tasks at which the drop is looked for live.
        epochs: Numbers of plays of each task.
    """
    live = {f"{e} epochs": {f"{n} tasks": _found_live(n, e, seeds, _worsened) for n in sizes} for e in epochs}
    broken = {f"{e} epochs": {f"{n} tasks": _found_live(n, e, seeds, _broken) for n in sizes} for e in epochs}
    figures: dict[str, Any] = {
        "alarms_replayed": _alarms_replayed(seeds),
        **{f"alarms_live_{name}": share for name, share in _alarms_live(seeds).items()},
        "drop_found_replayed": _found_replayed(seeds),
        "drop_found_live": live,
        "drop_found_live_broken": broken,
        "enough_live": _enough(live),
        "enough_live_broken": _enough(broken),
    }
    aims = (Aim("alarms_replayed", "<=", 0), Aim("drop_found_replayed", ">=", 1))
    return Report("compare", figures, aims, notes=(
        f"replayed: {TASKS} tasks; the drop fails {DROP:.0%} of them for good",
        "alarms_live: share of comparisons of a version with itself whose verdict on `passed`, and on any other metric,"
        " is not unclear; 0.05 is what 95 % intervals promise for each of the two",
        f"enough: fewest tasks at which the drop is found in {ENOUGH:.0%} of the comparisons, by epochs",
    ))  # fmt: skip


def _alarms_replayed(seeds: int) -> int:
    """Return how many verdicts on a version and itself are not `same` or `unclear`, over all seeds and metrics."""
    rng = np.random.default_rng(0)
    played = _played(rng.beta(*_PASSING, TASKS), 1, rng)
    verdicts = [m.verdict for seed in range(seeds) for m in compared(played, played, seed=seed).metrics]
    return sum(map(_alarming, verdicts))


def _alarms_live(seeds: int) -> dict[str, float]:
    """Return the share of comparisons with an alarm, on whether tasks pass and on anything else."""
    found = {"passed": 0, "others": 0}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        chances = rng.beta(*_PASSING, TASKS)
        metrics = compared(_played(chances, 3, rng), _played(chances, 3, rng), seed=seed).metrics
        found["passed"] += _alarming(metrics[0].verdict)
        found["others"] += any(_alarming(m.verdict) for m in metrics[1:])
    return {name: count / seeds for name, count in found.items()}


def _found_replayed(seeds: int) -> float:
    """Return how often the drop is found where each version always gives the same."""
    hits = 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        before = np.ones(TASKS)
        found = compared(_played(before, 1, rng), _played(_broken(before, rng), 1, rng), seed=seed)
        hits += found.regressed
    return hits / seeds


def _found_live(tasks: int, epochs: int, seeds: int, plant: Plant) -> float:
    """Return how often the drop is found where tasks pass by chance."""
    hits = 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        chances = rng.beta(*_PASSING, tasks)
        before, after = (rng.random((epochs, tasks)) < c for c in (chances, plant(chances, rng)))
        groups = np.tile(np.arange(tasks), epochs).tolist()
        verdict = difference(before.ravel().tolist(), after.ravel().tolist(), groups=groups, seed=seed).verdict
        hits += verdict == "worse"
    return hits / seeds


def _broken(chances: Chances, rng: np.random.Generator) -> Chances:
    hit = rng.permutation(len(chances)) < round(DROP * len(chances))
    return np.where(hit, 0.0, chances)


def _worsened(chances: Chances, rng: np.random.Generator) -> Chances:
    return np.clip(chances - DROP, 0.0, 1.0)


def _played(chances: Chances, epochs: int, rng: np.random.Generator) -> list[TaskResult]:
    """Return results of tasks, each with scores that go with passing and costs that vary."""
    size = (len(chances), epochs)
    passed, calls, seconds = rng.random(size) < chances[:, None], rng.poisson(5, size), rng.exponential(2, size)
    return [
        _result(f"task-{task}", epoch + 1, bool(passed[task, epoch]), int(calls[task, epoch]), seconds[task, epoch])
        for task in range(len(chances))
        for epoch in range(epochs)
    ]


def _result(task: str, epoch: int, passed: bool, calls: int, seconds: float) -> TaskResult:
    right = {name: float(passed) for name in ("result.contains", "result.figures", "trajectory.agents")}
    costs = {"efficiency.calls": calls, "efficiency.tokens": 900.0 * calls, "efficiency.model_seconds": float(seconds)}
    scores = [Score(name=name, value=value, passed=passed) for name, value in right.items()]
    scores += [Score(name=name, value=value, kind="efficiency") for name, value in costs.items()]
    return TaskResult(suite="planted", task=task, epoch=epoch, turns=[TurnScores(turn=1, scores=scores)])


def _enough(found: dict[str, dict[str, float]]) -> dict[str, str]:
    return {
        epochs: next((tasks for tasks, share in sizes.items() if share >= ENOUGH), f"more than {list(sizes)[-1]}")
        for epochs, sizes in found.items()
    }


def _alarming(verdict: Verdict) -> bool:
    return verdict in ("better", "worse")
