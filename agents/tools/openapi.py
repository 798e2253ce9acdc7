"""Tools from an OpenAPI 3 document: one for each operation that a team selects.

Format: https://spec.openapis.org/oas/v3.1.0. The document is untrusted: references may stand in circles, and stay
inside the document; what it describes is bounded.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml  # type: ignore[import-untyped]  # ships no types

from agents.tools.declaration import ToolDeclaration
from agents.tools.foreign import Definition, checked_definition
from agents.tools.http import guarded_client
from domain.errors import InvalidTool, ToolAway

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
MAX_DOCUMENT_BYTES = 5_000_000
MAX_REFERENCES = 20
"""That one object may lead through before it is taken for a circle."""
BODY = "body"
"""What the argument for a request's body is called."""
_SCHEMAS = "#/components/schemas/"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that promise to change nothing (RFC 9110, 9.2.1)."""


async def load_document(tool: ToolDeclaration, environment: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the document in a tool's file or at its URL.

    Raises:
        ToolAway: It cannot be had now.
        InvalidTool: It is not an OpenAPI 3 document.
    """
    text = await (_fetched(tool, environment) if tool.is_url else asyncio.to_thread(_read, tool.target))
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else await asyncio.to_thread(yaml.safe_load, text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        msg = f"{tool.target:.200} is neither JSON nor YAML: {error!s:.200}"
        raise InvalidTool(msg) from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        msg = f"{tool.target:.200} is not an OpenAPI 3 document"
        raise InvalidTool(msg)
    return document


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        msg = f"{path:.200} cannot be read: {error.strerror or error}"
        raise InvalidTool(msg) from error
    if len(content) > MAX_DOCUMENT_BYTES:
        msg = f"{path:.200} has more than {MAX_DOCUMENT_BYTES:,} bytes"
        raise InvalidTool(msg)
    return content.decode(errors="replace")


async def _fetched(tool: ToolDeclaration, environment: Mapping[str, str]) -> str:
    try:
        async with asyncio.timeout(tool.timeout), guarded_client(tool, environment) as client:
            answer = await client.get(tool.target, follow_redirects=True)
            answer.raise_for_status()
    except (httpx.HTTPError, TimeoutError) as error:
        msg = f"{tool.target:.200} cannot be had: {error!s:.200}"
        raise ToolAway(msg) from error
    return answer.text


def definitions_in(document: Mapping[str, Any]) -> dict[str, Definition]:
    """Return the operations that have an `operationId` and can be called, as tools."""
    found = dict[str, Definition]()
    for operation in _operations(document):
        with suppress(InvalidTool):  # one that cannot be used is as good as none
            found[operation.name] = checked_definition(_definition(document, operation))
    return found


def definition_of(document: Mapping[str, Any], name: str) -> Definition:
    """Return one operation as a tool, or raise `InvalidTool`."""
    operations = list(_operations(document))
    for operation in operations:
        if operation.name == name:
            return checked_definition(_definition(document, operation))
    known = ", ".join(sorted(operation.name for operation in operations))
    msg = f"there is no operation {name!r:.80}; there is {known[:500] or 'none'}"
    raise InvalidTool(msg)


class _Operation(NamedTuple):
    name: str
    method: str
    path: str
    item: Mapping[str, Any]
    """Of the path: what its operations share."""
    own: Mapping[str, Any]


def _operations(document: Mapping[str, Any]) -> Iterator[_Operation]:
    for path, given in _mapping(document.get("paths")).items():
        item = _mapping(_followed(document, given))
        for method in METHODS:
            own = _mapping(item.get(method))
            if isinstance(name := own.get("operationId"), str):
                yield _Operation(name, method.upper(), str(path), item, own)


def _definition(document: Mapping[str, Any], operation: _Operation) -> Definition:
    places, properties, required = dict[str, str](), dict[str, Any](), list[str]()
    for parameter in _parameters(document, operation):
        name = parameter["name"]
        places[name] = parameter["in"]
        properties[name] = _with_description(_schema_of(parameter), parameter)
        if parameter.get("required") or parameter["in"] == "path":
            required.append(name)
    if body := _mapping(_followed(document, operation.own.get("requestBody"))):
        properties[BODY], places[BODY] = _with_description(_json_schema(body, operation.name), body), BODY
        required += [BODY] if body.get("required") else []
    schema = {"type": "object", "properties": properties, "required": required}
    words = [operation.own.get("summary"), operation.own.get("description")]
    called = {"method": operation.method, "path": operation.path, "places": places}
    return Definition(
        operation.name,
        "\n".join(word for word in words if isinstance(word, str)),
        _closed(document, schema),
        claims="read" if operation.method in SAFE_METHODS else "write",
        more=called | {"base": _base(document, operation)},
    )


def _parameters(document: Mapping[str, Any], operation: _Operation) -> list[dict[str, Any]]:
    """Return path-wide and own parameters, each with a name and a place; the own ones win. Cookies are left out."""
    found = dict[str, dict[str, Any]]()
    for given in [*_list(operation.item.get("parameters")), *_list(operation.own.get("parameters"))]:
        parameter = _mapping(_followed(document, given))
        if isinstance(name := parameter.get("name"), str) and parameter.get("in") in ("path", "query", "header"):
            found[name] = dict(parameter)
    return list(found.values())


def _schema_of(parameter: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(schema := parameter.get("schema"), dict):
        return schema
    contents = _mapping(parameter.get("content")).values()
    return next((dict(_mapping(_mapping(media).get("schema"))) for media in contents), {})


def _json_schema(body: Mapping[str, Any], operation: str) -> dict[str, Any]:
    for kind, media in _mapping(body.get("content")).items():
        if re.fullmatch(r"application/([\w.+-]+\+)?json(;.*)?|\*/\*", kind):
            return dict(_mapping(_mapping(media).get("schema")))
    msg = f"{operation!r:.80} takes no JSON"
    raise InvalidTool(msg)


def _with_description(schema: dict[str, Any], described: Mapping[str, Any]) -> dict[str, Any]:
    text = described.get("description")
    return {**schema, "description": text} if isinstance(text, str) and "$ref" not in schema else schema


def _followed(document: Mapping[str, Any], value: Any) -> Any:
    """Return what a value refers to inside the document, or raise `InvalidTool` where it refers in a circle."""
    for _ in range(MAX_REFERENCES):
        if not isinstance(value, dict) or not isinstance(reference := value.get("$ref"), str):
            return value
        value = _pointed(document, reference)
    msg = "references in the document go in a circle"
    raise InvalidTool(msg)


def _pointed(document: Mapping[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/") if reference.startswith("#/") else [""]:
        found = _mapping(found).get(part.replace("~1", "/").replace("~0", "~"))
    if found is None:
        msg = f"the document refers to {reference!r:.100}, which is not inside it"
        raise InvalidTool(msg)
    return found


def _closed(document: Mapping[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that carries every component it refers to, each once, so that circles stay references."""
    parts, waiting = dict[str, Any](), [schema]
    while waiting:
        for reference in _references(waiting.pop()):
            name = reference.removeprefix(_SCHEMAS)
            if not reference.startswith(_SCHEMAS) or "/" in name:
                msg = f"a schema refers to {reference!r:.100}; only {_SCHEMAS}NAME can be used"
                raise InvalidTool(msg)
            if name not in parts:
                parts[name] = _pointed(document, reference)
                waiting.append(parts[name])
    whole: dict[str, Any] = _modern(schema | ({"$defs": parts} if parts else {}))
    return whole


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(reference := value.get("$ref"), str):
            yield reference
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _references(item)


def _modern(value: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as one of JSON Schema 2020-12; one of 3.1 is that already."""
    if isinstance(value, list):
        return [_modern(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _modern(item) for key, item in value.items()}
    if isinstance(reference := found.get("$ref"), str):
        found["$ref"] = reference.replace(_SCHEMAS, "#/$defs/")
    if found.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(found.get(exclusive), bool) and found.pop(exclusive) and limit in found:
            found[exclusive] = found.pop(limit)
    return found


def _base(document: Mapping[str, Any], operation: _Operation) -> str:
    """Return the address that paths are added to: that of the operation, else the path's, else the document's."""
    for holder in (operation.own, operation.item, document):
        server = _mapping(next(iter(_list(holder.get("servers"))), None))
        if isinstance(url := server.get("url"), str):
            for name, variable in _mapping(server.get("variables")).items():
                url = url.replace(f"{{{name}}}", str(_mapping(variable).get("default", "")))
            return url
    return "/"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
