"""Where a plan or a finished draft goes next: to a person if a checkpoint asks, else on."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from agents.planning.preferences import consents_of
from domain.briefings import Briefing
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


def execute(plan: Plan, state: State, run: Run, update: JsonDict, *, worries: Sequence[str] = ()) -> ToExecution:
    """Send an accepted plan to its checkpoint, or straight to the specialists.

    A person is asked whatever the checkpoints say when there are worries about the plan, or when it needs a consent
    that was not given before.
    """
    update = update | {"plan": dumped(plan)}
    briefing = Briefing.model_validate(state["briefing"])
    worries = [*worries, *_consents(plan, state, consents_of(briefing.preferences))]
    request = plan_request(plan, run.services.team, run, worries)
    if request is None:
        return ToExecution("specialists", update)
    return ToExecution("approve_plan", update | opened("approve_plan", [request]))


def _consents(plan: Plan, state: State, given: frozenset[str]) -> list[str]:
    """Return the consents that steps still to be done need and that were not given, in words."""
    wanted: dict[str, list[str]] = {}
    for step in plan.steps:
        if step.id not in state.get("results", {}):
            for scope in set(step.consent) - given:
                wanted.setdefault(scope, []).append(step.id)
    return [f"it needs your consent to {scope!r} for {', '.join(steps)}" for scope, steps in sorted(wanted.items())]


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
