"""What a team file gets wrong in the names it refers to: specialists, tools, stages, and the templates' steps.

It reads the raw tables, and only what has the right type, so that one misspelt key does not hide the other mistakes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from agents.checkpoint_references import checkpoint_mistakes
from agents.standing_in import hindrance
from agents.team_schema import Mistake, TeamSource, suggestion
from agents.toml_lines import Path
from agents.transformers import ANYONE
from domain.plans import Effect, Plan, Problem, ProblemCode, Step
from domain.validation import validate_plan

TOOL_EFFECTS: Mapping[str, Effect] = {
    "list_materials": "read",
    "search_documents": "read",
    "read_document": "read",
    "describe_table": "read",
    "query_tables": "read",
    "calculate": "none",
    "take_note": "none",
    "read_notes": "read",
    "write_file": "write",
}
"""The tools that every installation has, with their effects."""


@dataclass(frozen=True)
class _Names:
    """A `domain.validation.Catalogue` of what the file declares; arguments are checked where the real tools are."""

    allowed: Mapping[str, list[str]]
    """Tools per specialist."""
    effects: Mapping[str, Effect]

    def agents(self) -> Iterable[str]:
        return self.allowed

    def tools_of(self, agent: str) -> Iterable[str]:
        return self.allowed[agent]

    def tool_effect(self, tool: str) -> Effect | None:
        return self.effects.get(tool)

    def argument_problems(self, tool: str, args: Mapping[str, Any]) -> Iterable[str]:
        return ()


def reference_mistakes(source: TeamSource, tools: Mapping[str, Effect]) -> Iterator[Mistake]:
    """Yield every name that names nobody, is used twice, or goes in a circle."""
    tools = {**_declared(source), **tools}
    specialists = _tables(source.data, "specialists")
    names = _Names({name: _texts(s, "tools") for _, s in specialists if isinstance(name := s.get("name"), str)}, tools)
    for section in ("specialists", "tools", "checkpoints", "templates", "resources"):
        yield from _repeated_names(source, section)
    for index, tool in _tables(source.data, "tools"):
        yield from _tool_mistakes(source, ("tools", index), tool, names)
    for index, specialist in specialists:
        yield from _specialist_mistakes(source, ("specialists", index), specialist, names)
    yield from _fallback_circles(source)
    yield from _alternative_mistakes(source, names)
    for index, transformer in _tables(source.data, "transformers"):
        yield from _handover_mistakes(source, ("transformers", index), transformer, names.agents())
    yield from _route_mistakes(source, names.agents())
    for index, checkpoint in _tables(source.data, "checkpoints"):
        yield from checkpoint_mistakes(source, ("checkpoints", index), checkpoint, names.allowed, names.effects)
    yield from _called_for_mistakes(source, names)
    for index, resource in _tables(source.data, "resources"):
        yield from _resource_mistakes(source, ("resources", index), resource, names)
    for index, template in _tables(source.data, "templates"):
        yield from _template_mistakes(source, ("templates", index), template, names)


def _tables(table: Mapping[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    value = table.get(key)
    return [(i, item) for i, item in enumerate(value) if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _resource_mistakes(source: TeamSource, path: Path, resource: Mapping[str, Any], names: _Names) -> Iterator[Mistake]:
    """Yield what a resource serves and uses that the team does not have."""
    kind, uses, label = resource.get("kind"), resource.get("uses"), source.label(path)
    if kind == "model" and isinstance(uses, str) and not all(uses.partition(":")):
        yield source.mistake((*path, "uses"), f"{label}: {uses!r:.60} names no model; write provider:name")
    if kind in ("tool", "device") and isinstance(uses, str) and uses not in names.effects:
        yield source.mistake((*path, "uses"), f"{label}: no tool is called {uses!r}{suggestion(uses, names.effects)}")
    able = {c for _, s in _tables(source.data, "specialists") for c in _texts(s, "capabilities")}
    known = {"*", *names.allowed, *able} if kind == "model" else {"*", *names.effects}
    for place, served in enumerate(_texts(resource, "serves")):
        if served not in known:
            message = f"{label}: nothing is called {served!r} that it could serve{suggestion(served, sorted(known))}"
            yield source.mistake((*path, "serves", place), message)


def _repeated_names(source: TeamSource, section: str) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for index, table in _tables(source.data, section):
        name = table.get("name")
        if isinstance(name, str) and first.setdefault(name, index) != index:
            line = source.mistake((section, first[name], "name"), "").line
            message = f"{source.label((section, index))} is already there in line {line}"
            yield source.mistake((section, index, "name"), message)


def _declared(source: TeamSource) -> dict[str, Effect]:
    """Return the tools that the file declares; one whose effect is missing or misspelt counts as writing."""
    tables = [table for _, table in _tables(source.data, "tools") if isinstance(table.get("name"), str)]
    effects: dict[object, Effect] = {"none": "none", "read": "read"}
    return {table["name"]: effects.get(str(table.get("effect")), "write") for table in tables}


def _tool_mistakes(source: TeamSource, path: Path, tool: Mapping[str, Any], names: _Names) -> Iterator[Mistake]:
    label, writes = source.label(path), names.effects.get(str(tool.get("name"))) == "write"
    if tool.get("name") in TOOL_EFFECTS:
        yield source.mistake((*path, "name"), f"{label} has the name of a built-in tool")
    for number, other in enumerate(_texts(tool, "alternatives")):
        place = (*path, "alternatives", number)
        if other not in names.effects:
            message = f"{label} has the unknown alternative {other!r}{suggestion(other, names.effects)}"
            yield source.mistake(place, message)
        elif writes or names.effects[other] == "write":
            yield source.mistake(place, f"{label}: a tool that writes neither has alternatives nor is one")


def _called_for_mistakes(source: TeamSource, names: _Names) -> Iterator[Mistake]:
    autonomy = source.data.get("autonomy")
    for number, tool in enumerate(_texts(autonomy, "called_for") if isinstance(autonomy, dict) else ()):
        if tool not in names.effects:
            message = f"'autonomy.called_for' has the unknown tool {tool!r}{suggestion(tool, names.effects)}"
            yield source.mistake(("autonomy", "called_for", number), message)


def _specialist_mistakes(
    source: TeamSource, path: Path, specialist: Mapping[str, Any], names: _Names
) -> Iterator[Mistake]:
    for tool in _texts(specialist, "tools"):
        if tool not in names.effects:
            message = f"{source.label(path)} has unknown tool {tool!r}{suggestion(tool, names.effects)}"
            yield source.mistake((*path, "tools", specialist["tools"].index(tool)), message)
    fallback = specialist.get("fallback")
    if isinstance(fallback, str) and fallback not in names.agents():
        message = f"{source.label(path)} falls back on unknown {fallback!r}{suggestion(fallback, names.agents())}"
        yield source.mistake((*path, "fallback"), message)


def _fallback_circles(source: TeamSource) -> Iterator[Mistake]:
    specialists = {str(s.get("name")): (index, s.get("fallback")) for index, s in _tables(source.data, "specialists")}
    visited: set[str] = set()
    for start in specialists:
        trail: list[str] = []
        name: Any = start
        while isinstance(name, str) and name in specialists and name not in visited:
            visited.add(name)
            trail.append(name)
            name = specialists[name][1]
        if name in trail:
            circle = " → ".join([*trail[trail.index(name) :], name])
            yield source.mistake(
                ("specialists", specialists[name][0], "fallback"), f"fallbacks go in a circle: {circle}"
            )


def _alternative_mistakes(source: TeamSource, names: _Names) -> Iterator[Mistake]:
    stages = {c.get("stage") for _, c in _tables(source.data, "checkpoints") if isinstance(c.get("stage"), str)}
    for index, specialist in _tables(source.data, "specialists"):
        label, own = source.label(("specialists", index)), specialist.get("name")
        for other in _texts(specialist, "alternatives"):
            path = ("specialists", index, "alternatives", specialist["alternatives"].index(other))
            if other not in names.allowed:
                message = f"{label} has unknown alternative {other!r}{suggestion(other, names.agents())}"
                yield source.mistake(path, message)
            elif isinstance(own, str) and (why := hindrance(own, other, names.allowed, stages)):
                yield source.mistake(path, f"{label}: {other!r} is no alternative: {why}")


def _handover_mistakes(
    source: TeamSource, path: Path, transformer: Mapping[str, Any], agents: Iterable[str]
) -> Iterator[Mistake]:
    anyone = [*agents, ANYONE]
    for key in ("from", "to"):
        name = transformer.get(key)
        if isinstance(name, str) and name not in anyone:
            message = f"{source.label(path)}: {key!r} is unknown {name!r}{suggestion(name, anyone)}"
            yield source.mistake((*path, key), message)


def _route_mistakes(source: TeamSource, agents: Iterable[str]) -> Iterator[Mistake]:
    selection = source.data.get("selection")
    routes = selection.get("routes") if isinstance(selection, dict) else None
    for kind, name in routes.items() if isinstance(routes, dict) else ():
        if isinstance(name, str) and name not in agents:
            message = f"selection: {kind!r} goes to unknown {name!r}{suggestion(name, agents)}"
            yield source.mistake(("selection", "routes", kind), message)


def _template_mistakes(source: TeamSource, path: Path, template: Mapping[str, Any], names: _Names) -> Iterator[Mistake]:
    """Validate the template as the plan it becomes, as far as its steps are steps."""
    tables = _tables(template, "steps")
    steps = {index: step for index, table in tables if (step := _step(table))}
    blind = _NEED_ALL_STEPS if len(steps) < len(tables) else ()
    for problem in validate_plan(Plan(steps=list(steps.values())), names) if steps else ():
        if problem.code not in blind:
            yield _step_mistake(source, path, problem, steps, names)


def _step(table: Mapping[str, Any]) -> Step | None:
    """Return the step without its unknown keys, or None where `schema_mistakes` has already said what is wrong."""
    try:
        return Step.model_validate({key: value for key, value in table.items() if key in Step.model_fields})
    except ValidationError:
        return None


_NEED_ALL_STEPS: tuple[ProblemCode, ...] = ("unknown_step", "nothing_produced")
"""Problems that may only seem so while a step of the template cannot be read."""

_KEYS: dict[ProblemCode, str] = {
    "duplicate_step": "id", "unknown_agent": "agent", "unknown_tool": "tool", "tool_not_allowed": "tool",
    "unknown_step": "needs", "effect_understated": "effect",
}  # fmt: skip


def _step_mistake(
    source: TeamSource, path: Path, problem: Problem, steps: Mapping[int, Step], names: _Names
) -> Mistake:
    index = max((i for i, step in steps.items() if step.id == problem.step), default=None)
    if index is None:
        return source.mistake(path, f"{source.label(path)}: {problem.message}")
    place: Path = (*path, "steps", index)
    message = f"{source.label(place)}: {problem.message}{_hint(problem, steps[index], steps.values(), names)}"
    return source.mistake((*place, _KEYS.get(problem.code, "id")), message)


def _hint(problem: Problem, step: Step, steps: Iterable[Step], names: _Names) -> str:
    match problem.code:
        case "unknown_agent":
            return suggestion(step.agent, names.agents())
        case "unknown_tool":
            return suggestion(step.tool, names.effects)
        case "unknown_step":
            ids = [other.id for other in steps if other is not step]
            return next(suggestion(missing, ids) for missing in step.inputs() if repr(missing) in problem.message)
    return ""
