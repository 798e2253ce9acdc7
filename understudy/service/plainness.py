"""What every storage and every client can hold: refused here, once, before anything looks at a request.

JSON allows more than that: names that come twice, of which each reader takes another; numbers without bound; nesting
that no parser goes down; NUL, which PostgreSQL does not take; halves of surrogate pairs, which are no Unicode.
"""

import json
import math
from typing import Any

from domain.errors import InvalidRequest

_DEEPEST = 64
_LARGEST = 2**63 - 1
_LINES = "application/x-ndjson"
"""Its lines are checked where they are read, each with its number."""


def check_url(path: str, query: bytes) -> None:
    """Return where a URL holds only what can be text, else raise `InvalidRequest`."""
    if "\0" in path or b"%00" in query or b"\0" in query:
        msg = "the URL holds a NUL"
        raise InvalidRequest(msg)


def check_body(body: bytes, content_type: str) -> None:
    """Return where a body, if it is JSON, holds only plain values; what is no JSON is told of by who wanted it.

    Raises:
        InvalidRequest: It holds what not everybody could hold.
    """
    if not body or content_type.partition(";")[0].strip().lower() == _LINES:
        return
    try:
        value = json.loads(body, object_pairs_hook=_once)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        return
    _check(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        msg = "an object has a name twice"
        raise InvalidRequest(msg)
    return found


def _check(value: Any) -> None:
    """Look at every value, level by level."""
    level = [value]
    for _ in range(_DEEPEST):
        for each in level:
            if (wrong := _wrong(each)) is not None:
                raise InvalidRequest(wrong)
        level = [inner for each in level for inner in _within(each)]
        if not level:
            return
    raise _too_deep()


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def _wrong(value: Any) -> str | None:
    if isinstance(value, str):
        return _wrong_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "a number is not finite"
    if isinstance(value, int) and abs(value) > _LARGEST:
        return "a whole number has more than 64 bits"
    return None


def _wrong_text(text: str) -> str | None:
    if "\0" in text:
        return "a text holds a NUL"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "a text holds half of a surrogate pair"
    return None


def _too_deep() -> InvalidRequest:
    return InvalidRequest(f"the body is nested more than {_DEEPEST} levels deep")
