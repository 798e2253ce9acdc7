"""Privacy of what was found, read or remembered: who beside the steps themselves may be told of it.

Where a team declares models with what each may see, every role keeps to that. Else a role whose model runs on machines
of others is told nothing of what its team keeps here (`agents.privacy_policy.PrivacyPolicy.local_only`). Of results, a
role that may not see them is played by its rule-based twin, and the planner is told that there are some, not what they
say. Of the briefing, roles are told what every model of the team may be told, since what one writes the others read:
private materials, turns of the conversation, earlier goals and corrections do not exist for them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from agents.contracts import Cast, ExplanationRequest, FoldingRequest, Request, Role
from agents.rules.explaining import explain
from agents.rules.folding import fold
from domain.briefings import Briefing
from domain.events import RoleDegraded
from domain.outcomes import Draft, StepResult
from domain.plans import Plan, Privacy, Step
from domain.privacy import CLASSES, SENSITIVE, as_private_as_read, covers, most_private
from domain.resources import Resource
from domain.routing import Recall
from graph.context import Run
from graph.expansion import origin_of

R = TypeVar("R", bound=Request)
A = TypeVar("A")
_ROLES = ("supervisor", "planner", "plan_critic", "composer", "critic", "reviser")
HIDDEN_TURN = "(private; it is not shown here)"


def cast_for(plan: Plan, results: Iterable[StepResult], run: Run) -> Cast:
    """Return who plays with these results of a plan: twins for the roles whose models may not see them."""
    cast, twins = run.services.cast, run.services.understudies
    data = privacy_of(plan, results)
    if not _is_kept_from(["composer", "critic", "reviser"], data, run):
        return cast
    return replace(
        cast,
        composer=cast.composer if _may_see("composer", data, run) else _instead("composer", twins.composer, data),
        critic=cast.critic if _may_see("critic", data, run) else _instead("critic", twins.critic, data),
        reviser=cast.reviser if _may_see("reviser", data, run) else _instead("reviser", twins.reviser, data),
    )


def cast_for_plan(plan: Plan, run: Run) -> Cast:
    """Return who plays with the plan itself, whose tasks and arguments may name what stays here."""
    cast, data = run.services.cast, most_private(step.privacy for step in plan.steps)
    remote = cast.remote.intersection(cast.models.get("plan_critic", ()))
    if not (remote and run.services.team.privacy.is_kept(data)):
        return cast
    return replace(cast, plan_critic=_instead("plan_critic", run.services.understudies.plan_critic, data))


def explainer_for(
    plan: Plan | None, results: Iterable[StepResult], run: Run
) -> tuple[Role[ExplanationRequest, Draft], Role[ExplanationRequest, Draft]]:
    """Return who answers questions about a run, and the twin, who may be told everything.

    What is known of a run names its steps' tasks and what they read, so the most private of them counts.
    """
    results = list(results)
    planned = [step.privacy for step in as_private_as_read(plan).steps] if plan else []
    data = most_private(["internal", *planned, *(result.privacy for result in results)])
    twin = run.services.understudies.explainer or explain
    role = run.services.cast.explainer or twin
    return (twin if _is_kept_from(["explainer"], data, run) else role), twin


def summariser_for(data: Privacy, run: Run) -> tuple[Role[FoldingRequest, Draft], Role[FoldingRequest, Draft]]:
    """Return who folds turns of the conversation that are so private, and the twin."""
    twin = run.services.understudies.summariser or fold
    role = run.services.cast.summariser or twin
    return (twin if _is_kept_from(["summariser"], data, run) else role), twin


def shown_to_planner(plan: Plan, results: Iterable[StepResult], run: Run) -> list[StepResult]:
    """Return results as the planner may be told them: without what its model may not see."""
    classes = {step.id: step.privacy for step in as_private_as_read(plan).steps}
    return [
        _withheld(result)
        if _is_hidden_from_planner(most_private([classes.get(result.step, "public"), result.privacy]), run)
        else result
        for result in results
    ]


def hidden_from_planner(plan: Plan, run: Run) -> frozenset[str]:
    """Return the steps of a plan whose tasks and arguments the planner's model may not see."""
    steps = as_private_as_read(plan).steps
    return frozenset(step.id for step in steps if _is_hidden_from_planner(step.privacy, run))


def _is_hidden_from_planner(data: Privacy, run: Run) -> bool:
    """Return whether the planner may not be told: its own model may not, or one that reads the tasks it writes."""
    kept_here = bool(run.services.cast.remote) and run.services.team.privacy.is_kept(data)
    return kept_here or _is_kept_from(["planner"], data, run)


def _withheld(result: StepResult) -> StepResult:
    failure = result.failure and result.failure.model_copy(update={"message": "what went wrong is private"})
    text = "(private; it is not shown here, steps that need it are given it)"
    return result.model_copy(update={"text": text, "data": {}, "sources": [], "parts": [], "failure": failure})


