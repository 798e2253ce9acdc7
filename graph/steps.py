"""How one step is done: asked about first, tried, shown afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.approvals import ActionRequest
from domain.errors import EffectUnknown, InvalidArguments, LimitReached, UnknownAgent
from domain.events import StepFinished, StepHeld
from domain.outcomes import Draft, Failure, StepResult
from domain.plans import Step
from graph.asking import Asking
from graph.attempts import Attempts
from graph.context import Run
from graph.delegating import observe_failures
from graph.effects import begun, unsettled
from graph.gates import decision_for
from graph.inputs import absent, resolved
from graph.recovery import Ladder, ways_of
from graph.reports import Inputs, Slot, StepReport
from graph.state import State


@dataclass
class StepWork:
    """Does the steps of one run."""

    state: State
    run: Run
    final: Draft | None
    """The approved final draft; steps that deliver it are held until it exists."""

    def __post_init__(self) -> None:
        self._asking = Asking(self.state, self.run)

    async def __call__(self, step: Step, inputs: Inputs, slot: Slot) -> StepReport:
        """Do one step whose inputs are there."""
        if step.delivers and self.final is None:
            return StepReport(_held(step))
        given = resolved(step.args, inputs, self.final)
        if wrong := self._unfit(step, given, inputs):
            return self._finished(wrong)
        request = self._asking.action(step, given)
        decision = decision_for(request, self.state)
        asks = decision is None and not await begun(step, request.args, self.run)
        if asks and (asked := await self._asking.before(step, request)):
            return self._parked(_held(step), asked)
        if decision is not None and decision.type in ("reject", "respond"):
            return self._finished(rejected(step, decision.message))
        args = decision.args if decision is not None and decision.args is not None else request.args
        if not step.tool:
            step = step.model_copy(update={"task": str(args["task"])})
        result = await self._tried(step, args, inputs, slot)
        if result.failure is not None and result.failure.code == EffectUnknown.code:
            return await self._unsettled(step, args, result)
        return await self._shown(step, result)

    def _unfit(self, step: Step, args: Mapping[str, Any], inputs: Inputs) -> StepResult | None:
        """Return the failure of a step that cannot be tried, before anybody is asked.

        Its specialist has left the team since it was planned, or its resolved arguments are none that its tool takes.
        """
        try:
            self.run.services.team.specialist(step.agent)
        except UnknownAgent as error:
            return failed(step, error.code, str(error))
        tool = self.run.services.tools.tools.get(step.tool or "")
        if tool is None:
            return None
        try:
            tool.validated(args)
        except InvalidArguments as error:
            message = "; ".join([self.run.services.secrets.text(str(error)), *absent(step, inputs, self.final)])
            return failed(step, error.code, message)
        return None

    async def _tried(self, step: Step, args: Mapping[str, Any], inputs: Inputs, slot: Slot) -> StepResult:
        """Return the step's result after as many tries, in as many ways, as it may take."""
        limits = self.run.services.limits
        ladder = Ladder(
            step, await ways_of(step, self.state, self.run), Attempts(step, args, inputs, self.state, self.run),
            slot, self.run.emit, max_attempts=limits.max_attempts, pause=limits.retry_pause,
        )  # fmt: skip
        result = await ladder.climb()
        await observe_failures(step, ladder.tried, self.state, self.run)
        unknown = result.failure is not None and result.failure.code == EffectUnknown.code
        if result.status == "failed" and step.on_failure == "skip" and not unknown:
            return result.model_copy(update={"status": "skipped"})
        return result

    async def _unsettled(self, step: Step, args: Mapping[str, Any], result: StepResult) -> StepReport:
        """Hold a step until a person has found out whether it had its effect, or end it where the person says so."""
        request = await unsettled(step, dict(args), self.run)
        if request is None:
            return self._finished(result)
        decision = decision_for(request, self.state)
        if decision is not None:
            reason = decision.message or "a person stopped it while nobody knew whether it had happened"
            return self._finished(rejected(step, reason))
        return self._parked(_held(step), request)

    async def _shown(self, step: Step, result: StepResult) -> StepReport:
        """Return the finished step, held where a checkpoint wants its output to be seen first."""
        try:
            request = await self._asking.after(step, result)
        except LimitReached as error:  # nothing is left to judge it with; what it found is kept
            limit = Failure(code=error.code, message=str(error))
            return self._finished(result.model_copy(update={"status": "failed", "failure": limit}))
        if request is None:
            return self._finished(result)
        return self._parked(result.model_copy(update={"status": "held"}), request)

    def _parked(self, result: StepResult, request: ActionRequest) -> StepReport:
        self.run.emit(StepHeld(request=request))
        return StepReport(result, (request,))

    def _finished(self, result: StepResult) -> StepReport:
        self.run.emit(StepFinished(result=result))
        return StepReport(result)


def _held(step: Step) -> StepResult:
    return StepResult(step=step.id, agent=step.agent, status="held", confidence=0)


def failed(step: Step, code: str, message: str) -> StepResult:
    """Return the result of a step that failed for a known reason."""
    failure = Failure(code=code, message=message)
    return StepResult(step=step.id, agent=step.agent, status="failed", confidence=0, failure=failure)


def rejected(step: Step, reason: str) -> StepResult:
    """Return the result of a step that a person did not allow."""
    return failed(step, "rejected", reason or "a person rejected it")
