"""From a planner's alternatives to the one plan that runs: repaired, made minimal, validated, weighed, chosen.

All of it is code: no model is asked here. A plan that is too long is refused before anything else is done with it, so
the time that planning takes outside of models has a bound (`understudy bench planning`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.contracts import Planning, PlanningRequest
from agents.planning.choice import choose, rationale
from agents.planning.estimates import Estimate, Terms, estimate
from agents.planning.history import History, history_of
from agents.planning.minimal import minimal
from agents.planning.preferences import preference
from agents.planning.relevance import off_goal
from agents.planning.repair import Means, repaired
from agents.planning.steps import without
from agents.planning.strategies import labelled
from domain.errors import StorageAway
from domain.nesting import flattened
from domain.plans import Plan, Problem
from domain.validation import validate_plan
from graph.catalogue import RunCatalogue
from graph.context import Run
from graph.rules import problems_of
from graph.state import State, usage_of

HISTORY_SECONDS = 1.0
"""How long reading what was measured may take; after that plans are weighed by what was declared."""
_SHOWN_REPAIRS = 3


class Choice(NamedTuple):
    """What came of a planner's alternatives."""

    plan: Plan
    problems: list[Problem]
    """Of `plan`, where none can run."""
    others: Sequence[Plan] = ()
    """Plans that could have run as well."""


class Considered(NamedTuple):
    """One alternative after all that code does with it."""

    plan: Plan
    problems: list[Problem]
    estimate: Estimate | None = None
    """None for a plan that cannot be estimated, because it cannot run."""


async def chosen(planning: Planning, request: PlanningRequest, state: State, run: Run) -> Choice:
    """Return the best alternative that can run, or else the first with its problems."""
    desk = _Desk(request, state, run, await _history(run))
    most = run.services.team.planning.max_alternatives
    considered = [await desk.considered(plan) for plan in planning.alternatives[:most]]
    fit = [each for each in considered if not each.problems]
    if not fit:
        return Choice(considered[0].plan, considered[0].problems)
    wanted = run.services.team.planning.strategy
    fit = [each for each in fit if each.plan.strategy == wanted] or fit
    return _best(fit, considered, run, request)


def _best(fit: Sequence[Considered], considered: Sequence[Considered], run: Run, request: PlanningRequest) -> Choice:
    weighing = preference(
        run.services.team.planning.weights, run.services.planning_weights, request.briefing.preferences
    )
    estimates = [each.estimate for each in fit if each.estimate is not None]
    choice = choose(estimates, weighing.weights)
    plan = fit[choice.best].plan
    others = [each.plan for i, each in enumerate(fit) if i != choice.best]
    why = rationale(plan.rationale, estimates, choice, weighing)
    unfit = [f"{each.problems[0].code}" for each in considered if each.problems]
    if unfit:
        why += f" Other plans could not run ({', '.join(dict.fromkeys(unfit))})."
    return Choice(plan.model_copy(update={"rationale": why}), [], others)


@dataclass(frozen=True)
class _Desk:
    request: PlanningRequest
    state: State
    run: Run
    history: History

    async def considered(self, plan: Plan) -> Considered:
        """Return an alternative as it would be run, with everything that keeps it from being run."""
        services = self.run.services
        plan = self._mended(plan)
        if problems := validate_plan(plan, RunCatalogue(services.team, services.tools)):
            return Considered(plan, problems)
        plan, expected = self._within_budget(minimal(plan))
        problems = [*await problems_of(plan, self.state, self.run), *self._over(expected)]
        if stray := off_goal(plan, self.request.goal, self.request.briefing):
            problems.append(stray)
        return Considered(plan, problems, expected)

    def _mended(self, plan: Plan) -> Plan:
        """Return the plan behind the finished steps, flat and repaired, and closed where no stretch may follow."""
        request, services = self.request, self.run.services
        plan = plan.model_copy(update={"steps": [*request.finished, *plan.steps]})
        plan, repairs = repaired(flattened(plan), Means(services.team, services.tools))
        if plan.continues and (not request.stretches_left or len(plan.steps) == len(request.finished)):
            plan = plan.model_copy(update={"continues": False})
        if repairs:
            more = f" and {len(repairs) - _SHOWN_REPAIRS} more" if len(repairs) > _SHOWN_REPAIRS else ""
            told = "; ".join(repairs[:_SHOWN_REPAIRS])
            plan = plan.model_copy(update={"rationale": f"{plan.rationale} (Mended: {told}{more}.)".strip()})
        return labelled(plan)

    def _within_budget(self, plan: Plan) -> tuple[Plan, Estimate]:
        """Return the plan without its optional steps where it would be too dear with them, and its estimate."""
        expected = self._expected(plan)
        optional = {step.id for step in plan.steps if step.on_failure == "skip"} - self._finished
        if optional and self._over(expected):
            rest = without(plan.steps, optional)
            if any(not step.delivers for step in rest):
                plan = plan.model_copy(update={"steps": rest})
                expected = self._expected(plan)
        figures = expected.figures()
        if (usage_of(self.state) + self.run.usage).dollars is None:
            figures.pop("dollars", None)  # a hard rule on dollars must not take a guess for what is unknown
        return plan.model_copy(update={"estimates": figures}), expected

    @property
    def _finished(self) -> frozenset[str]:
        return frozenset(step.id for step in self.request.finished)

    def _expected(self, plan: Plan) -> Estimate:
        services = self.run.services
        by_rules = services.cast.mode == "rules"
        return estimate(plan, Terms(self.history, by_rules, services.limits.max_parallel_steps, self._finished))

    def _over(self, expected: Estimate) -> list[Problem]:
        """Return by which bounds of the budget the estimate goes."""
        numbers = expected.figures()
        return [
            Problem(
                code="over_budget",
                message=f"about {numbers[measure]:g} {measure} expected ({expected.basis}); at most {limit:g} allowed",
            )
            for measure, limit in self.request.budget.items()
            if measure in numbers and numbers[measure] > limit
        ]


async def _history(run: Run) -> History:
    """Return what the workspace has measured of this team; nothing while memory is away or slow."""
    services, workspace = run.services, run.context.workspace
    try:
        async with asyncio.timeout(HISTORY_SECONDS):
            episodes = await services.lessons.episodes.recent(workspace)
            tallied = await services.outcomes.tallied(workspace, services.team.name) if services.outcomes else {}
    except (StorageAway, TimeoutError):
        return History()
    return history_of(episodes, tallied, team=services.team.name, by_rules=services.cast.mode == "rules")
