"""Pieces of HTML that the pages of reports are put together from; every text in them is escaped."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from evals.report_style import STYLE
from evals.results import TaskResult
from evals.statistics import Interval

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")


class Column(NamedTuple):
    """A column of a table."""

    name: str
    kind: str = ""
    """`n` of numbers, `plot`, `name`, `why`; empty of short texts. One that is `minor`, too, is not shown on phones."""


def document(title: str, parts: Iterable[str]) -> str:
    """Return a whole page that loads nothing and runs nothing."""
    head = (
        "<meta charset='utf-8'><meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
    )
    body = "\n".join(part for part in parts if part)
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], told: str = "") -> str:
    """Return a table of cells that are HTML already; nothing where there are no rows."""
    body = "".join(f"<tr>{_cells('td', columns, row)}</tr>\n" for row in rows)
    if not body:
        return ""
    caption = f"<p class='dim small'>{escape(told)}</p>" if told else ""
    head = f"<thead><tr>{_cells('th', columns, [escape(column.name) for column in columns])}</tr></thead>"
    return f"<div class='wide'><table>{head}<tbody>\n{body}</tbody></table></div>{caption}"


def _cells(tag: str, columns: Sequence[Column], cells: Sequence[str]) -> str:
    return "".join(
        f"<{tag} class='{column.kind or 'text'}'>{cell}</{tag}>" for column, cell in zip(columns, cells, strict=True)
    )


def anchor(suite: str, task: str, epoch: int = 1) -> str:
    """Return the name of a task's place in the page."""
    return "-".join(_UNFIT.sub("_", part) for part in ("task", suite, task, str(epoch)))


def link(suite: str, task: str, epoch: int = 1) -> str:
    """Return a link to a task's place in the page."""
    shown = f"{suite}/{task}" + (f" ({epoch})" if epoch > 1 else "")
    return f"<a href='#{anchor(suite, task, epoch)}'>{escape(shown)}</a>"


def link_to(result: TaskResult) -> str:
    """Return a link to the place of a result."""
    return link(result.suite, result.task, result.epoch)


def mark(good: bool) -> str:
    """Return a tick or a cross, each with its word for who cannot see it."""
    if good:
        return "<span class='good' role='img' aria-label='passed'>✓</span>"
    return "<span class='bad' role='img' aria-label='failed'>✗</span>"


def named(text: str) -> str:
    """Return a dotted name that may be broken after its parts."""
    return escape(text).replace(".", ".<wbr>").replace("_", "_<wbr>")


def figure(value: float, *, signed: bool = False) -> str:
    """Return a number as people read it: large ones whole, small ones with three digits, nothing without a sign."""
    sign = "+" if signed and value else ""
    return format(value, f"{sign},.0f" if abs(value) >= 1000 else f"{sign}.3g")


def between(bounds: Interval | None) -> str:
    """Return the bounds of a change, where there are any."""
    return " to ".join(figure(bound, signed=True) for bound in bounds) if bounds else "too few to tell"


def toned(text: str, tone: str) -> str:
    """Return a text as `good`, `bad`, `some` or `dim`."""
    return f"<span class='{tone}'>{escape(text)}</span>"


def listed(lines: Iterable[str]) -> str:
    """Return texts as a list; nothing where there are none."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def folded(summary: str, inner: str, *, opened: bool = False) -> str:
    """Return HTML that shows when its summary is chosen."""
    return f"<details{' open' if opened else ''}><summary>{summary}</summary>\n{inner}</details>"


def diff(text: str) -> str:
    """Return a unified diff, what goes and what comes in colours of their own."""
    return f"<pre>{chr(10).join(map(_diff_line, text.splitlines()))}</pre>"


def _diff_line(line: str) -> str:
    kinds = {"+": "plus", "-": "minus", "@": "place"}
    kind = "place" if line.startswith(("+++", "---")) else kinds.get(line[:1])
    return f"<span class='{kind}'>{escape(line)}</span>" if kind else escape(line)
