"""How close the step scheduler comes to list scheduling that knows every duration in advance."""

import asyncio
import heapq
import random
import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from domain.outcomes import StepResult
from domain.plans import Plan, Step, execution_order
from evals.report import Aim, Report
from evals.virtual_time import run_virtually
from graph.scheduler import StepReport, run_steps

Durations = dict[str, float]
SLOTS = 3


@dataclass(frozen=True)
class Case:
    """A plan with how long each of its steps will take, in seconds."""

    plan: Plan
    durations: Durations


def random_case(rng: random.Random) -> Case:
    """Return a random DAG of 3-12 steps with log-normal durations (median 1 s, sigma 0.8)."""
    count = rng.randint(3, 12)
    density = rng.uniform(0.1, 0.5)
    steps = [
        Step(id=f"s{i}", agent="worker", task="", needs=[f"s{j}" for j in range(i) if rng.random() < density])
        for i in range(count)
    ]
    return Case(Plan(steps=steps), {step.id: rng.lognormvariate(0, 0.8) for step in steps})


def scheduled(case: Case) -> float:
    """Return the makespan of the shipped scheduler, in virtual seconds."""

    async def work(step: Step, inputs: Mapping[str, StepResult]) -> StepReport:
        await asyncio.sleep(case.durations[step.id])
        return StepReport(StepResult(step=step.id, agent=step.agent))

    def launch(step: Step, body: Callable[[], Awaitable[StepReport]]) -> Awaitable[StepReport]:
        return asyncio.ensure_future(body())

    return run_virtually(run_steps(case.plan, {}, work, launch, slots=SLOTS))[1]


def list_scheduled(case: Case) -> float:
    """Return the makespan of list scheduling by longest remaining path, all durations known (Graham, 1969)."""
    steps = {step.id: step for step in case.plan.steps}
    path: Durations = {}
    for level in reversed(execution_order(case.plan)):
        for key in level:
            readers = [path[other.id] for other in steps.values() if key in other.needs]
            path[key] = case.durations[key] + max(readers, default=0.0)
    now, running, done, waiting = 0.0, list[tuple[float, str]](), set[str](), set(steps)
    while waiting or running:
        ready = sorted((k for k in waiting if done.issuperset(steps[k].needs)), key=lambda k: -path[k])
        for key in ready[: SLOTS - len(running)]:
            heapq.heappush(running, (now + case.durations[key], key))
            waiting.remove(key)
        now, finished = heapq.heappop(running)
        done.add(finished)
    return now


def level_by_level(case: Case) -> float:
    """Return the makespan when each level waits for the one before, as supersteps do."""
    total = 0.0
    for level in execution_order(case.plan):
        slots = [0.0] * SLOTS
        for key in level:
            heapq.heapreplace(slots, slots[0] + case.durations[key])
        total += max(slots)
    return total


def run(*, dags: int = 1000, seed: int = 1) -> Report:
    """Compare the three on the same random plans."""
    rng = random.Random(seed)
    cases = [random_case(rng) for _ in range(dags)]
    best = [list_scheduled(case) for case in cases]
    ratios = [scheduled(case) / base for case, base in zip(cases, best, strict=True)]
    levels = [level_by_level(case) / base for case, base in zip(cases, best, strict=True)]
    return Report(
        name="schedule",
        figures={
            "dags": dags,
            "slots": SLOTS,
            "ratio_mean": statistics.fmean(ratios),
            "ratio_p95": statistics.quantiles(ratios, n=20)[-1],
            "level_by_level_ratio_mean": statistics.fmean(levels),
            "level_by_level_ratio_p95": statistics.quantiles(levels, n=20)[-1],
        },
        aims=(Aim("ratio_mean", "<=", 1.05),),
    )
