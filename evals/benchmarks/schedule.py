"""How close the step scheduler comes to list scheduling that knows every duration and every failure in advance.

Steps fail now and then and are tried again after a pause, in the shipped scheduler by the shipped recovery ladder, in
the comparison as further jobs with the same durations and pauses.
"""

import asyncio
import heapq
import random
import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from domain.outcomes import Failure, StepResult
from domain.plans import Plan, Step, execution_order
from evals.report import Aim, Report
from evals.virtual_time import run_virtually
from graph.recovery import Ladder, Way
from graph.reports import Slot, StepReport
from graph.scheduler import Schedule

SLOTS = 3
FAILURE_RATE = 0.15
"""Share of tries that fail; a step fails at most `MAX_FAILURES` times."""
MAX_FAILURES = 3
PAUSE = 0.5
"""Seconds before the second try; twice as long before each further one, and some jitter."""


@dataclass(frozen=True)
class Case:
    """A plan with how long each try at each of its steps will take, in seconds; all but the last try fail."""

    plan: Plan
    tries: Mapping[str, tuple[float, ...]]
    pauses: dict[tuple[str, int], float] = field(default_factory=dict)
    """Seconds that the shipped ladder paused before a try, by step and number of the try from 0."""


def random_case(rng: random.Random, failure_rate: float = FAILURE_RATE) -> Case:
    """Return a random DAG of 3-12 steps with log-normal durations (median 1 s, sigma 0.8); tries fail at random."""
    count = rng.randint(3, 12)
    density = rng.uniform(0.1, 0.5)
    steps = [
        Step(id=f"s{i}", agent="worker", task="", needs=[f"s{j}" for j in range(i) if rng.random() < density])
        for i in range(count)
    ]
    return Case(Plan(steps=steps), {step.id: _tries(rng, failure_rate) for step in steps})


def _tries(rng: random.Random, failure_rate: float) -> tuple[float, ...]:
    failures = 0
    while failures < MAX_FAILURES and rng.random() < failure_rate:
        failures += 1
    whole = rng.lognormvariate(0, 0.8)
    return (*(whole * rng.random() for _ in range(failures)), whole)


def scheduled(case: Case) -> float:
    """Return the makespan of the shipped scheduler and ladder, in virtual seconds, and note the pauses it made."""

    async def work(step: Step, inputs: Mapping[str, StepResult], slot: Slot) -> StepReport:
        tries = case.tries[step.id]

        async def attempt(way: Way, number: int) -> StepResult:
            await asyncio.sleep(tries[number - 1])
            if number == len(tries):
                return StepResult(step=step.id, agent=step.agent)
            failure = Failure(code="tool_failed", message="injected")
            return StepResult(step=step.id, agent=step.agent, status="failed", failure=failure)

        def note(event: object) -> None:
            known = sum(1 for key in case.pauses if key[0] == step.id)
            case.pauses[step.id, known + 1] = getattr(event, "wait", 0.0)

        ladder = Ladder(step, [Way(step.agent)], attempt, slot, note, max_attempts=1 + MAX_FAILURES, pause=PAUSE)
        return StepReport(await ladder.climb())

    def launch(step: Step, body: Callable[[], Awaitable[StepReport]]) -> Awaitable[StepReport]:
        return asyncio.ensure_future(body())

    return run_virtually(Schedule(case.plan, {}, work, launch, SLOTS).run())[1]


def list_scheduled(case: Case) -> float:
    """Return the makespan of list scheduling by longest remaining path, everything known (Graham, 1969).

    A try that failed gives its slot back; the next one may start after the pause.
    """
    path = _remaining(case)
    now, running, done = 0.0, list[tuple[float, str, int]](), set[str]()
    ready_at = {(step.id, 0): 0.0 for step in case.plan.steps}
    needs = {step.id: step.needs for step in case.plan.steps}
    while ready_at or running:
        ready = [key for key, at in ready_at.items() if at <= now and done.issuperset(needs[key[0]])]
        for key in sorted(ready, key=lambda key: -path[key])[: SLOTS - len(running)]:
            del ready_at[key]
            heapq.heappush(running, (now + case.tries[key[0]][key[1]], *key))
        free = len(running) < SLOTS
        later = (at for (step, _), at in ready_at.items() if at > now and done.issuperset(needs[step]))
        wake = min(later, default=None)
        if running and not (free and wake is not None and wake < running[0][0]):
            now, step, number = heapq.heappop(running)
            if number + 1 < len(case.tries[step]):
                ready_at[step, number + 1] = now + case.pauses.get((step, number + 1), 0.0)
            else:
                done.add(step)
        elif wake is not None:
            now = wake
    return now


def _remaining(case: Case) -> dict[tuple[str, int], float]:
    """Return how long the way from each try to the end of the plan is, pauses included."""
    path: dict[tuple[str, int], float] = {}
    for step_id in (key for level in reversed(execution_order(case.plan)) for key in level):
        after = max((path[other.id, 0] for other in case.plan.steps if step_id in other.needs), default=0.0)
        for number in reversed(range(len(case.tries[step_id]))):
            after += case.tries[step_id][number]
            path[step_id, number] = after
            after += case.pauses.get((step_id, number), 0.0)
    return path


def level_by_level(case: Case) -> float:
    """Return the makespan when each level waits for the one before, as supersteps do."""
    total = 0.0
    for level in execution_order(case.plan):
        slots = [0.0] * SLOTS
        for key in level:
            heapq.heapreplace(slots, slots[0] + _alone(case, key))
        total += max(slots)
    return total


def _alone(case: Case, step: str) -> float:
    """Return how long a step takes with all its tries and pauses."""
    pauses = sum(pause for (key, _), pause in case.pauses.items() if key == step)
    return sum(case.tries[step]) + pauses


def run(*, dags: int = 1000, seed: int = 1) -> Report:
    """Compare the three on the same random plans."""
    rng = random.Random(seed)
    cases = [random_case(rng) for _ in range(dags)]
    shipped = [scheduled(case) for case in cases]  # first, because it makes the pauses that the others have, too
    best = [list_scheduled(case) for case in cases]
    ratios = [took / base for took, base in zip(shipped, best, strict=True)]
    levels = [level_by_level(case) / base for case, base in zip(cases, best, strict=True)]
    return Report(
        name="schedule",
        figures={
            "dags": dags,
            "slots": SLOTS,
            "failed_tries": sum(len(tries) - 1 for case in cases for tries in case.tries.values()),
            "ratio_mean": statistics.fmean(ratios),
            "ratio_p95": statistics.quantiles(ratios, n=20)[-1],
            "level_by_level_ratio_mean": statistics.fmean(levels),
            "level_by_level_ratio_p95": statistics.quantiles(levels, n=20)[-1],
        },
        aims=(Aim("ratio_mean", "<=", 1.05),),
    )
