"""Where a plan or a finished draft goes next: to a person if a checkpoint asks, else on."""

from typing import Literal, NamedTuple

from domain.outcomes import Critique, CritiqueStop, Draft
from domain.plans import Plan
from graph.context import Run
from graph.gates import opened, plan_request, result_request
from graph.state import JsonDict, State, dumped, plan_of, results_of


class ToExecution(NamedTuple):
    """The way of an accepted plan."""

    goto: Literal["approve_plan", "specialists"]
    update: JsonDict


class ToConclusion(NamedTuple):
    """The way of a finished draft."""

    goto: Literal["approve_result", "specialists", "remember"]
    update: JsonDict


def execute(plan: Plan, run: Run, update: JsonDict) -> ToExecution:
    """Send an accepted plan to its checkpoint, or straight to the specialists."""
    update = update | {"plan": dumped(plan)}
    request = plan_request(plan, run.services.team, run)
    if request is None:
        return ToExecution("specialists", update)
    return ToExecution("approve_plan", update | opened("approve_plan", [request]))


def conclude(
    state: State, run: Run, best: tuple[Draft, Critique], stopped: CritiqueStop, update: JsonDict
) -> ToConclusion:
    """Send the best draft to its checkpoint, or on to what is left to do with it."""
    draft, critique = best
    final = update | {"draft": dumped(draft), "critique": dumped(critique), "stopped": stopped}
    data = {"quality": critique.score, "confidence": plan_of(state).confidence}
    request = result_request(draft.text, data, run.services.team, run)
    if request is None:
        return ToConclusion(after_result(state), final)
    return ToConclusion("approve_result", final | opened("approve_result", [request]))


def after_result(state: State) -> Literal["specialists", "remember"]:
    """Return where an approved draft goes: to the steps that deliver it, if there are any."""
    results = results_of(state)
    waiting = (step.id not in results or results[step.id].status == "held" for step in plan_of(state).steps)
    return "specialists" if any(waiting) else "remember"
