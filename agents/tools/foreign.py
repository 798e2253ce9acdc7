"""Tools that somebody else describes: their texts are bounded and quoted as data, and what was confirmed is kept.

A server can describe a tool so that a model obeys the description, or change it after a person has looked at it. So
nothing that a server says stands in a prompt as an instruction, and a tool that is not the one that was confirmed is
refused until somebody confirms it anew.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from domain.errors import InvalidTool, ToolChanged
from memory.records import Records, Value
from memory.workspaces import checked_workspace
from prompts.quoting import quoted

MAX_DESCRIPTION = 1000
MAX_PARAMETER_DESCRIPTION = 200
MAX_SCHEMA_CHARS = 64_000
MAX_NODES = 5_000
"""Values that a schema may have inside; more is no schema but an attack or a mistake."""

_NAMED = frozenset({"properties", "$defs", "definitions", "dependentSchemas", "dependentRequired"})
"""Keywords whose keys are names and not keywords."""
_LEFT_OUT = frozenset(
    {"title", "description", "default", "examples", "example", "$comment", "$schema", "$id", "$anchor", "format"}
    | {"pattern", "patternProperties", "xml", "externalDocs", "discriminator", "deprecated", "$dynamicAnchor"}
)
"""Free text, and patterns: one that never ends would stop the process, and the server checks its own anyway."""
_COMBINED = frozenset({"$ref", "allOf", "anyOf", "oneOf", "if"})


class Definition(NamedTuple):
    """A tool as its server or document describes it; every text is untrusted."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema."""
    returns: Mapping[str, Any] | None = None
    claims: str = ""
    """What effect the source claims; shown to people, never relied on."""
    more: Mapping[str, Any] = {}
    """How it is called, where the source says that too."""

    @property
    def digest(self) -> str:
        """SHA-256 of everything said."""
        text = json.dumps(self._asdict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def checked_definition(definition: Definition) -> Definition:
    """Return a definition that is of a reasonable size and can be kept, or raise `InvalidTool`."""
    budget = iter(range(MAX_NODES))
    try:
        for part in (definition.parameters, definition.returns or {}, definition.more):
            _count(part, budget)
        size = len(json.dumps(definition._asdict(), allow_nan=False))
    except (StopIteration, RecursionError, ValueError, TypeError) as error:
        msg = f"{definition.name!r:.80} is described by something that is too large, or is not JSON"
        raise InvalidTool(msg) from error
    if size > MAX_SCHEMA_CHARS:
        msg = f"{definition.name!r:.80} is described with {size:,} characters; at most {MAX_SCHEMA_CHARS:,} are taken"
        raise InvalidTool(msg)
    return definition


def _count(value: Any, budget: Iterator[int]) -> None:
    next(budget)
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        _count(item, budget)


def plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without free text and patterns; unknown arguments are refused where that can be told."""
    plain = _stripped(schema, names=False)
    if not _COMBINED & set(plain) and not schema.get("patternProperties"):
        plain.setdefault("additionalProperties", False)
    return plain


def _stripped(schema: Mapping[str, Any], *, names: bool) -> dict[str, Any]:
    kept = {key: value for key, value in schema.items() if names or key not in _LEFT_OUT}
    return {key: _part(value, names=not names and key in _NAMED) for key, value in kept.items()}


def _part(value: Any, *, names: bool) -> Any:
    if isinstance(value, Mapping):
        return _stripped(value, names=names)
    if isinstance(value, list):
        return [_part(item, names=False) for item in value]
    return value[:MAX_PARAMETER_DESCRIPTION] if isinstance(value, str) else value


def described(definition: Definition, source: str, own_words: str | None) -> str:
    """Return a tool's description for a prompt: the team's own words, and what the source says as quoted data."""
    said = [] if own_words else [definition.description[:MAX_DESCRIPTION]]
    properties = definition.parameters.get("properties")
    for name, schema in properties.items() if isinstance(properties, Mapping) else ():
        text = schema.get("description") if isinstance(schema, Mapping) else None
        if isinstance(text, str) and text:
            said.append(f"{name[:80]}: {text[:MAX_PARAMETER_DESCRIPTION]}")
    head = own_words or f"A tool of {source}, described by it:"
    return f"{head}\n{quoted(f'description of {definition.name[:80]}', chr(10).join(said))}" if any(said) else head


def require_unchanged(offered: Definition | None, confirmed: Definition) -> None:
    """Raise `ToolChanged` where a tool is gone or is not described as it was when it was confirmed."""
    if offered is None:
        msg = f"nobody offers {confirmed.name!r:.80} any more"
        raise ToolChanged(msg)
    if offered.digest != confirmed.digest:
        msg = (
            f"{confirmed.name!r:.80} is described otherwise than when it was confirmed; look at it "
            "with `understudy tools check` and take it with `understudy tools confirm`"
        )
        raise ToolChanged(msg)


class Confirmed:
    """The definitions that stand for a workspace, as they were when they were confirmed."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def get(self, workspace: str, target: str, name: str) -> Definition | None:
        """Return what was confirmed, or None where the tool was never seen."""
        value = await self._records.get(_place(workspace, target, name))
        return Definition(**_unpacked(value)) if value else None

    async def put(self, workspace: str, target: str, definition: Definition) -> None:
        """Take a definition as confirmed, in place of any before."""
        # As text: records need not keep the order of keys, and the same tool is to be told to models in the same words.
        packed = {"definition": json.dumps(definition._asdict(), ensure_ascii=False)}
        await self._records.put(_place(workspace, target, definition.name), packed)


def _unpacked(value: Value) -> dict[str, Any]:
    """Return a kept definition; earlier ones were kept as values."""
    found: dict[str, Any] = json.loads(value["definition"]) if "definition" in value else dict(value)
    return found


def _place(workspace: str, target: str, name: str) -> str:
    source = hashlib.sha256(json.dumps([target, name]).encode()).hexdigest()[:32]
    return f"tool_definition:{checked_workspace(workspace)}:{source}"
