"""The step scheduler: every step starts the moment its inputs exist and a slot is free.

Work-conserving list scheduling (Graham, 1969) with the order: priority, earliest deadline, longest chain of
successors, plan order. Steps are launched in plan order whatever their inputs, and wait inside; so a durable
launcher sees the same calls in the same order on every replay and can restore finished steps one by one.
"""

import asyncio
import functools
import itertools
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import InitVar, dataclass

from langgraph.errors import GraphDrained

from domain.outcomes import Failure, StepResult
from domain.plans import RESULT, Plan, Step, execution_order
from graph.expansion import for_each, joined, repeated
from graph.inputs import holds
from graph.limiter import Limiter, Rank
from graph.reports import Inputs, Launch, StepReport, Work, all_of


@dataclass
class Schedule:
    """The steps of one plan on their way.

    Args:
        plan: A valid, flat plan.
        settled: Results that exist already, by step id, also of the instances of a step; these are not run again.
        work: Does one step.
        launch: Starts a body; every unsettled step is launched at once, in plan order.
        slots: Steps that may work at the same time.
        draining: Returns why no more work may begin, or None while it may.
    """

    plan: Plan
    settled: Inputs
    work: Work
    launch: Launch
    slots: InitVar[int]
    draining: Callable[[], str | None] = lambda: None

    def __post_init__(self, slots: int) -> None:
        self._limiter, self._ranks = Limiter(slots), ranking(self.plan)
        self._results: dict[str, asyncio.Future[StepResult]] = {}

    async def run(self) -> list[StepReport]:
        """Run every step that has no result yet and return the new reports in plan order.

        Raises:
            GraphDrained: No more work may begin; what had begun has ended, and the rest can be run later.
        """
        loop = asyncio.get_running_loop()
        self._results = {step.id: loop.create_future() for step in self.plan.steps}
        todo = []
        for step in self.plan.steps:
            if step.id in self.settled and self.settled[step.id].status != "held":
                self._results[step.id].set_result(self.settled[step.id])
            else:
                todo.append((step, self.launch(step, functools.partial(self._body, step))))
        return await all_of(self._collected(step, launched) for step, launched in todo)

    async def _body(self, step: Step) -> StepReport:
        wanted = sorted(step.inputs() - {RESULT})
        inputs = {key: await asyncio.shield(self._results[key]) for key in wanted}
        if idle := _idle(step, inputs):
            return StepReport(idle)
        if step.joins:
            return StepReport(joined(step, [inputs[key] for key in step.needs]))
        one = functools.partial(self._instance, rank=self._ranks[step.id])
        if step.foreach:
            return await for_each(step, step.foreach, inputs, one)
        if step.repeat:
            return await repeated(step, step.repeat, inputs, one)
        return await self._worked(step, inputs, self._ranks[step.id])

    def _instance(self, instance: Step, inputs: Inputs, *, rank: Rank) -> Awaitable[StepReport]:
        """Start an instance of a step, in the order of the calls, or return the result that it has."""
        if instance.id in self.settled:
            return _given(StepReport(self.settled[instance.id]))
        return self.launch(instance, functools.partial(self._worked, instance, inputs, rank))

    async def _worked(self, step: Step, inputs: Inputs, rank: Rank) -> StepReport:
        @asynccontextmanager
        async def slot() -> AsyncIterator[None]:
            async with self._limiter.slot(rank):
                if reason := self.draining():
                    raise GraphDrained(reason)
                yield

        return await self.work(step, inputs, slot)

    async def _collected(self, step: Step, launched: Awaitable[StepReport]) -> StepReport:
        result = self._results[step.id]
        try:
            report = await launched
        except BaseException as error:
            result.set_exception(error)
            result.exception()
            raise
        result.set_result(report.result)
        return report


async def _given(report: StepReport) -> StepReport:
    return report


def _idle(step: Step, inputs: Inputs) -> StepResult | None:
    """Return the result of a step that cannot or need not work, or None when it should."""
    if lost := sorted(key for key, result in inputs.items() if is_lost(result)):
        failure = Failure(code="input_failed", message=f"{', '.join(lost)} gave no result")
        return StepResult(step=step.id, agent=step.agent, status="skipped", confidence=0, failure=failure)
    if any(result.status == "held" for result in inputs.values()):
        return StepResult(step=step.id, agent=step.agent, status="held", confidence=0)
    unwanted = inputs and all(result.status == "skipped" for result in inputs.values())
    unwanted = unwanted or (step.foreach is not None and inputs[step.foreach.step].status == "skipped")
    if unwanted or not all(holds(condition, inputs) for condition in step.conditions):
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
