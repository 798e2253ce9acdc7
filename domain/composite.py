"""What can be wrong with steps that are several: loops, nested plans, and what they declare to return."""

from collections.abc import Iterable

from domain.plans import ITEM, PREVIOUS, RESULT, Problem, Step
from domain.schemas import schema_problem

RESERVED = frozenset({RESULT, ITEM, PREVIOUS})
"""Names that stand for something else than a step of the plan."""


def composite_problems(step: Step) -> Iterable[Problem]:
    """Yield what is wrong with a step's loops, nested plan and declared output; the plan is flat."""
    if step.steps:
        yield Problem(code="bad_nesting", step=step.id, message="plans are nested too deeply")
    for message in _loop_problems(step):
        yield Problem(code="bad_loop", step=step.id, message=message)
    if step.returns is not None and (wrong := schema_problem(step.returns)):
        yield Problem(code="bad_schema", step=step.id, message=f"what it returns is no schema: {wrong}")


def _loop_problems(step: Step) -> Iterable[str]:
    if step.joins and (step.foreach or step.repeat):
        yield "a nested plan is not repeated as a whole; put the loop on its steps"
    if step.foreach and step.repeat:
        yield "a step is either done for each item or repeated; make two steps of it"
    if step.foreach and step.foreach.step in RESERVED:
        yield f"{step.foreach.step!r} holds no list to go through"
    referred = {ref.step for ref in step.refs()}
    if ITEM in referred and not step.foreach:
        yield f"{ITEM!r} means something in a step with foreach only"
    if PREVIOUS in referred and not step.repeat:
        yield f"{PREVIOUS!r} means something in a step with repeat only"
