"""Calling an operation of an OpenAPI document: from arguments to a request, from the answer to an output."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin

import httpx

from agents.tools.declaration import ToolDeclaration
from agents.tools.foreign import Definition
from agents.tools.http import CONNECT_SECONDS, guarded_client
from agents.tools.openapi import BODY, SAFE_METHODS
from agents.tools.registry import ToolOutput
from domain.errors import ToolAway, ToolCrashed, ToolError, ToolRefused

_SHOWN_CHARS = 500
_PASSING = frozenset({408, 409, 423, 425})
"""Refusals that may pass by themselves: too slow, in conflict, locked, too early."""


class _Request(NamedTuple):
    url: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any


def request_for(definition: Definition, target: str, arguments: Mapping[str, Any]) -> _Request:
    """Return the request that a call makes, or raise `ToolError` where an argument cannot be put into it."""
    path, places = definition.more["path"], definition.more["places"]
    query, headers = dict[str, Any](), dict[str, str]()
    for name, value in arguments.items():
        match places.get(name):
            case "path":
                path = path.replace(f"{{{name}}}", _segment(name, value))
            case "query":
                query[name] = [_plain(item) for item in value] if isinstance(value, list) else _plain(value)
            case "header":
                headers[name] = _plain(value)
    base = urljoin(target, definition.more["base"]) if target.startswith("http") else definition.more["base"]
    body = arguments.get(BODY) if places.get(BODY) == BODY else None
    return _Request(base.rstrip("/") + path, query, headers, body)


def _segment(name: str, value: Any) -> str:
    text = _plain(value)
    if text in ("", ".", ".."):  # would lead to another path
        msg = f"{name!r} is {text!r}, which cannot be part of an address"
        raise ToolRefused(msg)
    return quote(text, safe="")


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def call(
    tool: ToolDeclaration,
    definition: Definition,
    arguments: Mapping[str, Any],
    environment: Mapping[str, str],
    key: str = "",
) -> ToolOutput:
    """Make the request of an operation.

    Args:
        tool: Says which hosts may be called, with which secrets.
        definition: The operation.
        arguments: Validated.
        environment: Where the secrets are.
        key: Idempotency key of a writing call, sent as `Idempotency-Key`
            (draft-ietf-httpapi-idempotency-key-header).

    Raises:
        ToolRefused: The server refused the request for good, or it cannot be made; nothing was changed.
        ToolError: The server refused the request for now; nothing was changed.
        AddressNotAllowed: It leads to where it must not.
        ToolAway: The server cannot be reached, or says that it is asked too often.
        ToolCrashed: The server broke down, or the answer of a writing call cannot be had.
    """
    request = request_for(definition, tool.target, arguments)
    headers = request.headers | ({"Idempotency-Key": key} if key else {})
    method, timeout = definition.more["method"], httpx.Timeout(tool.timeout, connect=min(CONNECT_SECONDS, tool.timeout))
    given = {"json": request.body} if request.body is not None else {}
    try:
        async with guarded_client(tool, environment, base=request.url, timeout=timeout) as client:
            answer = await client.request(
                method, request.url, params=request.query or None, headers=headers,
                follow_redirects=method in SAFE_METHODS, **given,
            )  # fmt: skip
    except httpx.InvalidURL as error:
        msg = f"{request.url:.200} is not an address: {error}"
        raise ToolRefused(msg) from error
    except httpx.HTTPError as error:
        msg = f"{method} {request.url:.200} failed: {type(error).__name__}: {error!s:.200}"
        raise ToolCrashed(msg) from error
    return _output(answer, method)


def _output(answer: httpx.Response, method: str) -> ToolOutput:
    status, text = answer.status_code, answer.text
    message = f"{method} {answer.url.path:.200} was answered with {status}: {text[:_SHOWN_CHARS]}"
    if status >= 500:
        raise ToolCrashed(message)
    if status == 429:
        raise ToolAway(message)
    if 400 <= status < 500 and status not in _PASSING:
        raise ToolRefused(message)
    if status >= 400 or (300 <= status < 400 and method in SAFE_METHODS):
        raise ToolError(message)
    return ToolOutput(text or f"done ({status})", _data(answer), empty=None if text else False)


def _data(answer: httpx.Response) -> dict[str, Any]:
    if "json" not in answer.headers.get("Content-Type", ""):
        return {}
    try:
        value = answer.json()
    except (ValueError, RecursionError):
        return {}
    if isinstance(value, dict):
        return value
    return {"items": value} if isinstance(value, list) else {"value": value}
