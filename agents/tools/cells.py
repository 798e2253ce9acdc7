"""Values of tables as JSON and as Markdown."""

import datetime
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

MAX_CELL_CHARS = 2000
MAX_SHOWN_CHARS = 200


def json_safe(value: Any) -> Any:
    """Return a value that JSON can hold: dates as ISO text, decimals as numbers, what is not a number as None."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return _clipped(value, MAX_CELL_CHARS)
        case Decimal():
            return json_safe(int(value) if value == value.to_integral_value() else float(value))
        case datetime.date() | datetime.time():
            return value.isoformat()
        case bytes():
            return f"({len(value)} bytes)"
        case list() | tuple():
            return [json_safe(item) for item in value]
        case dict():
            return {str(key): json_safe(item) for key, item in value.items()}
    return str(value)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table; nothing in a cell can break out of it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)
    return _clipped(" ".join(text.split()).replace("|", "\\|"), MAX_SHOWN_CHARS)


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
