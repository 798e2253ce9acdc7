"""The plan critic's twin: two writers of one file, work nobody needs, personal data without consent."""

import json
from collections.abc import Iterator

from agents.contracts import PlanReviewRequest
from domain.plans import Plan, Problem, Step

_SENSITIVE = ("personal", "secret")


async def review_plan(request: PlanReviewRequest) -> list[Problem]:
    """Return the problems of a plan that validation cannot see."""
    plan = request.plan
    return [*_conflicts(plan), *_repetitions(plan), *_unread(plan), *_without_consent(plan)]


def _conflicts(plan: Plan) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for step in plan.steps:
        path = step.args.get("path")
        if step.effect != "write" or not isinstance(path, str):
            continue
        if path in first:
            message = f"writes {path!r}, which {first[path]!r} writes too; give one of them another path"
            yield Problem(code="conflict", step=step.id, message=message)
        first.setdefault(path, step.id)


def _repetitions(plan: Plan) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for step in plan.steps:
        key = json.dumps([step.agent, step.tool, step.task, step.args, sorted(step.needs)], sort_keys=True, default=str)
        if key in first:
            yield Problem(code="redundant_step", step=step.id, message=f"does the same as {first[key]!r}; leave it out")
        first.setdefault(key, step.id)


def _unread(plan: Plan) -> Iterator[Problem]:
    """Yield steps whose output is lost because the step that makes the answer does not read it."""
    work = [step for step in plan.steps if not step.delivers]
    if not work or not work[-1].inputs():
        return  # the ends are parts of the answer, which the composer puts together
    read = {step_id for step in plan.steps for step_id in step.inputs()}
    for step in work[:-1]:
        if step.id not in read and not _acts(step):
            yield Problem(code="redundant_step", step=step.id, message="no later step reads what it produces")


def _acts(step: Step) -> bool:
    return step.effect == "write"


def _without_consent(plan: Plan) -> Iterator[Problem]:
    for step in plan.steps:
        if step.privacy in _SENSITIVE and not step.consent:
            message = f"handles {step.privacy} data without a consent scope; name one or leave the data out"
            yield Problem(code="missing_consent", step=step.id, message=message)
