"""The step scheduler: every step starts the moment its inputs exist and a slot is free.

Work-conserving list scheduling (Graham, 1969) with the order: priority, earliest deadline, longest chain of
successors, plan order. Steps are launched in plan order whatever their inputs, and wait inside; so a durable
launcher sees the same calls in the same order on every replay and can restore finished steps one by one.
"""

import asyncio
import heapq
import itertools
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from domain.approvals import ActionRequest
from domain.outcomes import Failure, StepResult
from domain.plans import RESULT, Plan, Step, execution_order
from graph.inputs import holds


class StepReport(NamedTuple):
    """A step's result, and the question to a person that holds it, if any."""

    result: StepResult
    request: ActionRequest | None = None


Work = Callable[[Step, Mapping[str, StepResult]], Awaitable[StepReport]]
"""Does a step whose inputs are there."""
Launch = Callable[[Step, Callable[[], Awaitable[StepReport]]], Awaitable[StepReport]]
"""Starts a step's body at once and returns something to await its report with."""
Rank = tuple[float, float, int, int]


class Limiter:
    """A semaphore that hands its slots to the lowest rank first."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    @asynccontextmanager
    async def slot(self, rank: Rank) -> AsyncIterator[None]:
        """Hold a slot for the length of the block."""
        await self._acquire(rank)
        try:
            yield
        finally:
            self._free += 1
            self._wake()

    async def _acquire(self, rank: Rank) -> None:
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._count), turn))
        # Steps made ready by the same event all queue before the first slot is given away.
        asyncio.get_running_loop().call_soon(self._wake)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free += 1
                self._wake()
            raise

    def _wake(self) -> None:
        while self._free and self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._free -= 1
                turn.set_result(None)


async def run_steps(
    plan: Plan, settled: Mapping[str, StepResult], work: Work, launch: Launch, *, slots: int
) -> list[StepReport]:
    """Run every step that has no result yet and return the new reports in plan order.

    Args:
        plan: A valid plan.
        settled: Results that exist already, by step id; their steps are not run again.
        work: Does one step.
        launch: Starts a body; every unsettled step is launched at once, in plan order.
        slots: Steps that may work at the same time.
    """
    loop = asyncio.get_running_loop()
    results: dict[str, asyncio.Future[StepResult]] = {step.id: loop.create_future() for step in plan.steps}
    for step_id, result in settled.items():
        if step_id in results:
            results[step_id].set_result(result)
    limiter, ranks = Limiter(slots), ranking(plan)

    def body(step: Step) -> Callable[[], Awaitable[StepReport]]:
        async def when_ready() -> StepReport:
            wanted = sorted(step.inputs() - {RESULT})
            inputs = {key: await asyncio.shield(results[key]) for key in wanted}
            if idle := _idle(step, inputs):
                return StepReport(idle)
            async with limiter.slot(ranks[step.id]):
                return await work(step, inputs)

        return when_ready

    async def collect(step: Step, launched: Awaitable[StepReport]) -> StepReport:
        try:
            report = await launched
        except BaseException as error:
            results[step.id].set_exception(error)
            results[step.id].exception()
            raise
        results[step.id].set_result(report.result)
        return report

    launched = [(step, launch(step, body(step))) for step in plan.steps if step.id not in settled]
    return list(await asyncio.gather(*(collect(step, started) for step, started in launched)))


def _idle(step: Step, inputs: Mapping[str, StepResult]) -> StepResult | None:
    """Return the result of a step that cannot or need not work, or None when it should."""
    if lost := sorted(key for key, result in inputs.items() if is_lost(result)):
        failure = Failure(code="input_failed", message=f"{', '.join(lost)} gave no result")
        return StepResult(step=step.id, agent=step.agent, status="skipped", confidence=0, failure=failure)
    if any(result.status == "held" for result in inputs.values()):
        return StepResult(step=step.id, agent=step.agent, status="held", confidence=0)
    unwanted = inputs and all(result.status == "skipped" for result in inputs.values())
    if unwanted or (step.condition and not holds(step.condition, inputs)):
        return StepResult(step=step.id, agent=step.agent, status="skipped", confidence=0)
    return None


def is_lost(result: StepResult) -> bool:
    """Return whether a result is missing because something failed, so that nothing may build on it."""
    return result.status == "failed" or (result.failure is not None and result.failure.code == "input_failed")


def ranking(plan: Plan) -> dict[str, Rank]:
    """Return each step's place in the queue, lowest first."""
    heights: dict[str, int] = {}
    for step_id in itertools.chain(*reversed(execution_order(plan))):
        readers = [heights[step.id] for step in plan.steps if step_id in step.inputs()]
        heights[step_id] = 1 + max(readers, default=0)
    return {
        step.id: (-step.priority, math.inf if step.deadline is None else step.deadline, -heights[step.id], order)
        for order, step in enumerate(plan.steps)
    }
