"""Edited arguments: taken from what clients send, and held against the action's JSON schema. Pure.

Clients return texts where values were shown, so a value is read in the type that the schema wants, also in nested
objects and lists. What then does not fit is refused, with the place of each mistake.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from domain.errors import InvalidDecision
from domain.schemas import misfits, schema_problem

_JSON: TypeAdapter[Any] = TypeAdapter(JsonValue)
_READERS: dict[str, TypeAdapter[Any]] = {
    "string": TypeAdapter(str),
    "integer": TypeAdapter(int),
    "number": TypeAdapter(float),
    "boolean": TypeAdapter(bool),
    "array": TypeAdapter(list[Any]),
    "object": TypeAdapter(dict[str, Any]),
}
_DEEPEST = 40
"""Levels of nesting that are read; what lies deeper is left as it came and held against the schema all the same."""


def edited_args(
    action: str,
    shown: Mapping[str, Any],
    edited: Mapping[str, Any],
    types: Mapping[str, str],
    schema: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the arguments with the edited ones in their place.

    Args:
        action: What the arguments are for, for messages.
        shown: The arguments that the person saw.
        edited: What came back; names that are left out stay as they were.
        types: JSON type per argument.
        schema: JSON schema of all arguments; empty where there is none.

    Raises:
        InvalidDecision: A name is unknown, or a value does not fit; says which and why.
    """
    properties = _properties(schema)
    if unknown := sorted(set(edited) - set(shown) - set(types) - set(properties)):
        msg = f"{action!r} takes no argument {', '.join(map(repr, unknown))}"
        raise InvalidDecision(msg)
    wanted = {name: {"type": kind} for name, kind in types.items()} | properties
    read = {name: _read(value, wanted.get(name, {}), schema) for name, value in edited.items()}
    for name, value in read.items():
        kind = types.get(name)
        if kind in _READERS and not _is(value, kind):
            msg = f"{name!r} of {action!r} must be {kind}; got {edited[name]!r:.80}"
            raise InvalidDecision(msg)
    if wrong := _new_misfits(shown, read, schema):
        msg = f"{action!r} cannot be done so: {'; '.join(wrong)}"
        raise InvalidDecision(msg)
    return {**shown, **read}


def _new_misfits(shown: Mapping[str, Any], edited: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return what the edit makes unfit; what was shown has been taken by the action itself, however it is written.

    A schema that cannot be used finds nothing: the action itself still refuses what it cannot take.
    """
    if not schema or schema_problem(schema):
        return []
    known = {name: _read(value, _properties(schema).get(name, {}), schema) for name, value in shown.items()}
    try:
        before = misfits(known, schema)
        return [wrong for wrong in misfits({**known, **edited}, schema) if wrong not in before]
    except re.error:  # a pattern in another dialect
        return []


def _properties(schema: Any) -> dict[str, Any]:
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def _read(value: Any, schema: Any, root: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a value in the type that its schema wants where it can be read so, else as it came."""
    for kind in _kinds(schema, root):
        found = _as_kind(value, kind["type"])
        if found is _UNREAD:
            continue
        if depth >= _DEEPEST:
            return found
        if isinstance(found, dict):
            properties = _properties(kind)
            return {key: _read(item, properties.get(key, {}), root, depth + 1) for key, item in found.items()}
        if isinstance(found, list):
            return [_read(item, kind.get("items", {}), root, depth + 1) for item in found]
        return found
    return value


_UNREAD = object()


def _kinds(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Iterable[dict[str, Any]]:
    """Yield the alternatives of a schema, each with one `type`; text comes last, since everything can be text."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return
    schema = _resolved(schema, root)
    alternatives = [each for key in ("anyOf", "oneOf") for each in schema.get(key, ())]
    found = [kind for each in alternatives for kind in _kinds(each, root, depth + 1)]
    types = schema.get("type")
    names = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    found += [{**schema, "type": name} for name in names if isinstance(name, str)]
    yield from sorted(found, key=lambda kind: kind["type"] == "string")


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference to the schema's own definitions stands for."""
    for _ in range(_DEEPEST):
        ref = schema.get("$ref")
        if not isinstance(ref, str) or not ref.startswith("#/"):
            return schema
        target: Any = root
        for part in ref[2:].split("/"):
            target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
        if not isinstance(target, Mapping):
            return schema
        schema = target
    return schema


def _as_kind(value: Any, kind: str) -> Any:
    """Return a value read as a JSON type, or `_UNREAD`."""
    if kind == "null":
        return None if value is None else _UNREAD
    if kind not in _READERS:
        return _UNREAD
    try:
        if isinstance(value, str) and kind in ("array", "object"):
            value = _JSON.validate_json(value)
        return _READERS[kind].validate_python(value)
    except ValidationError:
        return _UNREAD


def _is(value: Any, kind: str) -> bool:
    try:
        _READERS[kind].validate_python(value, strict=True)
    except ValidationError:
        return False
    return True