def privacy_of(plan: Plan, results: Iterable[StepResult]) -> Privacy:
    """Return how private results are together: as the steps that gave them, and as what these have read."""
    results = list(results)
    told = {origin_of(result.step) for result in results}
    classes = [step.privacy for step in as_private_as_read(plan).steps if step.id in told]
    return most_private([*classes, *(result.privacy for result in results)])


def briefing_for(briefing: Briefing, run: Run, clearance: Privacy = "public") -> Briefing:
    """Return a briefing without what the models of the team may not be told.

    Args:
        briefing: Everything that is known.
        run: The run.
        clearance: Class of the step that is worked on: who does it may be told that much. A role has none, since what
            one role writes, the others read.
    """
    remembered = run.services.team.privacy.memories
    hidden = {data for data in CLASSES if not covers(clearance, data) and _is_withheld(data, run)}
    affected = hidden.intersection([*_classes(briefing), remembered])
    return _without(briefing, hidden, remembered) if affected else briefing


def privacy_told(briefing: Briefing) -> Privacy:
    """Return the most private data that somebody who was given a briefing may repeat."""
    return most_private(["internal", *_classes(briefing)])


def _classes(briefing: Briefing) -> list[Privacy]:
    read = [material.privacy for material in briefing.materials]
    others = [*(one.privacy for one in briefing.corrections), *(one.privacy for one in briefing.earlier)]
    return [*briefing.conversation_privacy, *read, *others]


def _without(briefing: Briefing, hidden: Collection[Privacy], remembered: Privacy) -> Briefing:
    turns = list(zip(briefing.conversation, _padded(briefing), strict=True))
    forgets = remembered in hidden
    return briefing.model_copy(
        update={
            "materials": [material for material in briefing.materials if material.privacy not in hidden],
            "conversation": [HIDDEN_TURN if data in hidden else turn for turn, data in turns],
            "earlier": [one for one in briefing.earlier if one.privacy not in hidden],
            "conversation_privacy": ["internal" if data in hidden else data for _, data in turns],
            "corrections": [] if forgets else [c for c in briefing.corrections if c.privacy not in hidden],
            "past_successes": [] if forgets else briefing.past_successes,
            "task_history": [] if forgets else briefing.task_history,
        }
    )


def _padded(briefing: Briefing) -> list[Privacy]:
    """Return a class for every turn of the conversation; turns of a time without classes are `internal`."""
    unsaid: list[Privacy] = ["internal"] * (len(briefing.conversation) - len(briefing.conversation_privacy))
    return [*unsaid, *briefing.conversation_privacy][: len(briefing.conversation)]


def recall_for(recall: Recall, run: Run) -> Recall:
    """Return what was recalled without the goals that the models of the team may not be told."""
    remembered = run.services.team.privacy.memories
    told = [n for n in recall.neighbours if not _is_withheld(most_private([n.privacy, remembered]), run)]
    return recall if len(told) == len(recall.neighbours) else recall.model_copy(update={"neighbours": told})


def _is_withheld(data: Privacy, run: Run) -> bool:
    """Return whether data of a class is told to no role, because one of them, or a specialist, may not see it."""
    kept_here = bool(run.services.cast.remote) and run.services.team.privacy.is_kept(data)
    return kept_here or _is_kept_from(_ROLES, data, run)


def by_rules_only(step: Step, agent: str, run: Run) -> bool:
    """Return whether a specialist's model may not be given a step's data, so that its rule-based twin does it.

    Where the team declares models, those are bound to the step, or refused it.
    """
    cast, policy = run.services.cast, run.services.team.privacy
    model, usual = run.services.team.specialist(agent).model, cast.models.get("specialist", ())
    models = [model, *usual[1:]] if model else usual  # the fallback is tried after either
    return not _declared_models(run) and policy.is_kept(step.privacy) and bool(cast.remote.intersection(models))


def _is_kept_from(roles: Sequence[str], data: Privacy, run: Run) -> bool:
    kept = data in SENSITIVE or run.services.team.privacy.is_kept(data)
    return kept and not all(_may_see(role, data, run) for role in roles)


def _may_see(role: str, data: Privacy, run: Run) -> bool:
    """Return whether every model that may play a role may see data of a class."""
    cast = run.services.cast
    if cast.mode == "rules":
        return True
    models = cast.models.get(role, ())
    if declared := _declared_models(run):
        seeing = {resource.uses for resource in declared if covers(resource.may_see, data)}
        return bool(models) and seeing.issuperset(models)
    return not (run.services.team.privacy.is_kept(data) and cast.remote.intersection(models))


def _declared_models(run: Run) -> list[Resource]:
    desk = run.services.resources
    return [r for r in desk.resources if r.kind == "model"] if desk else []


def _instead(role: str, twin: Role[R, A], data: Privacy) -> Role[R, A]:
    async def played(request: R) -> A:
        request.emit(RoleDegraded(role=role, reason=f"its model may not be given {data} data"))
        return await twin(request)

    return played
