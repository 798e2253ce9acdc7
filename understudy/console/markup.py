"""HTML and SVG put together from data: every text is escaped, and only known tags, attributes and addresses pass.

What it returns goes into pages as it is, so this is the one place that makes such text.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Literal, NamedTuple

from understudy.cli.text import clean

_TAGS = frozenset({
    "a", "article", "b", "br", "caption", "code", "dd", "details", "div", "dl", "dt", "em", "h2", "h3", "h4", "li",
    "ol", "p", "pre", "section", "small", "span", "strong", "summary", "table", "tbody", "td", "th", "thead", "time",
    "tr", "ul",
    "circle", "defs", "g", "line", "path", "pattern", "polygon", "polyline", "rect", "svg", "text", "title",
})  # fmt: skip
_ATTRIBUTES = frozenset({
    "aria-current", "aria-describedby", "aria-hidden", "aria-label", "aria-labelledby", "class", "colspan",
    "data-label", "datetime", "href", "id", "lang", "open", "role", "scope", "tabindex", "title",
    "cx", "cy", "d", "dx", "dy", "fill", "focusable", "height", "patternTransform", "patternUnits", "points",
    "preserveAspectRatio", "r", "rx", "stroke", "stroke-dasharray", "stroke-width", "text-anchor", "transform",
    "viewBox", "width", "x", "x1", "x2", "y", "y1", "y2",
})  # fmt: skip
_VOID = frozenset({"br"})

Tone = Literal["good", "bad", "warn", "accent", "plain"]


class Html(NamedTuple):
    """A piece of HTML that was made here."""

    text: str


Child = Html | str | None
"""A piece, a text that is yet to be escaped, or nothing."""


def el(tag: str, *children: Child, **attributes: str | float | bool | None) -> Html:
    """Return an element.

    Args:
        tag: Its name.
        children: What it holds.
        attributes: By name, `_` for `-` and a last `_` left out (`class_`); None and False leave one out.

    Raises:
        ValueError: A tag, an attribute or an address that pages of the console have no use for.
    """
    if tag not in _TAGS:
        msg = f"pages have no <{tag}>"
        raise ValueError(msg)
    head = "".join(_attribute(name, value) for name, value in attributes.items() if value is not None)
    return Html(f"<{tag}{head}>" if tag in _VOID else f"<{tag}{head}>{joined(children).text}</{tag}>")


def joined(children: Iterable[Child]) -> Html:
    """Return pieces one after the other."""
    return Html("".join(map(_escaped, children)))


def _escaped(child: Child) -> str:
    if child is None:
        return ""
    return child.text if isinstance(child, Html) else escape(clean(child))


def _attribute(name: str, value: str | float | bool) -> str:
    known = name.removesuffix("_")
    known = known if known in _ATTRIBUTES else known.replace("_", "-")
    if known not in _ATTRIBUTES:
        msg = f"pages have no attribute {known!r}"
        raise ValueError(msg)
    if isinstance(value, bool):
        return f" {known}" if value else ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    if known == "href" and not (text.startswith("#") or (text.startswith("/") and not text.startswith("//"))):
        msg = "pages link to themselves only"
        raise ValueError(msg)
    return f' {known}="{escape(clean(text))}"'


class Column(NamedTuple):
    """A column of a table."""

    name: str
    kind: Literal["text", "number", "long", "plot"] = "text"


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Child]], *, hidden: bool = True) -> Html:
    """Return a table, whose rows become blocks on a phone.

    Args:
        caption: What it shows.
        columns: Its columns.
        rows: Cells, as many as columns.
        hidden: Whether the caption is only read aloud, since a heading says the same.
    """
    # Browsers forget what a table is when its rows become blocks, so the roles are said.
    head = el("tr", *(el("th", c.name, scope="col", role="columnheader", class_=c.kind) for c in columns), role="row")
    body = (
        el("tr", *(_cell(column, cell) for column, cell in zip(columns, row, strict=True)), role="row") for row in rows
    )
    return el(
        "table",
        el("caption", caption, class_="unseen" if hidden else None),
        el("thead", head, role="rowgroup"),
        el("tbody", *body, role="rowgroup"),
        class_="rows",
        role="table",
    )


def _cell(column: Column, cell: Child) -> Html:
    return el("td", cell, role="cell", class_=column.kind, data_label=column.name or None)


def facts(values: Mapping[str, Child]) -> Html:
    """Return a list of names with their values; what is empty is left out."""
    pairs = (el("div", el("dt", name), el("dd", value)) for name, value in values.items() if value)
    return el("dl", *pairs, class_="facts")


def badge(text: str, tone: Tone = "plain") -> Html:
    """Return a word that stands out; the word says it, the colour helps."""
    return el("span", text, class_=f"badge {tone}")


def share_bar(share: float, told: str, low: float | None = None, high: float | None = None) -> Html:
    """Return a share from 0 to 1 as a bar, with its interval as a line where there is one."""
    parts = [
        el("rect", x="0", y="4", width="100%", height="8", rx="4", class_="track"),
        el("rect", x="0", y="4", width=_percent(share), height="8", rx="4", class_="filled"),
    ]
    if low is not None and high is not None:
        parts.append(el("line", x1=_percent(low), x2=_percent(high), y1="15", y2="15", class_="whisker"))
    return el("svg", *parts, role="img", aria_label=told, class_="bar", height="18", focusable="false")


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"


def when(moment: float | None) -> Html | None:
    """Return a moment, given in unix time, in the time of this machine."""
    if not moment:
        return None
    local = datetime.fromtimestamp(moment).astimezone()
    return el("time", local.strftime("%Y-%m-%d %H:%M"), datetime=local.isoformat("T", "seconds"))


def ago(moment: float, now: float | None = None) -> str:
    """Return how long ago a moment is, in words."""
    seconds = max(0.0, (time.time() if now is None else now) - moment)
    for unit, name in ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= unit:
            count = int(seconds // unit)
            return f"{count} {name}{'s' * (count != 1)} ago"
    return "just now"


def duration(seconds: float | None) -> str:
    """Return a span of time as people say it; a dash where nobody knows."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def score(value: float | None) -> str:
    """Return a value from 0 to 1, or a dash where there is none."""
    return "–" if value is None else f"{value:.2f}"


def dollars(value: float | None) -> str:
    """Return a sum of money, or that nobody knows it."""
    return "unknown" if value is None else f"${value:,.4f}"
