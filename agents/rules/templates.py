"""Which plan template fits a goal, and what is left of it with the materials and tools at hand."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agents.contracts import PlanningRequest
from agents.planning.steps import without
from agents.rules.file_names import file_for
from agents.rules.text import words
from agents.team import Specialist, Template
from domain.plans import Step

DELIVERY_TOOL = "write_file"
DOCUMENT_TOOLS = frozenset({"search_documents", "read_document"})
TABLE_TOOLS = frozenset({"query_tables", "describe_table"})
_COMPOSES = re.compile(r"creat|writ|content|strateg|plan|publish|action", re.IGNORECASE)


def composes(specialist: Specialist) -> bool:
    """Tell whether a specialist makes pieces of its own, which needs no materials."""
    return not (DOCUMENT_TOOLS | TABLE_TOOLS) & set(specialist.tools) or any(
        _COMPOSES.search(capability) for capability in specialist.capabilities
    )


@dataclass(frozen=True)
class Ability:
    """What a specialist can use in this run."""

    request: PlanningRequest

    def reads_documents(self, specialist: Specialist) -> bool:
        """Tell whether it can read documents and there are some."""
        return self._has(specialist, DOCUMENT_TOOLS, "document")

    def reads_tables(self, specialist: Specialist) -> bool:
        """Tell whether it can query tables and there are some."""
        return self._has(specialist, TABLE_TOOLS, "table")

    def useful(self, specialist: Specialist) -> bool:
        """Tell whether it can do anything: read what is there, or compose."""
        return composes(specialist) or self.reads_documents(specialist) or self.reads_tables(specialist)

    def _has(self, specialist: Specialist, tools: frozenset[str], kind: str) -> bool:
        usable = tools & set(specialist.tools) & set(self.request.tools.tools)
        return bool(usable) and any(material.kind == kind for material in self.request.briefing.at_hand)


def fitting(request: PlanningRequest) -> list[Template]:
    """Return the templates for a goal, best first: of its kind or with one of its words; remembered ones lead."""
    goal = words(request.goal)
    scored = []
    for place, template in enumerate(request.team.templates):
        hits = sum(any(word.startswith(start) for word in goal) for start in template.words)
        if request.kind in template.kinds or hits:
            remembered = request.recall.band == "hint" and _sequence(template) == request.recall.sequence
            known = request.kind in template.kinds
            scored.append(((-remembered, -(known and hits), -known, bool(template.words), place), template))
    return [template for _, template in sorted(scored, key=lambda pair: pair[0])]


def _sequence(template: Template) -> list[str]:
    agents = [step.agent for step in template.steps if not step.delivers]
    return [agent for place, agent in enumerate(agents) if place == 0 or agents[place - 1] != agent]


def worded(steps: Iterable[Step], goal: str) -> list[Step]:
    """Return a template's steps with the goal in its places."""
    return [
        step.model_copy(update={"task": step.task.replace("{goal}", goal), "args": _filled(step.args, goal)})
        for step in steps
    ]


def _filled(value: Any, goal: str) -> Any:
    if isinstance(value, str):
        return value.replace("{goal}", goal)
    if isinstance(value, dict):
        return {key: _filled(item, goal) for key, item in value.items()}
    return [_filled(item, goal) for item in value] if isinstance(value, list) else value


def unusable(steps: Iterable[Step], request: PlanningRequest) -> set[str]:
    """Return the ids of steps that have nothing to work with in this run."""
    ability, team = Ability(request), {s.name: s for s in request.team.specialists}
    return {
        step.id
        for step in steps
        if step.agent not in team
        or (step.tool is not None and step.tool not in request.tools.tools)
        or (step.tool is None and not step.needs and not ability.useful(team[step.agent]))
    }


def delivered(steps: Sequence[Step], request: PlanningRequest) -> list[Step]:
    """Return the steps with one that writes the approved answer to a file, or with none if nothing is delivered."""
    if not request.delivers or DELIVERY_TOOL not in request.tools.tools:
        return without(steps, {step.id for step in steps if step.delivers})
    name = file_for(request.goal)
    if any(step.delivers for step in steps):
        return [_renamed(step, name) for step in steps]
    writers = [s.name for s in request.team.specialists if DELIVERY_TOOL in s.tools]
    return [*steps, _delivery(writers[0], name, {step.id for step in steps})] if writers else list(steps)


def _renamed(step: Step, name: str) -> Step:
    if step.tool != DELIVERY_TOOL or not step.delivers:
        return step
    return step.model_copy(update={"args": step.args | {"path": name}})


def _delivery(agent: str, name: str, taken: set[str]) -> Step:
    return Step(
        id=next(i for i in ("deliver", "deliver_answer", "deliver_final") if i not in taken),
        agent=agent,
        task="Put the approved answer into the output folder.",
        tool=DELIVERY_TOOL,
        args={"path": name, "text": {"ref": {"step": "result"}}},
        effect="write",
        on_failure="stop",
    )
