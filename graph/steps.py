"""How one step is done: asked about first, tried, shown afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.approvals import ActionRequest
from domain.errors import (
    ActionRefused,
    ApprovalNeeded,
    ConsentNeeded,
    ConsentRefused,
    EffectUnknown,
    InvalidArguments,
    LimitReached,
    UnknownAgent,
)
from domain.events import StepFinished, StepHeld
from domain.outcomes import Draft, Failure, StepResult
from domain.plans import Step
from domain.privacy import most_private
from graph.asking import Asking
from graph.attempts import Attempts
from graph.checkpoints import stopped_at
from graph.consent import missing_consents, questions, refusal
from graph.context import Run
from graph.delegating import observe_failures
from graph.effects import begun, unsettled
from graph.gates import decision_for, note_result
from graph.inputs import absent, resolved
from graph.recovery import Ladder, Way, ways_of
from graph.reports import Inputs, Slot, StepReport
from graph.state import State, results_of


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
        """Do one step whose inputs are there; one that a checkpoint blocks fails before anything of it is done.

        It is as private as what its inputs were made of.
        """
        found = results_of(self.state) if step.delivers else inputs
        read = most_private([step.privacy, *(given.privacy for given in found.values())])
        step = step if read == step.privacy else step.model_copy(update={"privacy": read})
        try:
            return await self._done(step, inputs, slot)
        except ActionRefused as refused:
            return self._finished(failed(step, refused.code, str(refused)))

    async def _done(self, step: Step, inputs: Inputs, slot: Slot) -> StepReport:
        if step.delivers and self.final is None:
            return StepReport(_held(step))
        given = resolved(step.args, inputs, self.final)
        if wrong := self._unfit(step, given, inputs):
            return self._finished(wrong)
        if stopped := await self._unconsented(step):
            return stopped
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
        try:
            result = await self._tried(step, args, inputs, slot, request)
        except ConsentNeeded as needed:
            return self._parked(_held(step), *questions(needed.scopes, step))
        if result.failure is not None and result.failure.code == ApprovalNeeded.code:
            return await self._asked_anew(step, request, result)
        if result.failure is not None and result.failure.code == EffectUnknown.code:
            return await self._unsettled(step, args, result)
        return await self._shown(step, result, inputs)

    async def _unconsented(self, step: Step) -> StepReport | None:
        """Return why a step may not begin: a consent that it needs was refused, or is to be asked for."""
        missing, refused = await missing_consents(step, self.run, self.state)
        if refused:
            return self._finished(failed(step, ConsentRefused.code, refusal(refused, self.state)))
        return self._parked(_held(step), *questions(missing, step)) if missing else None

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

    async def _asked_anew(self, step: Step, request: ActionRequest, result: StepResult) -> StepReport:
        """Hold a step that could have been done without asking when it began, and cannot any more."""
        decided = decision_for(request, self.state) is not None
        asked = None if decided else await self._asking.before(step, request)
        return self._finished(result) if asked is None else self._parked(_held(step), asked)

    async def _tried(
        self, step: Step, args: Mapping[str, Any], inputs: Inputs, slot: Slot, shown: ActionRequest
    ) -> StepResult:
        """Return the step's result after as many tries, in as many ways, as it may take."""
        limits = self.run.services.limits
        ladder = Ladder(
            step, await self._open_ways(step, args), Attempts(step, args, inputs, self.state, self.run, shown),
            slot, self.run.emit, max_attempts=limits.max_attempts, pause=limits.retry_pause,
        )  # fmt: skip
        result = await ladder.climb()
        await note_result(shown, result, self.state, self.run)
        await observe_failures(step, ladder.tried, self.state, self.run)
        unknown = result.failure is not None and result.failure.code in (EffectUnknown.code, ApprovalNeeded.code)
        if result.status == "failed" and step.on_failure == "skip" and not unknown:
            return result.model_copy(update={"status": "skipped"})
        return result

    async def _open_ways(self, step: Step, args: Mapping[str, Any]) -> list[Way]:
        """Return the ways to do a step without those by agents whom a checkpoint stops that let the first one begin."""
        ways = await ways_of(step, self.state, self.run)
        first = ways[0].agent
        if all(way.agent == first for way in ways):
            return ways
        passed = await stopped_at(step, args, self.state, self.run, by=first)
        return [
            way
            for way in ways
            if way.agent == first or await stopped_at(step, args, self.state, self.run, by=way.agent) <= passed
        ]

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

    async def _shown(self, step: Step, result: StepResult, inputs: Inputs) -> StepReport:
        """Return the finished step, held where a checkpoint wants its output to be seen first."""
        try:
            request = await self._asking.after(step, result, list(inputs.values()))
        except ActionRefused as refused:  # what it gave does not pass, so nothing of it is kept
            lost = failed(step, refused.code, str(refused))
            kept = {"agent": result.agent, "seconds": result.seconds, "usage": result.usage}
            return self._finished(lost.model_copy(update=kept))
        except LimitReached as error:  # nothing is left to judge it with; what it found is kept
            limit = Failure(code=error.code, message=str(error))
            return self._finished(result.model_copy(update={"status": "failed", "failure": limit}))
        if request is None:
            return self._finished(result)
        return self._parked(result.model_copy(update={"status": "held"}), request)

    def _parked(self, result: StepResult, *requests: ActionRequest) -> StepReport:
        for request in requests:
            self.run.emit(StepHeld(request=request))
        return StepReport(result, requests)

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
