"""Planner: several alternatives, each repaired and validated, one chosen; an adaptive plan stretch by stretch."""

import itertools
from collections.abc import Sequence
from typing import Literal

from langgraph.types import Command

from agents.contracts import Cast, PlanningRequest
from agents.planning.calling import wants_a_file
from agents.planning.preferences import budget_for
from domain.budgets import MEASURES
from domain.events import PlanCriticised, PlanProposed, RecoveryChosen, RoleDegraded, RunFinished
from domain.outcomes import Failure, Outcome, StepResult, StepStatus
from domain.plans import Plan, Problem, Step, execution_order
from domain.routing import Recall, RouteDecision
from graph.budget import end_of
from graph.context import Run
from graph.naming import classed_plan
from graph.nodes.supervisor import unfit
from graph.origins import carried_in
from graph.planning import Choice, chosen
from graph.privacy import hidden_from_planner, recall_for, shown_to_planner
from graph.renewal import renewed
from graph.requests import request_of
from graph.rules import rules_in_words
from graph.scheduler import is_lost
from graph.state import JsonDict, State, dumped, ended, plan_of, results_of, usage_of
from graph.trying import along_trials

_Next = Literal["plan_critic", "planner", "remember", "rollback", "__end__"]


async def planner(state: State, run: Run) -> Command[_Next]:
    """Have the goal planned; a plan that cannot run goes back with its problems, at last to the rule-based planner."""
    request = await _request(state, run)
    plan, problems, others = await chosen(await run.services.cast.planner(request), request, state, run)
    revisions = state.get("plan_revisions", 0)
    if problems and revisions >= run.services.limits.max_plan_revisions:
        plan, problems, others = await _by_rules(request, state, run, problems)
    plan, update = (plan, {}) if problems else await _ready(plan, state, run)
    run.emit(PlanProposed(plan=plan, alternatives=list(others)))
    update |= {"problems": [dumped(p) for p in problems]}
    if not problems:
        kept = {"plan": dumped(plan), "results": kept_results(state, plan)}
        return Command(goto="plan_critic", update=update | kept)
    run.emit(PlanCriticised(problems=problems))
    update |= {"plan": dumped(plan), "results": _told_apart(state, plan)}
    if revisions >= run.services.limits.max_plan_revisions:
        return _given_up(state, run, problems, update)
    return Command(goto="planner", update=update | {"plan_revisions": revisions + 1})


def _given_up(state: State, run: Run, problems: Sequence[Problem], update: JsonDict) -> Command[_Next]:
    """Return the end of a run for which there is no plan, with what an earlier plan or stretch has done."""
    if all(problem.code == "already_failed" for problem in problems):
        run.emit(RecoveryChosen(rung="stop", why="no plan is known but one that has failed"))
        return Command(goto=end_of(state), update=update)
    if state.get("replans") or state.get("stretches"):
        run.emit(RecoveryChosen(rung="stop", why="no other plan could be made that would run"))
        return Command(goto=end_of(state), update=update | {"limit": dumped(_no_plan(problems))})
    return Command(goto="__end__", update=update | _unplannable(state, run, problems))


async def _ready(plan: Plan, state: State, run: Run) -> tuple[Plan, JsonDict]:
    """Return a valid plan as it is run, along the run's trials, and what the state notes of that."""
    taken = await along_trials(await renewed(plan, run.services.tools), state, run)
    remembered = await carried_in(taken.recalled, state, run, remembered=True) if taken.recalled else {}
    carried = await carried_in(taken.plan, state, run) | remembered
    return classed_plan(taken.plan, state, run), taken.update | {"carried": carried}


async def _by_rules(request: PlanningRequest, state: State, run: Run, problems: Sequence[Problem]) -> Choice:
    run.emit(RoleDegraded(role="planner", reason="; ".join(map(str, problems))))
    understudies: Cast = run.services.understudies
    return await chosen(await understudies.planner(request), request, state, run)


