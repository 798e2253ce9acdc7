"""Adaptive plans without a model: first gather, then answer from what was found."""

from collections.abc import Iterable, Sequence

from agents.contracts import PlanningRequest
from agents.rules.templates import delivered
from domain.plans import Plan, Step


def first_stretch(full: Plan) -> Plan | None:
    """Return the steps of a plan that gather, to be looked at before the rest is planned; None where none do."""
    work = [step for step in full.steps if not step.delivers]
    roots = [step for step in work if not step.inputs()]
    if len(work) < 2 or len(roots) == len(work):
        return None
    why = f"{full.rationale} First {_listed(s.agent for s in roots)} look what there is; the rest follows from that."
    return full.model_copy(update={"steps": roots, "continues": True, "strategy": "adaptive", "rationale": why})


def next_stretch(plans: Iterable[Plan], request: PlanningRequest) -> Plan:
    """Return what comes after the finished steps: the rest of the plan that they began, else one step that answers."""
    found = _found(request)
    for plan in plans:
        if rest := _rest(plan.steps, request.finished):
            barren = {step.id for step in request.finished} - found if found else set[str]()
            left_out = [step.agent for step in request.finished if step.id in barren]
            why = f"{plan.rationale} {_told(left_out)}".strip()
            return plan.model_copy(update={"steps": _reading(rest, barren), "rationale": why, "continues": False})
    steps = _answer(request, found) or list(request.finished)
    return Plan(steps=steps, rationale="An answer from what the finished steps found.", confidence=0.35)


def _found(request: PlanningRequest) -> set[str]:
    return {result.step for result in request.results if result.text.strip() and not result.empty}


def _rest(steps: Sequence[Step], finished: Sequence[Step]) -> list[Step]:
    """Return the steps behind the finished ones, or nothing where those are not the beginning of this plan."""
    known = {step.id: step for step in steps}
    if any(known.get(step.id) != step for step in finished):
        return []
    return [step for step in steps if step not in finished]


def _reading(rest: Sequence[Step], barren: set[str]) -> list[Step]:
    return [s.model_copy(update={"needs": [n for n in s.needs if n not in barren]}) for s in rest]


def _answer(request: PlanningRequest, found: set[str]) -> list[Step]:
    """Return a step of a specialist for this kind of goal that answers from what was found, and the delivery."""
    read = {wanted for step in request.finished for wanted in step.inputs()}
    ends = [step for step in request.finished if step.id not in read and step.id in found]
    maker = next((s.name for s in request.team.specialists if request.kind in s.capabilities), None)
    if not ends or maker is None or maker in {step.agent for step in ends}:
        return delivered([], request)
    task = f"Answer from what was found: {request.goal}"
    taken = {step.id for step in request.finished}
    name = next(i for i in ("answer", "answer_all", "answer_goal", "final_answer") if i not in taken)
    return delivered([Step(id=name, agent=maker, task=task, needs=[step.id for step in ends])], request)


def _told(left_out: Sequence[str]) -> str:
    return f"Without what {_listed(left_out)} found, which was nothing." if left_out else ""


def _listed(names: Iterable[str]) -> str:
    *others, last = dict.fromkeys(names)
    return f"{', '.join(others)} and {last}" if others else last
