"""Where a plan or a finished draft goes next: to a person if a checkpoint asks, on, or to its end where one blocks."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from domain.approvals import ActionRequest
from domain.errors import ActionRefused
from domain.events import RecoveryChosen
from domain.hearing import Heard
from domain.outcomes import Critique, CritiqueStop, Draft, Failure, Outcome
from domain.plans import Plan, Step
from graph.budget import end_of
from graph.checkpoints import announce, at_plan, at_result
from graph.context import Run
from graph.facts import plan_facts, result_facts
from graph.gates import opened, over
from graph.measures import undoable
from graph.reviews import plan_review, result_review
from graph.showing import question_of, with_facts
from graph.state import JsonDict, State, dumped, plan_of, results_of, usage_of


class ToExecution(NamedTuple):
    """The way of an accepted plan."""

    goto: Literal["approve_plan", "specialists"]
    update: JsonDict


class ToConclusion(NamedTuple):
    """The way of a finished draft."""

    goto: Literal["approve_result", "specialists", "remember", "rollback"]
    update: JsonDict


class PlanAgain(NamedTuple):
    """The way of a plan that changed after a person approved it."""

    goto: Literal["approve_plan", "remember", "rollback"]
    update: JsonDict


class ResultAgain(NamedTuple):
    """The way of a draft that changed after a person approved it."""

    goto: Literal["approve_result", "remember", "rollback"]
    update: JsonDict


async def execute(plan: Plan, state: State, run: Run, update: JsonDict, *, worries: Sequence[str] = ()) -> ToExecution:
    """Send an accepted plan to its checkpoint, or straight to the specialists.

    A person is asked whatever the checkpoints say when there are worries about the plan. For consents the steps ask
    themselves (`graph.consent`). What was decided on an earlier plan does not count for this one.

    Raises:
        ActionRefused: A checkpoint lets the plan not pass.
    """
    heard = await at_plan(plan, run)
    await announce(heard, "plan", run)
    if heard.blocked:
        raise ActionRefused(heard.blocked)
    update = update | {"plan": dumped(plan)} | over(state, "plan", "result")
    question = await _plan_question(plan, heard, run, worries=worries)
    if question is None:
        return ToExecution("specialists", update)
    return ToExecution("approve_plan", update | opened("approve_plan", [question]))


def not_begun(refused: ActionRefused, state: State, run: Run) -> Outcome:
    """Return the outcome of a run whose plan a checkpoint blocks before anything of it was done."""
    failure = Failure(code=refused.code, message=str(refused))
    usage = usage_of(state) + run.usage
    return Outcome(status="failed", answer=f"Nothing was done: {failure.message}.", usage=usage, failure=failure)


async def conclude(
    state: State, run: Run, best: tuple[Draft, Critique], stopped: CritiqueStop, update: JsonDict
) -> ToConclusion:
    """Send the best draft to its checkpoint, or on to what is left to do with it."""
    draft, critique = best
    final = update | {"draft": dumped(draft), "critique": dumped(critique), "stopped": stopped} | over(state, "result")
    heard = await at_result(critique, plan_of(state), run)
    await announce(heard, "result", run)
    if heard.blocked:
        return ToConclusion(end_of(state), final | _ended(heard, run))
    question = await _result_question(draft.text, critique, heard, state, run)
    if question is None:
        return ToConclusion(after_result(state), final)
    return ToConclusion("approve_result", final | opened("approve_result", [question]))


async def plan_again(state: State, run: Run) -> PlanAgain:
    """Ask a person anew about a plan that is not any more what was approved."""
    plan = plan_of(state)
    heard = await at_plan(plan, run)
    if heard.blocked:
        return PlanAgain(end_of(state), _ended(heard, run))
    question = await _plan_question(plan, heard, run, stale=True)
    return PlanAgain("approve_plan", opened("approve_plan", [question or plan_review(plan)]))


async def result_again(state: State, run: Run) -> ResultAgain:
    """Ask a person anew about a draft that is not any more what was approved."""
    plan, text, critique = plan_of(state), state["draft"]["text"], Critique.model_validate(state["critique"])
    heard = await at_result(critique, plan, run)
    if heard.blocked:
        return ResultAgain(end_of(state), _ended(heard, run))
    question = await _result_question(text, critique, heard, state, run, stale=True)
    return ResultAgain("approve_result", opened("approve_result", [question or result_review(text, plan)]))


def after_result(state: State) -> Literal["specialists", "remember"]:
    """Return where an approved draft goes: to the steps that deliver it, if there are any."""
    return "specialists" if _left(state) else "remember"


def _left(state: State) -> list[Step]:
    """Return the steps that are still to be done."""
    results = results_of(state)
    return [step for step in plan_of(state).steps if step.id not in results or results[step.id].status == "held"]


def _ended(heard: Heard, run: Run) -> JsonDict:
    """Return the update that ends a run at a checkpoint that blocks."""
    run.emit(RecoveryChosen(rung="stop", why=heard.blocked))
    return {"limit": dumped(Failure(code=ActionRefused.code, message=heard.blocked))}


async def _plan_question(
    plan: Plan, heard: Heard, run: Run, *, worries: Sequence[str] = (), stale: bool = False
) -> ActionRequest | None:
    about = plan_review(plan).model_copy(update={"description": f"The plan ({plan.source}):\n{_steps_in_words(plan)}"})
    question = question_of(about, heard, undoable=undoable(plan.steps, run), worries=worries, stale=stale)
    if question is None:
        return None
    return with_facts(question, await plan_facts(plan, question, run), reasons=[*heard.reasons, *worries])


async def _result_question(
    text: str, critique: Critique, heard: Heard, state: State, run: Run, *, stale: bool = False
) -> ActionRequest | None:
    about = result_review(text, plan_of(state))
    about = about.model_copy(update={"description": "The answer is ready for your review."})
    question = question_of(about, heard, undoable=undoable(_left(state), run), stale=stale)
    if question is None:
        return None
    return with_facts(question, await result_facts(critique, question, state, run), reasons=heard.reasons)


def _steps_in_words(plan: Plan) -> str:
    return "\n".join(
        f"- {s.id}: {s.agent} — {s.task}" + (f" [{s.effect}]" if s.effect == "write" else "") for s in plan.steps
    )
