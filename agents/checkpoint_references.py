"""What the checkpoints of a team file get wrong in the names they refer to, and in what the clock may approve."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from agents.team_schema import Mistake, TeamSource, suggestion
from agents.toml_lines import Path
from domain.checkpoints import PLAN
from domain.plans import RESULT, Effect

UNDOABLE = frozenset({"write_file"})
"""The built-in writing tools whose effects can be taken back."""
_EFFECTS = ("none", "read", "write")


def checkpoint_mistakes(
    source: TeamSource,
    path: Path,
    checkpoint: Mapping[str, Any],
    specialists: Mapping[str, Collection[str]],
    effects: Mapping[str, Effect],
) -> Iterator[Mistake]:
    """Yield what is wrong with one checkpoint beyond its own keys.

    Args:
        source: The file.
        path: Of the checkpoint.
        checkpoint: Its table.
        specialists: The tools of each specialist.
        effects: The effect of each tool.
    """
    yield from _stage_mistakes(source, path, checkpoint, specialists)
    known = {"tool": {*effects, "none"}, "agent": {*specialists}, "effect": {*_EFFECTS}}
    tests = checkpoint.get("when")
    for place, test in enumerate(tests if isinstance(tests, list) else ()):
        if isinstance(test, dict) and (names := known.get(str(test.get("measure")))):
            yield from _unknown_words(source, (*path, "when", place, "value"), test, sorted(names))
    if checkpoint.get("on_timeout") == "approve" and (lasting := _lasting(source, checkpoint, specialists, effects)):
        message = (
            f"{source.label(path)}: the clock may not approve where {', '.join(lasting)} may follow, "
            "which cannot be undone"
        )
        yield source.mistake((*path, "on_timeout"), message)


def _stage_mistakes(
    source: TeamSource, path: Path, checkpoint: Mapping[str, Any], specialists: Iterable[str]
) -> Iterator[Mistake]:
    condition, stage = checkpoint.get("condition"), checkpoint.get("stage")
    more = {"AFTER_STAGE": [RESULT], "ON_VALUE": [PLAN, RESULT]}.get(str(condition), [])
    stages = [*specialists, *more]
    if condition != "ON_EFFECT" and isinstance(stage, str) and stage not in stages:
        message = f"{source.label(path)} has unknown stage {stage!r}{suggestion(stage, stages)}"
        yield source.mistake((*path, "stage"), message)


def _unknown_words(source: TeamSource, path: Path, test: Mapping[str, Any], names: list[str]) -> Iterator[Mistake]:
    value = test.get("value")
    for word in value if isinstance(value, list) else [value]:
        if isinstance(word, str) and word not in names:
            label = source.label(path[:-1])
            yield source.mistake(path, f"{label}: there is no {test['measure']} {word!r}{suggestion(word, names)}")


def _lasting(
    source: TeamSource,
    checkpoint: Mapping[str, Any],
    specialists: Mapping[str, Collection[str]],
    effects: Mapping[str, Effect],
) -> list[str]:
    """Return the tools behind a checkpoint whose effects cannot be undone, as far as the file tells.

    Before a specialist's step these are its own tools; before an effect, a plan, or behind something that later steps
    build on, those of everybody.
    """
    stage, before = checkpoint.get("stage"), checkpoint.get("condition") in ("BEFORE_EXECUTION", "ON_VALUE")
    whose = [stage] if before and isinstance(stage, str) and stage in specialists else list(specialists)
    tools = {tool for name in whose for tool in specialists[name] if effects.get(tool) == "write"}
    declared = source.data.get("tools")
    undone = {
        str(table.get("name"))
        for table in (declared if isinstance(declared, list) else ())
        if isinstance(table, dict) and isinstance(table.get("undo"), str)
    }
    return sorted(tools - undone - UNDOABLE)
