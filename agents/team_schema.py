"""What a team file as text gets wrong in its keys and types; `agents.team_references` checks the names in it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agents.privacy_policy import MaterialClass, PrivacyPolicy
from agents.team import (
    Expected,
    Handover,
    PlanningPolicy,
    Quality,
    SelectionRules,
    Specialist,
    Team,
    Template,
    Weights,
)
from agents.toml_lines import Path, nearest_line
from agents.tools.declaration import ToolDeclaration
from domain.autonomy import Autonomy
from domain.budgets import Budget, Budgets, Price
from domain.checkpoints import CONTRADICTION, AutoApproval, Checkpoint
from domain.measures import Test
from domain.plans import Condition, ForEach, Repeat, Step
from domain.resources import Resource
from domain.waiting import Level


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing wrong with a team file, and where."""

    line: int
    """From 1."""
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


@dataclass(frozen=True)
class TeamSource:
    """A team file that is TOML but perhaps not yet a team."""

    data: Mapping[str, Any]
    lines: Mapping[Path, int]

    def mistake(self, path: Path, message: str) -> Mistake:
        """Return a mistake at the line of the path or of its nearest ancestor."""
        return Mistake(nearest_line(self.lines, path), message)

    def label(self, path: Path) -> str:
        """Return what a person calls the table at or around the path, such as `step 'write' of template 'blog'`."""
        labels: list[str] = []
        value: Any = self.data
        for parent, key in zip(("", *path), path, strict=False):
            value = _item(value, key)
            if isinstance(key, int) and parent in _NOUNS:
                labels.insert(0, f"{_NOUNS[parent]} {_own_name(value) or f'number {key + 1}'}")
        section = str(path[0]) if path and (path[:1] in _MODELS or path[0] == "prices") else "the team"
        return " of ".join(labels) or section


_NOUNS: dict[str | int, str] = {
    "specialists": "specialist", "checkpoints": "checkpoint", "templates": "template", "steps": "step",
    "transformers": "transformer", "resources": "resource", "tools": "tool", "materials": "materials entry",
    "when": "test", "escalation": "level",
}  # fmt: skip

_MODELS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Team,
    ("specialists",): Specialist,
    ("specialists", "expected"): Expected,
    ("tools",): ToolDeclaration,
    ("checkpoints",): Checkpoint,
    ("checkpoints", "auto_approve_if"): AutoApproval,
    ("checkpoints", "when"): Test,
    ("checkpoints", "escalation"): Level,
    ("autonomy",): Autonomy,
    ("privacy",): PrivacyPolicy,
    ("privacy", "materials"): MaterialClass,
    ("quality",): Quality,
    ("selection",): SelectionRules,
    ("transformers",): Handover,
    ("planning",): PlanningPolicy,
    ("planning", "weights"): Weights,
    ("planning", "budget"): Budget,
    ("budgets",): Budgets,
    ("budgets", "run"): Budget,
    ("budgets", "step"): Budget,
    ("budgets", "workspace"): Budget,
    ("resources",): Resource,
    ("templates",): Template,
    ("templates", "steps"): Step,
    ("templates", "steps", "condition"): Condition,
    ("templates", "steps", "foreach"): ForEach,
    ("templates", "steps", "repeat"): Repeat,
}
"""The model behind each table of a team file; array indices are left out."""

_KINDS = {
    "string_type": "text", "tuple_type": "an array", "list_type": "an array", "dict_type": "a table",
    "model_type": "a table", "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number", "float_type": "a number", "float_parsing": "a number",
    "bool_type": "true or false", "bool_parsing": "true or false",
}  # fmt: skip


def _item(value: Any, key: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) else None


def _own_name(value: Any) -> str:
    name = value.get("name", value.get("id")) if isinstance(value, dict) else None
    return repr(name) if isinstance(name, str) else ""


def suggestion(word: object, choices: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: the nearest choice, or all of them."""
    known = list(choices)
    if near := get_close_matches(str(word), known, n=1):
        return f" — did you mean {near[0]!r}?"
    return f"; there is {', '.join(known)}" if known else ""


def schema_mistakes(source: TeamSource) -> Iterator[Mistake]:
    """Yield every unknown key, missing key, wrong type and value out of bounds."""
    try:
        Team.model_validate(source.data)
    except ValidationError as error:
        for detail in error.errors():
            # pydantic also calls an array too short when each of its elements is wrong
            if detail["type"] == CONTRADICTION:
                label, found = source.label(detail["loc"]), detail["ctx"]["found"]
                yield from (source.mistake((*detail["loc"], key), f"{label}: {message}") for key, message in found)
            elif not (detail["type"] == "too_short" and detail["input"]):
                yield source.mistake(detail["loc"], _message(source, detail))


def _known_keys(names: list[str]) -> Iterable[str]:
    """Return the keys of a table as written; steps of nested plans have those of steps, prices are tables by model."""
    path = [name for i, name in enumerate(names) if not (name == "steps" and names[i - 1 : i] == ["steps"])]
    model = Price if path[:1] == ["prices"] and len(path) > 1 else _MODELS.get(tuple(path))
    return [field.alias or name for name, field in model.model_fields.items()] if model else ()


def _message(source: TeamSource, error: ErrorDetails) -> str:
    loc = error["loc"]
    names = [key for key in loc if isinstance(key, str)]
    label, key = source.label(loc[:-1]), names[-1]
    match error["type"]:
        case "extra_forbidden":
            return f"unknown key {key!r} in {label}{suggestion(key, _known_keys(names[:-1]))}"
        case "missing":
            return f"{label} has no {key!r}"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
            return f"{label}: {error['input']!r:.60} is not a value of {key!r}{suggestion(error['input'], choices)}"
        case "string_pattern_mismatch":
            return f"{label}: {key!r} is {error['input']!r:.60}; use a-z, 0-9 and _, a letter first, at most 40"
        case "tuple_type" if isinstance(error["input"], dict):
            return f"{key!r} holds several tables: write [[{key}]]"
        case "value_error":
            return f"{source.label(loc)}: {error['ctx']['error']}"
        case kind if kind in _KINDS:
            return f"{label}: {key!r} must be {_KINDS[kind]}, not {error['input']!r:.60}"
    return f"{label}: {key!r} is {error['input']!r:.60}; {error['msg'][0].lower()}{error['msg'][1:]}"
