"""One try at a step: by a specialist or with a tool, in bounded time, its output held against what was declared."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from agents.budget import Account, spending
from agents.contracts import Assignment
from agents.exchanges.keeping import asked_by
from agents.resources.offers import Offer
from agents.tools.notes import TAKE_NOTE, note_tools
from agents.tools.registry import Tool, ToolOutput
from domain.approvals import ActionRequest
from domain.errors import ConsentNeeded, LimitReached, UnderstudyError
from domain.events import Event, ModelCalled, RoleDegraded, StepStarted, ToolCalled, ToolReturned
from domain.outcomes import Failure, StepResult, Usage
from domain.plans import Step
from domain.privacy import SENSITIVE, most_private
from graph.binding import Binder
from graph.context import Run, usage_in
from graph.effects import performed_once
from graph.handling import Handling, toolbox_for
from graph.origins import output_origin
from graph.outputs import checked_output, checked_result
from graph.privacy import by_rules_only
from graph.recovery import Way
from graph.reports import Inputs
from graph.requests import briefing_of, request_of
from graph.rules import guarded, permit
from graph.state import State
from memory.scopes import Where


@dataclass
class Attempts:
    """The tries at one step, charged to one account."""

    step: Step
    args: Mapping[str, Any]
    """The arguments of its tool, resolved and approved."""
    inputs: Inputs
    state: State
    run: Run
    shown: ActionRequest | None = None
    """What a person was, or would have been, asked about the step."""

    def __post_init__(self) -> None:
        self._binder = Binder(self.step, self.run)
        self._handling = Handling(self.step, self.state, self.run)
        budget = self.run.services.budgets.step
        self._account = Account(f"step {self.step.id!r}", budget, clock=time.monotonic)

    async def __call__(self, way: Way, number: int) -> StepResult:
        """Try a way to do the step; whatever goes wrong in a foreseen manner is a failed result."""
        self.run.emit(StepStarted(step=self.step.id, agent=way.agent, task=self.step.task, attempt=number))
        meter = Meter(self.step.id, self.run.publish)
        started = time.monotonic()
        try:
            async with self._bound(way) as offer:
                result = await self._tried(way, offer, meter)
        except ConsentNeeded:
            raise  # no failure: a person is asked, and the step begins anew
        except UnderstudyError as error:
            result = self._failed(way, error)
        read = most_private([self._handling.privacy, *(given.privacy for given in self.inputs.values())])
        return result.model_copy(
            update={
                "seconds": time.monotonic() - started, "attempts": number, "usage": meter.usage,
                "privacy": most_private([result.privacy, read]),
            }
        )  # fmt: skip

    def _bound(self, way: Way) -> AbstractAsyncContextManager[Offer | None]:
        return nullcontext() if way.by_rules else self._binder.bound(way.agent, way.tool)

    async def _tried(self, way: Way, offer: Offer | None, meter: "Meter") -> StepResult:
        """Return what the way gives on the resource that it is bound to, and let the resource be judged by it."""
        started = time.monotonic()
        try:
            with spending([*self.run.purses, self._account], self.run.services.prices), asked_by(step=self.step.id):
                result = checked_result(self.step, await self._in_time(way, offer, meter))
        except ConsentNeeded:
            raise
        except UnderstudyError as error:
            result = self._failed(way, error)
        await self._binder.note(offer, result, started)
        return result.model_copy(update={"resource": offer.resource.name}) if offer else result

    def _failed(self, way: Way, error: UnderstudyError) -> StepResult:
        failure = Failure(code=error.code, message=self.run.services.secrets.text(str(error)))
        return StepResult(step=self.step.id, agent=way.agent, status="failed", confidence=0, failure=failure)

    async def _in_time(self, way: Way, offer: Offer | None, meter: "Meter") -> StepResult:
        """Return what the way gives within the step's time and that of the budgets.

        Raises:
            StepTimeout: It took too long.
            LimitReached: A budget has no more seconds.
        """
        left = [account.seconds_left() for account in (self.run.account, self._account)]
        patience = self._binder.patience(offer)
        bounded = min((seconds for seconds in left if seconds is not None), default=patience)
        try:
            async with asyncio.timeout(min(bounded, patience)):
                if way.tool:
                    return await self._call(offer.resource.uses if offer else way.tool)
                return await self._perform(way, offer, meter)
        except TimeoutError as error:
            if bounded < patience:
                msg = f"the budget of seconds ran out while {way.agent} worked on step {self.step.id!r}"
                raise LimitReached(msg) from error
            on = f" on {offer.resource.name}" if offer else ""
            msg = f"{way.agent} did not finish{on} within {patience:g} s"
            raise StepTimeout(msg) from error

    async def _perform(self, way: Way, offer: Offer | None, meter: "Meter") -> StepResult:
        services = self.run.services
        specialist = services.team.specialist(way.agent)
        if offer:
            specialist = specialist.model_copy(update={"model": offer.resource.uses})
        own = toolbox_for(self.step, self.run).with_tools(self._notes()).only(specialist.tools).without_writes()
        tools = self._handling.around(guarded(own, self.step, self.state, self.run))
        role = (services.understudies if way.by_rules else services.cast).specialist
        if way.by_rules and by_rules_only(self.step, way.agent, self.run):
            reason = f"its model may not be given {self.step.privacy} data"
            self.run.emit(RoleDegraded(role="specialist", reason=reason))
        shared = request_of(self.state, self.run, meter)
        briefing = briefing_of(self.state, self.run, clearance=self.step.privacy)
        return await role(
            Assignment(
                **(vars(shared) | {"briefing": briefing.only(specialist.briefing)}),
                step=self.step,
                specialist=specialist,
                inputs=self.inputs,
                tools=tools,
                bound=offer is not None,
            )  # fmt: skip
        )

    def _notes(self) -> list[Tool]:
        """Return the tools to take and read notes, for the specialists that the team gives them to.

        Who works on private data takes none: anybody may read them.
        """
        state, run, workspace = self.run.services.state, self.run, self.run.context.workspace
        where = Where(workspace, run.conversation, run.run, self.step.id)
        tools = note_tools(state, where) if state else []
        return [tool for tool in tools if tool.name != TAKE_NOTE or self.step.privacy not in SENSITIVE]

    async def _call(self, name: str) -> StepResult:
        tool = toolbox_for(self.step, self.run).get(name)
        self.run.emit(ToolCalled(step=self.step.id, tool=tool.name, args=dict(self.args)))
        started = time.monotonic()
        try:
            if tool.effect == "write":
                output = await performed_once(self.step, tool, self.args, self.state, self.run, shown=self.shown)
            else:
                await permit(self.step, tool, self.args, self.state, self.run)
                output = await self._handling.handled(tool, dict(self.args), partial(tool.call, self.args))
        except UnderstudyError as error:
            failure = Failure(code=error.code, message=str(error))
            self._returned(name, started, failure=failure)
            raise
        self._returned(name, started, summary=output.text[:200])
        result = self._as_result(checked_output(tool, output, self.run.services.secrets), await tool.confidence())
        return result.model_copy(update={"origin": await output_origin(self.step, tool, self.state, self.run)})

    def _returned(self, name: str, started: float, **fields: Any) -> None:
        self.run.emit(ToolReturned(step=self.step.id, tool=name, seconds=time.monotonic() - started, **fields))

    def _as_result(self, output: ToolOutput, confidence: float) -> StepResult:
        return StepResult(
            step=self.step.id, agent=self.step.agent, text=output.text, data=output.data, sources=list(output.sources),
            confidence=confidence, empty=output.is_empty,
        )  # fmt: skip


class StepTimeout(UnderstudyError):
    """A step did not finish within its time."""

    code = "step_timeout"


@dataclass
class Meter:
    """Passes events on, those of models with the step that they worked for, and counts what these consume."""

    step: str
    publish: Callable[[Event], None]
    usage: Usage = Usage()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, ModelCalled):
            self.usage += usage_in(event)
            event = event.model_copy(update={"step": self.step})
        self.publish(event)
