"""Where a plan goes when nothing more of it can run: on, to another plan, or to its end with what there is."""

from collections.abc import Mapping, Sequence
from typing import Literal

from langgraph.types import Command

from domain.events import RecoveryChosen
from domain.outcomes import Draft, StepResult
from domain.plans import Plan, Step
from domain.reactions import reaction_to
from graph.context import Run
from graph.fingerprints import fails_for_good, plan_fingerprint
from graph.recovery import reason
from graph.scheduler import is_lost
from graph.state import JsonDict, State, dumped

Next = Literal["approve_steps", "planner", "composer", "critic", "rollback", "remember"]


def onward(state: State, run: Run, plan: Plan, results: Mapping[str, StepResult], update: JsonDict) -> Command[Next]:
    """Return the way from a plan of which nothing more can run, with the results in the update."""
    lost = [result for result in results.values() if is_lost(result)]
    if lost:
        return _without(lost, state, run, plan, update)
    if state.get("stopped"):
        return Command(goto="remember", update=update)
    if plan.continues:
        seen = {"stretches": state.get("stretches", 0) + 1, "plan_revisions": 0, "continuing": True, "problems": []}
        return Command(goto="planner", update=update | seen)
    answers = answers_of(plan, results)
    if len(answers) == 1:
        draft = Draft(text=answers[0].text, by=answers[0].agent)
        return Command(goto="critic", update=update | {"draft": dumped(draft)})
    return Command(goto="composer", update=update)


def _without(lost: Sequence[StepResult], state: State, run: Run, plan: Plan, update: JsonDict) -> Command[Next]:
    """Return the way from a plan that has lost steps: another plan, or the end with what is done."""
    failed = [result for result in lost if result.status == "failed"]
    why = "; ".join(f"{result.step}: {reason(result)}" for result in failed or lost)
    if obstacle := _no_replan(failed, state, run, plan):
        run.emit(RecoveryChosen(rung="stop", why=f"{obstacle} ({why})"))
        return Command(goto="rollback" if plan.rolls_back else "remember", update=update)
    run.emit(RecoveryChosen(rung="replan", why=why))
    known = list(state.get("failed_plans", []))
    if fails_for_good(failed):
        known.append(plan_fingerprint(plan))
    again = {"replans": state.get("replans", 0) + 1, "plan_revisions": 0, "continuing": False, "failed_plans": known}
    return Command(goto="planner", update=update | again)


def _no_replan(failed: Sequence[StepResult], state: State, run: Run, plan: Plan) -> str:
    """Return why no other plan may be tried, or nothing."""
    codes = {result.failure.code for result in failed if result.failure}
    if final := sorted(code for code in codes if reaction_to(code) == "stop"):
        return f"nothing may be tried after {', '.join(final)}"
    if state.get("stopped"):
        return "the answer is final already"
    if any(plan.step(result.step).on_failure in ("stop", "rollback") for result in failed):
        return "a step that failed must not be worked around"
    if state.get("replans", 0) >= run.services.limits.max_replans:
        return "no further plan may be tried"
    return ""


def answers_of(plan: Plan, results: Mapping[str, StepResult]) -> list[StepResult]:
    """Return the results that no other step has worked into its own: the parts of the answer.

    A tool works in what its arguments refer to; what it only comes after stays a part. Of a step that only joins a
    nested plan, these are the results that it joins.
    """
    steps = {step.id: step for step in plan.steps}
    read = {key for step in plan.steps if not step.delivers for key in _worked_in(step)}
    ends = [step.id for step in plan.steps if step.id not in read and not step.delivers]
    while joins := [key for key in ends if steps[key].joins]:
        ends = [inner for key in ends for inner in (steps[key].needs if key in joins else [key])]
    return [results[key] for key in ends if key in results and results[key].status == "done"]


def _worked_in(step: Step) -> set[str]:
    if not step.tool:
        return step.inputs()
    listed = {step.foreach.step} if step.foreach else set()
    return {ref.step for ref in step.refs()} | listed
