"""Answers that are files of JSON objects, one a line."""

from typing import Any

LINES = "application/x-ndjson"
AS_LINES: dict[int | str, dict[str, Any]] = {
    200: {"description": "One JSON object a line.", "content": {LINES: {"schema": {"type": "string"}}}}
}
"""How the document describes them."""
