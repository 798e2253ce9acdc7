"""Functions that a team could declare as tools."""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, Field

SENT: dict[str, str] = {}


class Month(BaseModel):
    year: int
    month: int = Field(ge=1, le=12)


def search(
    query: str,
    limit: Annotated[int, Field(ge=1)] = 10,
    status: Literal["open", "closed"] | None = None,
    since: Month | None = None,
) -> dict[str, object]:
    """Search the tickets.

    The newest come first.

    Args:
        query: What to look for:
            words or numbers.
        limit: Tickets at most.
        since: The first month.

    Returns:
        The tickets.
    """
    return {"items": [query, limit, status, since.year if since else None]}


async def send(to: str, text: str, idempotency_key: str = "") -> str:
    """Send a letter."""
    SENT[to] = idempotency_key
    return f"sent {text} to {to}"


def was_sent(to: str, text: str) -> bool | None:
    return None if to == "nobody" else to in SENT


def unsend(to: str, text: str) -> str:
    del SENT[to]
    return "taken back"


def refuses(text: str) -> str:
    """Take JSON, or say why not."""
    if text == "sorry":
        raise ValueError(text)
    return str(json.loads(text))


def bare(query) -> str:  # type: ignore[no-untyped-def]
    return str(query)


def anything(*values: str) -> str:
    return str(values)


def odd(value: "Unknown") -> str:  # type: ignore[name-defined]  # noqa: F821
    return str(value)


def breaks(text: str) -> str:
    raise ZeroDivisionError(text)


def ends(text: str) -> str:
    raise SystemExit(text)


NOT_A_FUNCTION = 3
