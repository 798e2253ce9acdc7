"""What a person is told with a question, gathered by code from the run: never what a model says about itself."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.approvals import ActionRequest
from domain.decisions import in_words
from domain.errors import StorageAway
from domain.facts import Facts, Undo
from domain.outcomes import Critique, StepResult
from domain.plans import RESULT, Plan, Step
from domain.targets import recipients_in
from graph.context import Run
from graph.expansion import origin_of
from graph.gates import act_kind
from graph.measures import expected_dollars, plan_privacy, undoable
from graph.state import State, plan_of, results_of

PAST = 3
"""Earlier decisions that are told."""
_SHOWN = 10
"""Recipients that are told."""


async def step_facts(step: Step, request: ActionRequest, state: State, run: Run) -> Facts:
    """Return what is known of a step that is about to start."""
    dollars = expected_dollars(step, run)
    return Facts(
        what=f"{step.agent} {'calls ' + step.tool if step.tool else 'works'}: {step.task}",
        to=_recipients([request.args]),
        data=_read_by(step),
        privacy=step.privacy,
        cost={"dollars": dollars} if dollars else {},
        undo=_undo([step], run),
        rationale=plan_of(state).rationale,
        **_judged(state),
        past=await _past(request, run),
    )


async def output_facts(step: Step, result: StepResult, request: ActionRequest, state: State, run: Run) -> Facts:
    """Return what is known of a step's output."""
    plan = plan_of(state)
    readers = [other.id for other in plan.steps if origin_of(step.id) in other.inputs()]
    onward = f", which {', '.join(readers)} will use" if readers else ""
    return Facts(
        what=f"{result.agent} has finished: {step.task}; you see its output{onward}",
        data=[*_read_by(step), *(source.name for source in result.sources[:_SHOWN])],
        privacy=step.privacy,
        undo=_undo(steps_behind(plan, step), run),
        rationale=plan.rationale,
        past=await _past(request, run),
    )


async def plan_facts(plan: Plan, request: ActionRequest, run: Run) -> Facts:
    """Return what is known of a plan that is about to run."""
    writing = [step for step in plan.steps if step.effect == "write"]
    expected = {
        name: plan.estimates[name] for name in ("dollars", "seconds", "calls", "tokens") if name in plan.estimates
    }
    count = sum(not step.joins for step in plan.steps)
    return Facts(
        what=f"{count} step(s) by {', '.join(dict.fromkeys(plan.sequence))}; {len(writing)} of them change something",
        to=_recipients(step.args for step in writing),
        data=list(dict.fromkeys(name for step in plan.steps for name in _read_by(step))),
        privacy=plan_privacy(plan),
        cost=expected,
        undo=_undo(writing, run),
        rationale=plan.rationale,
        past=await _past(request, run),
    )


async def result_facts(critique: Critique, request: ActionRequest, state: State, run: Run) -> Facts:
    """Return what is known of the final draft, and of what is done with it."""
    plan, results = plan_of(state), results_of(state)
    left = [step for step in plan.steps if step.id not in results or results[step.id].status == "held"]
    does = "; ".join(f"{step.agent} {'calls ' + step.tool if step.tool else 'works'}" for step in left)
    return Facts(
        what=f"the answer is given{f', then {does}' if does else ''}",
        to=_recipients(step.args for step in left if step.effect == "write"),
        data=list(dict.fromkeys(source.name for result in results.values() for source in result.sources))[:_SHOWN],
        privacy=plan_privacy(plan),
        undo=_undo(left, run),
        rationale=plan.rationale,
        **_scores(critique),
        past=await _past(request, run),
    )


def _recipients(args: Iterable[Mapping[str, Any]]) -> list[str]:
    found = list(dict.fromkeys(to for each in args for to in recipients_in(each)))
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return found[:_SHOWN] + more


def _read_by(step: Step) -> list[str]:
    """Return in words whose outputs a step reads."""
    return ["the answer" if name == RESULT else f"what {name!r} gave" for name in sorted(step.inputs())]


def steps_behind(plan: Plan, step: Step) -> list[Step]:
    """Return the steps that build on a step's output, directly or not; those that deliver the answer do."""
    reached = {origin_of(step.id), *([] if step.delivers else [RESULT])}
    while more := {other.id for other in plan.steps if other.inputs() & reached} - reached:
        reached |= more
    return [other for other in plan.steps if other.id in reached and other.id != origin_of(step.id)]


def _undo(steps: Sequence[Step], run: Run) -> Undo:
    writing = [step for step in steps if step.effect == "write"]
    if not writing:
        return "nothing_changes"
    return "undoable" if undoable(writing, run) else "final"


def _judged(state: State) -> dict[str, Any]:
    return _scores(Critique.model_validate(state["critique"])) if state.get("critique") else {}


def _scores(critique: Critique) -> dict[str, Any]:
    return {"scores": {"overall": critique.score, **critique.aspects}, "issues": critique.issues}


async def _past(request: ActionRequest, run: Run) -> list[str]:
    """Return what was decided on the like, in words; nothing while nobody can tell."""
    try:
        past = await run.services.lessons.decisions.similar(run.context.workspace, act_kind(request), limit=PAST)
    except StorageAway:
        return []
    return [in_words(decision, run.services.clock()) for decision in past]
