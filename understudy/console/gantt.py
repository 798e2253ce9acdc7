"""A run as a Gantt chart: names as text that never shrinks, bars as SVG that grow with the page."""

from collections.abc import Sequence

from graph.trace import Trace
from understudy.cli.gantt import Bar, Row, rows_of
from understudy.console.markup import Html, duration, el, joined

COLOURS = 8
"""Classes `agent-0` and so on, which the style sheet gives a colour each."""
_TICKS = 4
_LEAST = 0.004
"""Of the run's time; a shorter bar is drawn so long, that it can be seen."""


def gantt(trace: Trace) -> Html:
    """Return the chart with its legend; what is on the critical path has an edge and stripes below."""
    rows = rows_of(trace)
    whole = max(trace.seconds, 1e-3)
    agents = list(dict.fromkeys(bar.agent for row in rows for bar in row.bars if bar.agent))
    tints = {agent: f"agent-{place % COLOURS}" for place, agent in enumerate(agents)}
    return el(
        "div",
        _patterns(),
        el("div", el("span", "", class_="gantt-name"), _axis(whole), class_="gantt-row", aria_hidden="true"),
        el("ul", *(_row(row, tints, whole) for row in rows), class_="gantt-rows"),
        _legend(rows, tints),
        class_="gantt",
    )


def _row(row: Row, tints: dict[str, str], whole: float) -> Html:
    critical = any(bar.critical for bar in row.bars)
    bars = (_bar(bar, tints, whole) for bar in row.bars)
    picture = el(
        "svg", *_grid(), *bars, role="img", aria_label=_told(row), height="22", class_="gantt-bars", focusable="false"
    )
    mark = el("span", "critical", class_="badge accent") if critical else None
    return el("li", el("span", row.label, " ", mark, class_="gantt-name"), picture, class_="gantt-row")


def _told(row: Row) -> str:
    """Return a row in words."""
    return "; ".join(
        f"{_who(bar)} from {duration(bar.started)} to {duration(bar.ended)}{', critical' * bar.critical}"
        for bar in row.bars
    )


def _who(bar: Bar) -> str:
    return {"slot": "waits for a slot", "person": "waits for a person"}.get(bar.wait, bar.agent or "outside the steps")


def _bar(bar: Bar, tints: dict[str, str], whole: float) -> Html:
    share = max(_LEAST, (bar.ended - bar.started) / whole)
    start = min(bar.started / whole, 1 - share)
    x, width = f"{100 * start:.3f}%", f"{100 * share:.3f}%"
    fill = f"url(#wait-{bar.wait})" if bar.wait else None
    kind = "wait" if bar.wait else tints.get(bar.agent, "agent-none")
    told = el("title", f"{_who(bar)}: {duration(bar.ended - bar.started)}")
    parts = [el("rect", told, x=x, y="3", width=width, height="12", rx="2", class_=kind, fill=fill)]
    if bar.critical:
        parts.append(el("rect", x=x, y="3", width=width, height="12", rx="2", class_="critical-edge"))
        parts.append(el("rect", x=x, y="17", width=width, height="4", fill="url(#critical)"))
    return joined(parts)


def _grid() -> list[Html]:
    places = (f"{100 * tick / _TICKS:g}%" for tick in range(_TICKS + 1))
    return [el("line", x1=x, x2=x, y1="0", y2="22", class_="grid") for x in places]


def _axis(whole: float) -> Html:
    anchors = {0: "start", _TICKS: "end"}
    ticks = (
        el(
            "text", duration(whole * tick / _TICKS), x=f"{100 * tick / _TICKS:g}%", y="12",
            text_anchor=anchors.get(tick, "middle"), class_="tick",
        )
        for tick in range(_TICKS + 1)
    )  # fmt: skip
    return el("svg", *ticks, height="16", class_="gantt-bars", focusable="false")


def _patterns() -> Html:
    """Return what waiting and the critical path are filled with, for the whole page."""

    def pattern(name: str, turn: int, line: Html) -> Html:
        turned = f"rotate({turn})"
        return el(
            "pattern", line, id=name, width="6", height="6", patternUnits="userSpaceOnUse", patternTransform=turned
        )

    line = el("line", x1="0", x2="0", y1="0", y2="6", class_="hatch")
    thick = el("line", x1="1.5", x2="1.5", y1="0", y2="6", class_="critical-stripe")
    dots = el("circle", cx="3", cy="3", r="1.3", class_="dot")
    shapes = el("defs", pattern("wait-slot", 45, line), pattern("wait-person", 0, dots), pattern("critical", 45, thick))
    return el("svg", shapes, width="0", height="0", aria_hidden="true", focusable="false", class_="defs")


def _legend(rows: Sequence[Row], tints: dict[str, str]) -> Html:
    bars = [bar for row in rows for bar in row.bars]
    entries = [_entry(agent, el("rect", width="14", height="12", rx="2", class_=t)) for agent, t in tints.items()]
    if any(not bar.agent and not bar.wait for bar in bars):
        entries.append(_entry("outside the steps", el("rect", width="14", height="12", rx="2", class_="agent-none")))
    for wait, words in (("slot", "waits for a slot"), ("person", "waits for a person")):
        if any(bar.wait == wait for bar in bars):
            entries.append(_entry(words, el("rect", width="14", height="12", class_="wait", fill=f"url(#wait-{wait})")))
    if any(bar.critical for bar in bars):
        edge = el("rect", x="0.75", y="0.75", width="12.5", height="8", class_="critical-edge")
        stripe = el("rect", x="0", y="10", width="14", height="4", fill="url(#critical)")
        entries.append(_entry("critical path: the end waited for it", edge, stripe))
    return el("ul", *entries, class_="legend", aria_label="Legend")


def _entry(words: str, *shapes: Html) -> Html:
    swatch = el("svg", *shapes, width="14", height="14", aria_hidden="true", focusable="false")
    return el("li", swatch, " ", words)
