"""The form with which a person edits what is asked about: made of the action's schema, read back in its types. Pure."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from domain.approvals import ActionRequest
from domain.edits import edited_args
from understudy.cli.text import shown_value

Kind = Literal["line", "text", "number", "boolean", "choice", "json"]
_LONG = 80
"""Characters from which a text gets several lines."""
_NUMBERS = ("integer", "number")
_WORDS = re.compile(r"\s+|[^\s]+")
_MOST_WORDS = 4_000
"""Longer texts are compared by lines."""


@dataclass(frozen=True)
class Field:
    """One argument as a field."""

    name: str
    kind: Kind
    value: str
    """As it is shown; of a choice or a boolean its JSON."""
    label: str
    description: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """JSON and what is shown of it."""


@dataclass(frozen=True)
class Piece:
    """A piece of a text that was changed."""

    kind: Literal["same", "gone", "new"]
    text: str


@dataclass(frozen=True)
class Change:
    """What became of one argument."""

    name: str
    pieces: list[Piece]


def fields_of(request: ActionRequest) -> list[Field]:
    """Return the fields for a request's arguments, those that it has and those that its schema allows."""
    properties = _properties(request.parameters)
    names = [*request.args, *(name for name in [*properties, *request.types] if name not in request.args)]
    return [_field(name, request, properties.get(name, {})) for name in dict.fromkeys(names)]


def edit_of(request: ActionRequest, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that were changed, as values of their types; nothing changed gives nothing.

    Args:
        request: What is asked about.
        given: What the fields hold, by name.

    Raises:
        InvalidDecision: A value does not fit.
    """
    fields = {field.name: field for field in fields_of(request)}
    touched = {
        name: _value(fields[name], str(value)) for name, value in given.items()
        if name in fields and str(value) != fields[name].value
    }  # fmt: skip
    if not touched:
        return {}
    read = edited_args(request.name, request.args, touched, request.types, request.parameters)
    return {name: read[name] for name in touched if name not in request.args or read[name] != request.args[name]}


def changes(request: ActionRequest, edit: Mapping[str, Any]) -> list[Change]:
    """Return what an edit changes, word by word."""
    return [
        Change(name, difference(shown_value(request.args[name]) if name in request.args else "", shown_value(value)))
        for name, value in edit.items()
    ]


def difference(before: str, after: str) -> list[Piece]:
    """Return how one text becomes another."""
    old, new = _split(before), _split(after)
    pieces = list[Piece]()
    for what, a1, a2, b1, b2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            pieces.append(Piece("same", "".join(old[a1:a2])))
            continue
        if a2 > a1:
            pieces.append(Piece("gone", "".join(old[a1:a2])))
        if b2 > b1:
            pieces.append(Piece("new", "".join(new[b1:b2])))
    return pieces


def _split(text: str) -> Sequence[str]:
    words = _WORDS.findall(text)
    return words if len(words) <= _MOST_WORDS else text.splitlines(keepends=True)[:_MOST_WORDS]


def _field(name: str, request: ActionRequest, schema: Mapping[str, Any]) -> Field:
    value = request.args.get(name)
    kind = _kind(name, value, request, schema)
    label, told = str(schema.get("title") or name), str(schema.get("description") or "")
    choices = tuple((json.dumps(each), shown_value(each)) for each in _choices(schema)) if kind == "choice" else ()
    if kind == "boolean":
        choices = (("true", "yes"), ("false", "no"))
    if kind in ("choice", "boolean"):
        shown = json.dumps(value)
        if shown not in dict(choices):
            choices = ((shown, "(not set)" if value is None else shown_value(value)), *choices)
    else:
        shown = shown_value(value) if name in request.args else ""
    return Field(name, kind, shown, label, told, choices)


def _kind(name: str, value: Any, request: ActionRequest, schema: Mapping[str, Any]) -> Kind:
    declared = request.types.get(name) or schema.get("type")
    if _choices(schema):
        return "choice"
    if declared == "boolean" or isinstance(value, bool):
        return "boolean"
    if declared in _NUMBERS:
        return "number"
    if declared in ("array", "object") or (value is not None and not isinstance(value, str)):
        return "json"
    return "text" if isinstance(value, str) and (len(value) > _LONG or "\n" in value) else "line"


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    found = schema.get("enum")
    return found if isinstance(found, list) else []


def _properties(parameters: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = parameters.get("properties")
    named = found if isinstance(found, Mapping) else {}
    return {name: schema for name, schema in named.items() if isinstance(schema, Mapping)}


def _value(field: Field, given: str) -> Any:
    """Return what a field holds; texts are read in their argument's type later."""
    if field.kind in ("choice", "boolean"):
        try:
            return json.loads(given)
        except ValueError:
            return given
    return given
