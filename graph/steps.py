"""How one step is done: asked about first, tried, handed to its fallback, shown afterwards."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.contracts import Assignment, CritiqueRequest
from agents.tools.registry import Tool, ToolOutput
from domain.approvals import ActionRequest
from domain.briefings import Briefing
from domain.checkpoints import Checkpoint
from domain.errors import ConstraintViolated, EffectUnknown, InvalidArguments, UnderstudyError
from domain.events import (
    EffectRecorded,
    Event,
    ModelCalled,
    StepFinished,
    StepHeld,
    StepStarted,
    ToolCalled,
    ToolReturned,
)
from domain.outcomes import Draft, Failure, StepResult, Usage
from domain.plans import Step
from graph.context import Run, usage_in
from graph.gates import carried_request, decision_for, step_request
from graph.inputs import resolved
from graph.rules import guarded, permit
from graph.scheduler import StepReport
from graph.state import State
from memory.effects import effect_key

TOOL_CONFIDENCE = 0.9
"""Confidence in the output of a tool that was called directly."""
_FINAL = (InvalidArguments.code, ConstraintViolated.code, EffectUnknown.code)


@dataclass
class StepWork:
    """Does the steps of one run."""

    state: State
    run: Run
    final: Draft | None
    """The approved final draft; steps that deliver it are held until it exists."""

    async def __call__(self, step: Step, inputs: Mapping[str, StepResult]) -> StepReport:
        """Do one step whose inputs are there."""
        if step.delivers and self.final is None:
            return StepReport(self._held(step))
        request = self._action(step, resolved(step.args, inputs, self.final))
        decision = decision_for(request, self.state)
        if decision is None and (asked := await self._question_before(step, request)):
            self.run.emit(StepHeld(request=asked))
            return StepReport(self._held(step), asked)
        if decision is not None and decision.type in ("reject", "respond"):
            return self._finished(rejected(step, decision.message))
        args = decision.args if decision is not None and decision.args is not None else request.args
        if not step.tool:
            step = step.model_copy(update={"task": str(args["task"])})
        return await self._shown(step, await self._tried(step, args, inputs))

    def _held(self, step: Step) -> StepResult:
        return StepResult(step=step.id, agent=step.agent, status="held", confidence=0)

    def _finished(self, result: StepResult) -> StepReport:
        self.run.emit(StepFinished(result=result))
        return StepReport(result)

    async def _question_before(self, step: Step, request: ActionRequest) -> ActionRequest | None:
        team = self.run.services.team
        checkpoints = [*team.checkpoints_at("BEFORE_EXECUTION", step.agent)]
        if step.effect == "write":
            checkpoints += team.checkpoints_at("ON_EFFECT", None)
        data = await self._measured(checkpoints, step.agent, self.state.get("critique", {}).get("score"))
        asked = step_request(checkpoints, data, self.run, request)
        carried = self.state.get("carried", {}).get(step.id)
        return carried_request(asked or request, carried) if carried else asked

    def _action(self, step: Step, args: dict[str, Any]) -> ActionRequest:
        tool = self.run.services.tools.tools.get(step.tool or "")
        properties = tool.parameters.model_json_schema()["properties"] if tool else {}
        return ActionRequest(
            id=step.id,
            name=step.tool or "perform_step",
            args=args if step.tool else {"task": step.task},
            types={name: spec["type"] for name, spec in properties.items() if "type" in spec},
            description=f"{step.agent} is about to {'call ' + step.tool if step.tool else 'start'}: {step.task}",
        )

    async def _measured(
        self, checkpoints: list[Checkpoint], agent: str, quality: float | None, confidence: float | None = None
    ) -> dict[str, float | None]:
        """Return what the checkpoints' bounds are held against; the success rate only where one wants it."""
        measured = {"quality": quality, "confidence": confidence}
        if any(c.auto_approve_if.success_rate_above is not None for c in checkpoints):
            memory, workspace = self.run.services.memory, self.run.context.workspace
            measured["success_rate"] = await memory.success_rate(workspace, agent)
        return measured

    async def _shown(self, step: Step, result: StepResult) -> StepReport:
        """Return the finished step, held where a checkpoint wants its output to be seen first."""
        checkpoints = [*self.run.services.team.checkpoints_at("AFTER_STAGE", step.agent)]
        if result.status != "done" or not checkpoints:
            return self._finished(result)
        quality = await self._quality(checkpoints, result)
        data = await self._measured(checkpoints, step.agent, quality, result.confidence)
        request = step_request(checkpoints, data, self.run, _review(step, result))
        if request is None:
            return self._finished(result)
        self.run.emit(StepHeld(request=request))
        return StepReport(result.model_copy(update={"status": "held"}), request)

    async def _quality(self, checkpoints: list[Checkpoint], result: StepResult) -> float | None:
        if all(c.auto_approve_if.quality_above is None for c in checkpoints):
            return None
        services = self.run.services
        critique = await services.cast.critic(
            CritiqueRequest(
                **self._request(self.run.emit),
                draft=Draft(text=result.text, by=result.agent),
                results=[result],
                quality=services.team.quality,
            )
        )
        return critique.score

    async def _tried(self, step: Step, args: dict[str, Any], inputs: Mapping[str, StepResult]) -> StepResult:
        """Return the step's result after as many attempts, by the specialist and its fallback, as it may take."""
        result = StepResult(step=step.id, agent=step.agent, status="failed")
        for attempt, agent in enumerate(self._agents(step), start=1):
            result = await self._attempt(step, agent, args, inputs, attempt)
            if result.status == "done" or not _worth_another(result):
                break
        unknown = result.failure is not None and result.failure.code == EffectUnknown.code
        if result.status == "failed" and step.on_failure == "skip" and not unknown:
            return result.model_copy(update={"status": "skipped"})
        return result

    def _agents(self, step: Step) -> list[str]:
        fallback = self.run.services.team.specialist(step.agent).fallback
        tries = [step.agent] * self.run.services.limits.max_attempts
        return tries + [fallback] if fallback and not step.tool else tries

    async def _attempt(
        self, step: Step, agent: str, args: dict[str, Any], inputs: Mapping[str, StepResult], attempt: int
    ) -> StepResult:
        self.run.emit(StepStarted(step=step.id, agent=agent, task=step.task, attempt=attempt))
        meter = Meter(self.run.publish)
        started = time.monotonic()
        try:
            async with asyncio.timeout(step.timeout):
                if step.tool:
                    result = await self._call(step, args)
                else:
                    result = await self._perform(step, agent, inputs, meter)
        except TimeoutError:
            failure = Failure(code="step_timeout", message=f"{agent} did not finish within {step.timeout:g} s")
            result = StepResult(step=step.id, agent=agent, status="failed", confidence=0, failure=failure)
        except UnderstudyError as error:
            failure = Failure(code=error.code, message=str(error))
            result = StepResult(step=step.id, agent=agent, status="failed", confidence=0, failure=failure)
        return result.model_copy(
            update={"seconds": time.monotonic() - started, "attempts": attempt, "usage": meter.usage}
        )

    async def _perform(self, step: Step, agent: str, inputs: Mapping[str, StepResult], meter: "Meter") -> StepResult:
        services = self.run.services
        specialist = services.team.specialist(agent)
        tools = guarded(services.tools.only(specialist.tools).without_writes(), step, self.state, self.run)
        return await services.cast.specialist(
            Assignment(**self._request(meter), step=step, specialist=specialist, inputs=inputs, tools=tools)
        )

    def _request(self, emit: Callable[[Event], None]) -> dict[str, Any]:
        return {
            "goal": self.state["goal"],
            "briefing": Briefing.model_validate(self.state["briefing"]),
            "team": self.run.services.team,
            "emit": emit,
        }

    async def _call(self, step: Step, args: dict[str, Any]) -> StepResult:
        tool = self.run.services.tools.get(step.tool or "")
        self.run.emit(ToolCalled(step=step.id, tool=tool.name, args=args))
        started = time.monotonic()
        try:
            await permit(step, tool, args, self.state, self.run)
            output = await (self._once(step, tool, args) if tool.effect == "write" else tool.call(args))
        except UnderstudyError as error:
            failure = Failure(code=error.code, message=str(error))
            self.run.emit(
                ToolReturned(step=step.id, tool=tool.name, seconds=time.monotonic() - started, failure=failure)
            )
            raise
        seconds = time.monotonic() - started
        self.run.emit(ToolReturned(step=step.id, tool=tool.name, seconds=seconds, summary=output.text[:200]))
        return StepResult(
            step=step.id, agent=step.agent, text=output.text, data=output.data, sources=list(output.sources),
            confidence=TOOL_CONFIDENCE,
        )  # fmt: skip

    async def _once(self, step: Step, tool: Tool, args: dict[str, Any]) -> ToolOutput:
        """Call a tool that changes the world, at most once for this run, step and arguments."""
        tool.validated(args)
        key = effect_key(thread=self.run.thread, run=self.run.run, step=step.id, tool=tool.name, args=args)

        async def act() -> dict[str, Any]:
            output = await tool.call(args)
            return {"text": output.text, "data": output.data}

        result, replayed = await self.run.services.effects.once(
            self.run.context.workspace, key, act, description=f"{tool.name} for step {step.id!r}: {step.task}"
        )
        self.run.emit(EffectRecorded(step=step.id, tool=tool.name, key=key, replayed=replayed))
        return ToolOutput(text=result["text"], data=result["data"])


@dataclass
class Meter:
    """Passes events on and counts what a step's models consume."""

    publish: Callable[[Event], None]
    usage: Usage = Usage()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, ModelCalled):
            self.usage += usage_in(event)
        self.publish(event)


def rejected(step: Step, reason: str) -> StepResult:
    """Return the result of a step that a person did not allow."""
    failure = Failure(code="rejected", message=reason or "a person rejected it")
    return StepResult(step=step.id, agent=step.agent, status="failed", confidence=0, failure=failure)


def _review(step: Step, result: StepResult) -> ActionRequest:
    return ActionRequest(
        id=f"{step.id}.after",
        name="review_step",
        args={"text": result.text},
        types={"text": "string"},
        description=f"{step.agent} has finished: {step.task}",
    )


def _worth_another(result: StepResult) -> bool:
    """Return whether trying again can help: wrong arguments, rules and unknown outcomes stay what they are."""
    return result.failure is not None and result.failure.code not in _FINAL
