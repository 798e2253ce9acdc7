"""Markdown for a terminal: tables fit its width, images are named, everything else is left to rich."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.markdown import Markdown

from understudy.cli.grids import put_table

_RULE = re.compile(r"^\s{0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_FENCE = re.compile(r"^\s{0,3}(```+|~~~+)")
_CELL = re.compile(r"(?<!\\)\|")
_IMAGE = re.compile(r"!\[(?P<alt>[^\]\n]*)\]\((?P<path>[^)\s]+)[^)\n]*\)")
_MARKS = re.compile(r"\*\*|__|`|(?<!\w)[*_]|[*_](?!\w)")


class Table(NamedTuple):
    """A table of a Markdown text."""

    columns: list[str]
    rows: list[list[str]]


def print_markdown(out: Console, text: str) -> None:
    """Print Markdown to a person; links are spelled out, since a hidden target could mislead."""
    for part in parts(text):
        if isinstance(part, Table):
            out.print()
            put_table(out, "", part.columns, part.rows)
            out.print()
        else:
            out.print(Markdown(_IMAGE.sub(_named, part), hyperlinks=False))


def parts(text: str) -> Iterator[Table | str]:
    """Yield the tables of a text, and what stands around them; what looks like one in code is none."""
    lines, kept, place, fence = text.split("\n"), list[str](), 0, ""
    while place < len(lines):
        fence = _fence_after(lines[place], fence)
        table = None if fence else _table_at(lines, place)
        if table is None:
            kept.append(lines[place])
            place += 1
            continue
        if any(line.strip() for line in kept):
            yield "\n".join(kept)
        yield table
        kept, place = [], place + 2 + len(table.rows)
    if any(line.strip() for line in kept):
        yield "\n".join(kept)


def _fence_after(line: str, fence: str) -> str:
    """Return the fence that code stands in after a line; empty outside of code."""
    match = _FENCE.match(line)
    if match is None:
        return fence
    if not fence:
        return match[1]
    closes = match[1].startswith(fence) and not line.strip().strip(fence[0])
    return "" if closes else fence


def _table_at(lines: Sequence[str], place: int) -> Table | None:
    """Return the table that begins at a line, if one does: a head, a rule of as many columns, and rows."""
    if place + 1 >= len(lines) or "|" not in lines[place] or not _RULE.match(lines[place + 1]):
        return None
    columns = _cells(lines[place])
    if len(columns) != len(_cells(lines[place + 1])):
        return None
    rows = []
    for line in lines[place + 2 :]:
        if "|" not in line or not line.strip():
            break
        cells = _cells(line)[: len(columns)]
        rows.append([*cells, *[""] * (len(columns) - len(cells))])
    return Table(columns, rows)


def _cells(line: str) -> list[str]:
    inner = re.sub(r"(?<!\\)\|\s*$", "", line.strip().removeprefix("|"))
    return [_MARKS.sub("", cell.strip().replace("\\|", "|")) for cell in _CELL.split(inner)]


def _named(match: re.Match[str]) -> str:
    """Return an image as words: a terminal cannot show it."""
    alt = match["alt"].strip()
    return f"(image{f' “{alt}”' if alt else ''}: `{match['path']}`)"
