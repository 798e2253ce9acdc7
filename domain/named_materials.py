"""Which steps of a plan work on private materials or call private tools, as far as the plan says it. Pure."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

from domain.briefings import Material
from domain.plans import Plan, Privacy, Step
from domain.privacy import SENSITIVE, most_private, scope_for

_SHORTEST = 4
"""Characters of a name without folder and ending, from which it is looked for: shorter ones stand in many words."""


def classed(plan: Plan, goal: str, materials: Iterable[Material], tools: Mapping[str, Privacy]) -> Plan:
    """Return the plan with each step as private as the materials that it names and the tool that it calls.

    The consents that these materials need are the step's, too; where they need none, that for data of their class is.
    Where the goal names a material and no step does, every step of the plan may be about it.

    Args:
        plan: A plan.
        goal: What it is for.
        materials: Everything that could be read, with its class.
        tools: How private what tools give is, by name.
    """
    private = [material for material in materials if material.privacy != "internal" or material.consent]
    named = {step.id: _named_in(_told(step), private) for step in plan.steps}
    found = {material.name for materials in named.values() for material in materials}
    everywhere = [material for material in _named_in(goal, private) if material.name not in found]
    return plan.model_copy(
        update={"steps": [_raised(step, [*named[step.id], *everywhere], tools) for step in plan.steps]}
    )


def _raised(step: Step, materials: Collection[Material], tools: Mapping[str, Privacy]) -> Step:
    data = most_private([step.privacy, tools.get(step.tool or "", "public"), *(m.privacy for m in materials)])
    consent = list(dict.fromkeys([*step.consent, *(scope for m in materials for scope in m.consent)]))
    if (data, consent) == (step.privacy, step.consent):
        return step
    if data in SENSITIVE and not consent:
        consent = [scope_for(data)]
    return step.model_copy(update={"privacy": data, "consent": consent})


def _told(step: Step) -> str:
    return f"{step.task}\n{json.dumps(step.args, ensure_ascii=False, default=str)}"


def _named_in(text: str, materials: Iterable[Material]) -> list[Material]:
    folded = text.casefold()
    return [material for material in materials if any(_holds(folded, name) for name in _names(material))]


def _names(material: Material) -> set[str]:
    """Return what a material may be called: its name, that without the folder, and that without the ending."""
    path = PurePosixPath(material.name.casefold())
    return {str(path), path.name, *([path.stem] if len(path.stem) >= _SHORTEST else [])}


def _holds(text: str, name: str) -> bool:
    """Return whether a text holds a name; what stands between its words does not matter."""
    words = r"[\W_]{0,3}".join(re.escape(word) for word in re.split(r"[\W_]+", name) if word)
    return bool(words) and re.search(rf"(?<![^\W_]){words}(?![^\W_])", text) is not None
