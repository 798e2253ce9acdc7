"""What of a step's data its text says already, so that a prompt need not show it a second time."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from agents.tools.cells import markdown_table

_PASSAGE = 40
"""Characters of a text that nobody writes again by chance; shorter values are always shown, so that they can be held
against the text."""
_BOOKKEEPING = frozenset({"score", "start", "total"})
"""Numbers about a passage, which nobody reads."""


def untold(data: Mapping[str, Any], text: str, places: Collection[str] = ()) -> dict[str, Any]:
    """Return the data without what stands in the text, word for word, or is one of the places that its sources name.

    Args:
        data: The structured output of a step.
        text: Its text, as far as it is shown.
        places: Locators of its sources.
    """
    if _is_written_out(data, text):
        return {}
    told = {"columns", "rows"} if has_table(data, text) else set()
    kept = {name: value for name, value in data.items() if name not in told and value not in places}
    if kept.get("truncated") is False:
        del kept["truncated"]
    return _without_passages(kept, plain(text))


def has_table(data: Mapping[str, Any], text: str) -> bool:
    """Return whether a text holds the table that data has."""
    columns, rows = data.get("columns"), data.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return False
    return bool(columns and rows) and markdown_table(columns, rows) in text


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for child in value.values() if isinstance(value, Mapping) else value:
            yield from texts_of(child)


def plain(text: str) -> str:
    """Return a text with single blanks between its words."""
    return " ".join(text.split())


def _without_passages(data: dict[str, Any], said: str) -> dict[str, Any]:
    """Return data without passages that are said, also those of a list; with them goes the bookkeeping beside them."""
    kept = {}
    for name, value in data.items():
        if isinstance(value, list):
            left = [entry for entry in value if not _is_said(entry, said)]
            if left or not value:
                kept[name] = left
        elif not _is_said(value, said):
            kept[name] = value
    if len(kept) < len(data) and kept.keys() <= _BOOKKEEPING | {"name"}:
        return {}
    return kept


def _is_said(value: Any, said: str) -> bool:
    """Return whether a passage, or an entry that holds one, is said with all that stands in it."""
    if isinstance(value, Mapping):
        rest = [child for name, child in value.items() if name not in _BOOKKEEPING]
        only_texts = all(isinstance(child, str) for child in rest)
        return only_texts and any(_is_said(child, said) for child in rest) and all(plain(c) in said for c in rest)
    return isinstance(value, str) and len(value) >= _PASSAGE and plain(value) in said


def _is_written_out(data: Mapping[str, Any], text: str) -> bool:
    """Return whether a text is the data itself, or its only value, as JSON or as it is."""
    only = next(iter(data.values())) if len(data) == 1 else data
    try:
        return bool(data) and (text == str(only) or json.loads(text) in (data, only))
    except (ValueError, RecursionError):
        return False
