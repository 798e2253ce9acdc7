"""Privacy of what was found: who beside the steps themselves may be told what private steps gave.

Where a team declares models with what each may see, the roles that work on results (composer, critic, reviser,
planner) keep to that too: a role whose model may not see a run's private results is played by its rule-based twin, and
the planner is told that there are results, not what they say. Without declared models nobody said what may be seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from agents.contracts import Cast, Request, Role
from domain.events import RoleDegraded
from domain.outcomes import StepResult
from domain.plans import Plan, Privacy
from domain.privacy import SENSITIVE, as_private_as_read, covers, most_private
from graph.context import Run
from graph.expansion import origin_of

R = TypeVar("R", bound=Request)
A = TypeVar("A")


def cast_for(plan: Plan, results: Iterable[StepResult], run: Run) -> Cast:
    """Return who plays with these results of a plan: twins for the roles whose models may not see them."""
    cast, twins = run.services.cast, run.services.understudies
    data = _privacy(plan, results)
    if not _is_kept_from(["composer", "critic", "reviser"], data, run):
        return cast
    return replace(
        cast,
        composer=cast.composer if _may_see("composer", data, run) else _instead("composer", twins.composer, data),
        critic=cast.critic if _may_see("critic", data, run) else _instead("critic", twins.critic, data),
        reviser=cast.reviser if _may_see("reviser", data, run) else _instead("reviser", twins.reviser, data),
    )


def shown_to_planner(plan: Plan, results: Iterable[StepResult], run: Run) -> list[StepResult]:
    """Return results as the planner may be told them: without what its model may not see."""
    classes = {step.id: step.privacy for step in as_private_as_read(plan).steps}
    return [
        _withheld(result) if _is_kept_from(["planner"], classes.get(result.step, "public"), run) else result
        for result in results
    ]


def _withheld(result: StepResult) -> StepResult:
    failure = result.failure and result.failure.model_copy(update={"message": "what went wrong is private"})
    text = "(private; it is not shown here, steps that need it are given it)"
    return result.model_copy(update={"text": text, "data": {}, "sources": [], "parts": [], "failure": failure})


def _privacy(plan: Plan, results: Iterable[StepResult]) -> Privacy:
    told = {origin_of(result.step) for result in results}
    return most_private(step.privacy for step in as_private_as_read(plan).steps if step.id in told)


def _is_kept_from(roles: Sequence[str], data: Privacy, run: Run) -> bool:
    return data in SENSITIVE and not all(_may_see(role, data, run) for role in roles)


def _may_see(role: str, data: Privacy, run: Run) -> bool:
    """Return whether every model that may play a role may see data of a class."""
    desk, cast = run.services.resources, run.services.cast
    declared = [r for r in desk.resources if r.kind == "model"] if desk else []
    if not declared or cast.mode == "rules":
        return True
    seeing = {resource.uses for resource in declared if covers(resource.may_see, data)}
    models = cast.models.get(role, ())
    return bool(models) and seeing.issuperset(models)


def _instead(role: str, twin: Role[R, A], data: Privacy) -> Role[R, A]:
    async def played(request: R) -> A:
        request.emit(RoleDegraded(role=role, reason=f"its model may not be given {data} data"))
        return await twin(request)

    return played
