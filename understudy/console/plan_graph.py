"""A plan as a picture: its steps in layers, what waits for what, and how far each has come. Pure."""

import textwrap
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from domain.plans import Plan, Step
from understudy.console.chat_state import StepState
from understudy.console.markup import Html, el

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _EDGE = 176, 58, 46, 16, 8
_LETTERS = 21
_SIGNS: Mapping[StepState, tuple[str, str]] = {
    "planned": ("○", "planned"),
    "running": ("▶", "running"),
    "held": ("?", "waits for you"),
    "done": ("✓", "done"),
    "failed": ("✕", "failed"),
    "skipped": ("–", "skipped"),
    "undone": ("↶", "undone"),
}
"""A sign and a word for each state, so that none is told by colour alone."""


def sign_of(state: StepState) -> tuple[str, str]:
    """Return the sign and the word of a step's state."""
    return _SIGNS[state]


def plan_graph(plan: Plan, states: Mapping[str, StepState]) -> Html:
    """Return the drawing of a plan.

    Args:
        plan: What is drawn; a plan whose steps wait for each other is drawn as a list.
        states: How far each step has come; one that is missing is planned.
    """
    places, before = _places(plan), _before(plan)
    width = max(x for x, _ in places.values()) + _WIDTH + _EDGE
    height = max(y for _, y in places.values()) + _HEIGHT + _EDGE
    return el(
        "svg",
        el("title", _told(plan, states)),
        *(_edge(places[needed], places[step.id]) for step in plan.steps for needed in before[step.id]),
        *(_node(step, places[step.id], states.get(step.id, "planned")) for step in plan.steps),
        viewBox=f"0 0 {width} {height}", width=width, height=height, role="img", class_="plan-graph",
    )  # fmt: skip


def _places(plan: Plan) -> dict[str, tuple[int, int]]:
    """Return where each step stands: its layer to the right, its row downwards, in the order of the plan."""
    order = [step.id for step in plan.steps]
    layers = _layers(plan)
    tallest = max(len(layer) for layer in layers)
    places = dict[str, tuple[int, int]]()
    for column, layer in enumerate(layers):
        top = (tallest - len(layer)) * (_HEIGHT + _DOWN) // 2 + _EDGE
        for row, name in enumerate(sorted(layer, key=order.index)):
            places[name] = (_EDGE + column * (_WIDTH + _ACROSS), top + row * (_HEIGHT + _DOWN))
    return places


def _layers(plan: Plan) -> list[list[str]]:
    """Return the steps layer by layer; steps that wait for each other one after the other."""
    sorter, layers = TopologicalSorter(_before(plan)), list[list[str]]()
    try:
        sorter.prepare()
    except CycleError:
        return [[step.id] for step in plan.steps]
    while sorter.is_active():
        layers.append(list(sorter.get_ready()))
        sorter.done(*layers[-1])
    return layers


def _before(plan: Plan) -> dict[str, list[str]]:
    """Return what each step waits for; what delivers the answer waits for all that the answer is made of."""
    ids = {step.id for step in plan.steps}
    needed = {name for step in plan.steps for name in step.inputs()}
    ends = {step.id for step in plan.steps if not step.delivers and step.id not in needed}
    return {step.id: sorted((step.inputs() & ids) | (ends if step.delivers else set())) for step in plan.steps}


def _edge(start: tuple[int, int], end: tuple[int, int]) -> Html:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    x2, y2 = end[0], end[1] + _HEIGHT // 2
    middle = (x1 + x2) // 2
    return el("path", d=f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}", class_="plan-edge", fill="none")


def _node(step: Step, place: tuple[int, int], state: StepState) -> Html:
    x, y = place
    sign, word = _SIGNS[state]
    words = f"{step.id}: {word}, {step.agent}: {step.task}" + (", changes something" if _writes(step) else "")
    return el(
        "g",
        el("title", words),
        el("rect", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=2 if _writes(step) else 9),
        el("text", sign, x=x + 12, y=y + 24, class_="plan-sign"),
        el("text", _short(step.id), x=x + 32, y=y + 24, class_="plan-name"),
        el("text", _short(f"{step.agent} · {word}"), x=x + 12, y=y + 45, class_="plan-agent"),
        class_=f"plan-step {state}",
    )


def _writes(step: Step) -> bool:
    return step.effect == "write"


def _short(words: str) -> str:
    return textwrap.shorten(words, _LETTERS + 3, placeholder="…") if " " in words else _cut(words)


def _cut(words: str) -> str:
    return words if len(words) <= _LETTERS else f"{words[: _LETTERS - 1]}…"


def _told(plan: Plan, states: Mapping[str, StepState]) -> str:
    """Return the picture in words, for those who do not see it."""
    told = [
        f"{step.id} by {step.agent}, {_SIGNS[states.get(step.id, 'planned')][1]}"
        + (f", after {', '.join(sorted(step.inputs()))}" if step.inputs() else "")
        for step in plan.steps
    ]
    return f"Plan of {len(plan.steps)} steps. {'; '.join(told)}."
