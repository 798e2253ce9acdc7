"""How private data is, and that what is made of private data is as private."""

from collections.abc import Iterable
from graphlib import CycleError

from domain.plans import RESULT, Plan, Privacy, Step, execution_order

CLASSES: tuple[Privacy, ...] = ("public", "internal", "personal", "secret")
"""The least private first."""
SENSITIVE: frozenset[Privacy] = frozenset({"personal", "secret"})


def most_private(classes: Iterable[Privacy]) -> Privacy:
    """Return the most private class; `public` of none."""
    return max(classes, key=CLASSES.index, default="public")


def scope_for(data: Privacy) -> str:
    """Return the scope of the consent that work on data of a class needs, where nothing says another one."""
    return f"{data}_data"


def covers(allowed: Privacy, data: Privacy) -> bool:
    """Tell whether who may be given data of one class may be given that of another."""
    return CLASSES.index(data) <= CLASSES.index(allowed)


def as_private_as_read(plan: Plan) -> Plan:
    """Return the plan with each step as private as the most private one that it reads, directly or not.

    What a step is told of private data is private, whatever its own class says; one that delivers the answer is told
    what all the others found. A plan with a circle, which cannot be run, is returned as it is.
    """
    steps: dict[str, Step] = {}
    try:
        order = [step_id for level in execution_order(plan) for step_id in level]
    except CycleError:
        return plan
    # The sort is stable: those that deliver come last, behind everything that the answer is made of.
    for step_id in sorted(order, key=lambda name: plan.step(name).delivers):
        step = plan.step(step_id)
        read = steps if RESULT in step.inputs() else step.inputs()
        found = most_private([step.privacy, *(steps[key].privacy for key in read if key in steps)])
        steps[step_id] = step if found == step.privacy else step.model_copy(update={"privacy": found})
    return plan.model_copy(update={"steps": [steps[step.id] for step in plan.steps]})
