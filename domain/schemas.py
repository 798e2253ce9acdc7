"""What a step returns, written short or as a JSON schema. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]
from referencing import Registry
from referencing.exceptions import Unresolvable

TYPES: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "list": {"type": "array"},
    "object": {"type": "object"},
}
"""Words for the types of fields."""
_SHOWN = 5
"""Misfits that are told."""


def as_schema(returns: Mapping[str, Any]) -> dict[str, Any]:
    """Return a declaration as a JSON schema.

    A mapping of names to words of `TYPES` is the short form; a name that ends in `?` may be missing. Anything else is
    taken as a JSON schema already.
    """
    if not is_short(returns):
        return dict(returns)
    return {
        "type": "object",
        "properties": {name.removesuffix("?"): dict(TYPES[word]) for name, word in returns.items()},
        "required": [name for name in returns if not name.endswith("?")],
    }


def is_short(returns: Mapping[str, Any]) -> bool:
    """Return whether a declaration is written in the short form."""
    return all(isinstance(word, str) and word in TYPES for word in returns.values())


def schema_problem(returns: Mapping[str, Any]) -> str | None:
    """Return in words what keeps a declaration from being used, or None."""
    if any(isinstance(ref, str) and not ref.startswith("#") for ref in _refs(returns)):
        return "a schema may refer to itself only"
    try:
        Draft202012Validator.check_schema(as_schema(returns))
    except SchemaError as error:
        return f"{'.'.join(map(str, error.path)) or 'the schema'}: {error.message:.200}"
    return None


def _refs(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        yield from (value[name] for name in ("$ref", "$dynamicRef", "$id", "$schema") if name in value)
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _refs(item)


def misfits(data: Mapping[str, Any], returns: Mapping[str, Any]) -> list[str]:
    """Return in words where data does not fit a declaration, the first few; nothing is fetched from anywhere."""
    validator = Draft202012Validator(as_schema(returns), registry=Registry())
    try:
        errors = sorted(validator.iter_errors(dict(data)), key=lambda error: [str(part) for part in error.path])
    except (Unresolvable, RecursionError) as error:
        return [f"the declaration cannot be used: {type(error).__name__}"]
    return [f"{'.'.join(map(str, e.path)) or 'data'}: {e.message:.200}" for e in errors[:_SHOWN]]