async def _request(state: State, run: Run) -> PlanningRequest:
    services, decision = run.services, RouteDecision.model_validate(state["decision"])
    results, recall = results_of(state), Recall.model_validate(state["recall"])
    continuing = state.get("continuing", False)
    problems = [Problem.model_validate(p) for p in state.get("problems", [])]
    told = request_of(state, run, run.emit)
    return PlanningRequest(
        **vars(told),
        kind=decision.kind,
        recall=recall_for(recall, run),
        unfit=await unfit(recall, state, run) if decision.source == "planner" else (),
        tools=services.tools,
        delivers=services.delivers and (decision.kind == "action" or wants_a_file(state["goal"])),
        rejected=plan_of(state) if state.get("plan") and (problems or not continuing) else None,
        problems=problems,
        failures=_shown(state, run, "failed"),
        finished=_finished(plan_of(state), results) if continuing else (),
        results=_shown(state, run, "done"),
        stretches_left=max(0, services.limits.max_stretches - state.get("stretches", 0) - 1),
        budget=_left(budget_for(services.team.planning.budget, told.briefing.budget_constraints), run),
        rules=await rules_in_words(run),
        private_steps=hidden_from_planner(plan_of(state), run) if state.get("plan") else frozenset(),
    )


def _shown(state: State, run: Run, status: StepStatus) -> list[StepResult]:
    """Return the results of a status, as the planner may see them."""
    found = [result for result in results_of(state).values() if result.status == status]
    return shown_to_planner(plan_of(state), found, run) if found else []


def _left(budget: dict[str, float], run: Run) -> dict[str, float]:
    """Return the budget of a plan, which is never more than what is left of the run's."""
    spent = run.account.spent._replace(seconds=run.account.seconds)._asdict()
    bounds = run.services.budgets.run.bounds
    left = {measure: max(0.0, limit - (spent[measure] or 0.0)) for measure, limit in bounds.items()}
    return {m: min(each[m] for each in (budget, left) if m in each) for m in MEASURES if m in budget or m in left}


def _finished(plan: Plan, results: dict[str, StepResult]) -> list[Step]:
    """Return the steps that need not be done again."""
    return [step for step in plan.steps if step.id in results and _stands(results[step.id])]


def _stands(result: StepResult) -> bool:
    return result.status == "done" or (result.status == "skipped" and not is_lost(result))


def kept_results(state: State, plan: Plan) -> dict[str, JsonDict]:
    """Return the finished results whose steps, and all steps before them, the new plan holds unchanged."""
    old = {step.id: step for step in plan_of(state).steps} if state.get("plan") else {}
    done = {key for key, result in results_of(state).items() if _stands(result)}
    kept: dict[str, JsonDict] = {}
    for key in itertools.chain(*execution_order(plan)):
        step = plan.step(key)
        if key in done and old.get(key) == step and step.inputs() <= kept.keys():
            kept[key] = state["results"][key]
    return kept


def _told_apart(state: State, plan: Plan) -> dict[str, JsonDict]:
    """Return the results but those of steps that a plan which cannot run has replaced by others of the same id.

    The next plan is compared with that one, and must not take a result of the old step for one of the new.
    """
    old = {step.id: step for step in plan_of(state).steps} if state.get("plan") else {}
    new = {step.id: step for step in plan.steps}
    return {key: value for key, value in state.get("results", {}).items() if new.get(key, old.get(key)) == old.get(key)}


def _no_plan(problems: Sequence[Problem]) -> Failure:
    return Failure(code="invalid_plan", message="; ".join(map(str, problems)))


def _unplannable(state: State, run: Run, problems: Sequence[Problem]) -> JsonDict:
    failure = _no_plan(problems)
    outcome = Outcome(
        status="failed",
        answer=f"No plan could be made that would run: {failure.message}.",
        stopped="max_plan_revisions",
        usage=usage_of(state) + run.usage,
        failure=failure,
    )
    run.emit(RunFinished(outcome=outcome))
    return ended(outcome)
