"""What a person is asked about a step: before it starts, and when it has finished."""

from dataclasses import dataclass
from typing import Any

from agents.contracts import CritiqueRequest
from domain.approvals import ActionRequest
from domain.checkpoints import Checkpoint
from domain.outcomes import Draft, StepResult
from domain.plans import Step
from graph.attempts import request_of
from graph.context import Run
from graph.expansion import origin_of
from graph.gates import carried_request, step_request
from graph.privacy import cast_for
from graph.state import State, plan_of


@dataclass(frozen=True)
class Asking:
    """Finds out for the steps of one run whether a person wants to be asked."""

    state: State
    run: Run

    async def before(self, step: Step, request: ActionRequest) -> ActionRequest | None:
        """Return the question about a step that is about to start, or None."""
        team = self.run.services.team
        checkpoints = [*team.checkpoints_at("BEFORE_EXECUTION", step.agent)]
        if step.effect == "write":
            checkpoints += team.checkpoints_at("ON_EFFECT", None)
        data = await self._measured(checkpoints, step.agent, self.state.get("critique", {}).get("score"))
        asked = step_request(checkpoints, data, self.run, request)
        carried = self.state.get("carried", {}).get(origin_of(step.id))
        return carried_request(asked or request, carried) if carried else asked

    def action(self, step: Step, args: dict[str, Any]) -> ActionRequest:
        """Return what a step is about to do, as a person would be shown it."""
        tool = self.run.services.tools.tools.get(step.tool or "")
        properties = tool.parameters.model_json_schema()["properties"] if tool else {}
        return ActionRequest(
            id=step.id,
            name=step.tool or "perform_step",
            args=args if step.tool else {"task": step.task},
            types={name: spec["type"] for name, spec in properties.items() if "type" in spec},
            description=f"{step.agent} is about to {'call ' + step.tool if step.tool else 'start'}: {step.task}",
        )

    async def after(self, step: Step, result: StepResult) -> ActionRequest | None:
        """Return the question about a finished step, or None."""
        checkpoints = [*self.run.services.team.checkpoints_at("AFTER_STAGE", step.agent)]
        if result.status != "done" or not checkpoints:
            return None
        quality = await self._quality(checkpoints, result)
        data = await self._measured(checkpoints, step.agent, quality, result.confidence)
        return step_request(checkpoints, data, self.run, _review(step, result))

    async def _measured(
        self, checkpoints: list[Checkpoint], agent: str, quality: float | None, confidence: float | None = None
    ) -> dict[str, float | None]:
        """Return what the checkpoints' bounds are held against; the success rate only where one wants it."""
        measured = {"quality": quality, "confidence": confidence}
        if any(c.auto_approve_if.success_rate_above is not None for c in checkpoints):
            memory, workspace = self.run.services.memory, self.run.context.workspace
            measured["success_rate"] = await memory.success_rate(workspace, agent)
        return measured

    async def _quality(self, checkpoints: list[Checkpoint], result: StepResult) -> float | None:
        if all(c.auto_approve_if.quality_above is None for c in checkpoints):
            return None
        services = self.run.services
        critique = await cast_for(plan_of(self.state), [result], self.run).critic(
            CritiqueRequest(
                **vars(request_of(self.state, self.run, self.run.emit)),
                draft=Draft(text=result.text, by=result.agent),
                results=[result],
                quality=services.team.quality,
            )
        )
        return critique.score


def _review(step: Step, result: StepResult) -> ActionRequest:
    return ActionRequest(
        id=f"{step.id}.after",
        name="review_step",
        args={"text": result.text},
        types={"text": "string"},
        description=f"{step.agent} has finished: {step.task}",
    )
