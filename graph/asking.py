"""What a person is asked about a step: before it starts, and when it has finished."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agents.tools.registry import schema_of
from domain.approvals import ActionRequest, Decision
from domain.errors import ActionRefused, InvalidDecision
from domain.hearing import Heard
from domain.outcomes import StepResult
from domain.plans import Step
from domain.privacy import as_private_as_read
from domain.voting import may_decide
from graph.checkpoints import announce, before_step, behind_step
from graph.context import Run
from graph.expansion import origin_of
from graph.facts import output_facts, step_facts, steps_behind
from graph.fingerprints import plan_fingerprint
from graph.gates import carried_request, is_stale
from graph.measures import undoable
from graph.origins import untrusted
from graph.reviews import output_review
from graph.ruling import ruled_question
from graph.showing import question_of, with_facts
from graph.state import State, plan_of, results_of


@dataclass(frozen=True)
class Asking:
    """Finds out for the steps of one run whether a person wants to be asked."""

    state: State
    run: Run

    @cached_property
    def _plan(self) -> str:
        return plan_fingerprint(plan_of(self.state))

    async def before(self, step: Step, request: ActionRequest) -> ActionRequest | None:
        """Return the question about a step that is about to start, or None.

        Raises:
            ActionRefused: A checkpoint lets it not pass.
        """
        heard = await before_step(step, request.args, self.state, self.run)
        await announce(heard, step.id, self.run)
        stale = is_stale(request, self.state)
        question = question_of(request, heard, undoable=undoable([step], self.run), stale=stale)
        found = await untrusted(step, request.args, self.state, self.run)
        question = carried_request(question or request, found) if found else question
        ruled = await ruled_question(step, request, question, heard.verdicts, self.state, self.run)
        _refuse_blocked(heard)
        asked = ruled or (question if stale else None)
        if asked is None:
            return None
        facts = await step_facts(step, request, self.state, self.run)
        return with_facts(asked, facts, reasons=[*heard.reasons, *found])

    def action(self, step: Step, args: dict[str, Any]) -> ActionRequest:
        """Return what a step is about to do, as a person would be shown it."""
        tool = self.run.services.tools.tools.get(step.tool or "")
        schema = schema_of(tool.parameters) if tool else {}
        properties = schema.get("properties", {})
        return ActionRequest(
            id=step.id,
            name=step.tool or "perform_step",
            args=args if step.tool else {"task": step.task},
            types={name: spec["type"] for name, spec in properties.items() if "type" in spec},
            parameters=schema,
            plan=self._plan,
            description=f"{step.agent} is about to {'call ' + step.tool if step.tool else 'start'}: {step.task}",
        )

    async def after(self, step: Step, result: StepResult, inputs: Sequence[StepResult]) -> ActionRequest | None:
        """Return the question about a finished step, or None.

        Args:
            step: The step.
            result: What it gave.
            inputs: The results that it read.

        Raises:
            ActionRefused: A checkpoint lets its output not pass.
        """
        if result.status != "done":
            return None
        heard = await behind_step(step, result, inputs, self.state, self.run)
        await announce(heard, step.id, self.run)
        _refuse_blocked(heard)
        about = output_review(result, plan_of(self.state))
        about = about.model_copy(update={"description": f"{result.agent} has finished: {step.task}"})
        behind = steps_behind(plan_of(self.state), step)
        question = question_of(about, heard, undoable=undoable(behind, self.run), stale=is_stale(about, self.state))
        if question is None:
            return None
        facts = await output_facts(step, result, question, self.state, self.run)
        return with_facts(question, facts, reasons=heard.reasons)


async def refuse_beyond(request: ActionRequest, decision: Decision, state: State, run: Run) -> None:
    """Refuse an edit that makes of an act one that nobody may do, or that takes others to decide on.

    Raises:
        InvalidDecision: It is one; says which checkpoint says so.
    """
    step = next((step for step in plan_of(state).steps if step.id == origin_of(request.id)), None)
    if step is None or decision.args is None or decision.args == request.args:
        return
    heard = await before_step(step.model_copy(update={"id": request.id}), decision.args, state, run)
    if heard.blocked:
        raise InvalidDecision(heard.blocked)
    if not may_decide(heard.patience(undoable=undoable([step], run)), decision):
        msg = f"edited like this it is for others, or for more people, to decide: {'; '.join(heard.reasons)}"
        raise InvalidDecision(msg)


async def outputs_again(state: State, run: Run) -> list[ActionRequest]:
    """Return the questions about outputs that are not any more what a person decided on."""
    plan, found = as_private_as_read(plan_of(state)), []
    for step in plan.steps:
        result = results_of(state).get(step.id)
        for part in (result.parts or [result]) if result is not None and result.status == "held" else ():
            if part.status == "held" and is_stale(output_review(part, plan_of(state)), state):
                found += await _again(step.model_copy(update={"id": part.step}), part, state, run)
    return found


async def _again(step: Step, result: StepResult, state: State, run: Run) -> list[ActionRequest]:
    try:
        known = results_of(state)
        inputs = [known[key] for key in sorted(step.inputs() & known.keys())]
        question = await Asking(state, run).after(step, result.model_copy(update={"status": "done"}), inputs)
    except ActionRefused:
        return []  # the decision on what was there before lets nothing of it pass
    return [question] if question is not None else []


def _refuse_blocked(heard: Heard) -> None:
    if heard.blocked:
        raise ActionRefused(heard.blocked)
