"""Planner: up to three alternatives, each validated, one chosen."""

import itertools
import re
from collections.abc import Sequence
from typing import Literal

from langgraph.types import Command

from agents.contracts import Cast, Planning, PlanningRequest
from domain.briefings import Briefing
from domain.events import PlanCriticised, PlanProposed, RoleDegraded, RunFinished
from domain.outcomes import Failure, Outcome
from domain.plans import Plan, Problem, execution_order
from domain.routing import Recall, RouteDecision
from graph.carried import carried_by_planner
from graph.context import Run
from graph.renewal import renewed
from graph.rules import problems_of
from graph.state import JsonDict, State, dumped, ended, plan_of, results_of, usage_of

_WANTS_A_FILE = re.compile(
    r"\b(write|draft|brief|report|memo|post|article|blog|newsletter|document|save|publish)\b", re.I
)


async def planner(state: State, run: Run) -> Command[Literal["plan_critic", "planner", "__end__"]]:
    """Have the goal planned; a plan that cannot run goes back with its problems, at last to the rule-based planner."""
    planning = await run.services.cast.planner(_request(state, run))
    plan, problems = await chosen(planning, state, run)
    revisions = state.get("plan_revisions", 0)
    if problems and revisions >= run.services.limits.max_plan_revisions:
        plan, problems = await _by_rules(state, run, problems)
    plan = plan if problems else await renewed(plan, run.services.tools)
    run.emit(PlanProposed(plan=plan))
    carried = carried_by_planner(plan, Recall.model_validate(state["recall"]), state, run)
    update: JsonDict = {"plan": dumped(plan), "problems": [dumped(p) for p in problems], "carried": carried}
    if not problems:
        return Command(goto="plan_critic", update=update | {"results": kept_results(state, plan)})
    run.emit(PlanCriticised(problems=problems))
    if revisions >= run.services.limits.max_plan_revisions:
        return Command(goto="__end__", update=_unplannable(state, run, problems))
    return Command(goto="planner", update=update | {"plan_revisions": revisions + 1})


async def chosen(planning: Planning, state: State, run: Run) -> tuple[Plan, list[Problem]]:
    """Return the first alternative that can run, or else the first with its problems."""
    judged = [(plan, await problems_of(plan, state, run)) for plan in planning.alternatives[:3]]
    return next(((plan, problems) for plan, problems in judged if not problems), judged[0])


async def _by_rules(state: State, run: Run, problems: Sequence[Problem]) -> tuple[Plan, list[Problem]]:
    run.emit(RoleDegraded(role="planner", reason="; ".join(map(str, problems))))
    understudies: Cast = run.services.understudies
    return await chosen(await understudies.planner(_request(state, run)), state, run)


def _request(state: State, run: Run) -> PlanningRequest:
    services, decision = run.services, RouteDecision.model_validate(state["decision"])
    failures = [r for r in results_of(state).values() if r.status == "failed"]
    return PlanningRequest(
        goal=state["goal"],
        briefing=Briefing.model_validate(state["briefing"]),
        team=services.team,
        emit=run.emit,
        kind=decision.kind,
        recall=Recall.model_validate(state["recall"]),
        tools=services.tools,
        delivers=services.delivers and (decision.kind == "action" or bool(_WANTS_A_FILE.search(state["goal"]))),
        rejected=plan_of(state) if state.get("plan") else None,
        problems=[Problem.model_validate(p) for p in state.get("problems", [])],
        failures=failures,
    )


def kept_results(state: State, plan: Plan) -> dict[str, JsonDict]:
    """Return the finished results whose steps, and all steps before them, the new plan holds unchanged."""
    old = {step.id: step for step in plan_of(state).steps} if state.get("plan") else {}
    done = {key for key, result in results_of(state).items() if result.status == "done"}
    kept: dict[str, JsonDict] = {}
    for key in itertools.chain(*execution_order(plan)):
        step = plan.step(key)
        if key in done and old.get(key) == step and step.inputs() <= kept.keys():
            kept[key] = state["results"][key]
    return kept


def _unplannable(state: State, run: Run, problems: Sequence[Problem]) -> JsonDict:
    text = "; ".join(map(str, problems))
    outcome = Outcome(
        status="failed",
        answer=f"No plan could be made that would run: {text}.",
        stopped="max_plan_revisions",
        usage=usage_of(state) + run.usage,
        failure=Failure(code="invalid_plan", message=text),
    )
    run.emit(RunFinished(outcome=outcome))
    return ended(outcome)
