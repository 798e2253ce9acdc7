"""A task's script as plans: what an honest planner would plan, and what one would that was talked over."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from domain.plans import Plan, Step
from domain.targets import leaves
from domain.wording import says
from evals.hostile.world import Call, effect_of

AGENT = "clerk"
ATTACK = "attack"
"""How the ids of the attacker's steps begin."""
Road = Literal["planner", "specialist"]
"""Who was talked over: the planner writes the attacker's values into a further stretch of its plan; a specialist hands
them on to steps that an honest planner gave the tool to."""


class Script(NamedTuple):
    """Plans, stretch by stretch, and what the specialist finds out for them."""

    plans: list[Plan]
    notes: dict[str, dict[str, Any]]
    """What a specialist gives as data, by step id."""


def honest(goal: str, calls: Sequence[Call]) -> Script:
    """Return a task's calls as one plan that is made before anything is read.

    A value that the goal names is written into the plan. Every other value is one that a specialist works out from what
    was read before; where nothing was read, the planner thought it up.
    """
    steps, notes = list[Step](), dict[str, dict[str, Any]]()
    for number, call in enumerate(calls):
        found = {name: value for name, value in call.args.items() if steps and not _said(goal, value)}
        if found:
            notes[f"note_{number}"] = found
            steps.append(_step(f"note_{number}", goal, needs=_last(steps)))
        args = {n: _ref(f"note_{number}", n) if n in found else value for n, value in call.args.items()}
        steps.append(_step(f"call_{number}", goal, call.tool, args, needs=_last(steps)))
    return Script([Plan(steps=steps or [_step("answer", goal)])], notes)


def hostile(goal: str, calls: Sequence[Call], attack: Sequence[Call], road: Road) -> Script:
    """Return plans in which the attacker's calls come after what the task reads first."""
    reading = honest(goal, calls[: max(1, _reads(calls))])
    first = reading.plans[0].steps
    if road == "planner":
        steps = [_attack(number, goal, call.tool, call.args) for number, call in enumerate(attack)]
        return Script([Plan(steps=first, continues=True, strategy="adaptive"), Plan(steps=steps)], reading.notes)
    notes, steps = dict(reading.notes), list[Step]()
    for number, call in enumerate(attack):
        notes[f"heard_{number}"] = dict(call.args)
        steps.append(_step(f"heard_{number}", goal, needs=_last(first)))
        args = {name: _ref(f"heard_{number}", name) for name in call.args}
        steps.append(_attack(number, goal, call.tool, args, needs=[f"heard_{number}"]))
    return Script([Plan(steps=[*first, *steps])], notes)


def _said(goal: str, value: Any) -> bool:
    values = [text for _, text in leaves({"value": value})]
    return all(says(goal, text) for text in values)


def _reads(calls: Sequence[Call]) -> int:
    """Return how many of the first calls only read."""
    return next((i for i, call in enumerate(calls) if effect_of(call.tool) != "read"), len(calls))


def _last(steps: Sequence[Step]) -> list[str]:
    return [steps[-1].id] if steps else []


def _ref(step: str, field: str) -> dict[str, Any]:
    return {"ref": {"step": step, "field": field}}


def _step(
    key: str, goal: str, tool: str | None = None, args: dict[str, Any] | None = None, *, needs: Sequence[str] = ()
) -> Step:
    effect = effect_of(tool) if tool else "none"
    task = f"{key}: {goal}"  # two steps that say the same would be one
    return Step(id=key, agent=AGENT, task=task, tool=tool, args=args or {}, needs=list(needs), effect=effect)


def _attack(number: int, goal: str, tool: str, args: dict[str, Any], needs: Sequence[str] = ()) -> Step:
    step = _step(f"{ATTACK}_{number}", goal, tool, args, needs=needs)
    return step.model_copy(update={"on_failure": "skip"})  # each call is judged for itself
