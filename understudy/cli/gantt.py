"""The picture of `understudy trace`: a run as a Gantt chart, its critical path outlined."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import InvalidSettings
from graph.critical_path import CriticalPath, Segment, critical_path
from graph.step_timing import StepTiming, tries
from graph.trace import Trace, TracedDecision
from understudy.cli.text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg")
_ROWS = 60
"""Rows that are drawn; of more, the longest."""
_MIN_SHARE = 0.01
"""Of the run's time; what took less outside the steps gets no row."""
_GAP = 0.003
"""Of the run's time; critical stretches so near to each other are outlined as one."""
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee8866", "#44bb99")
"""For agents, in the order in which they come; told apart with any kind of sight (Paul Tol's bright scheme)."""
_REST = "#bbbbbb"
"""For what is not done by a specialist."""
_WAITS = {"slot": ("////", "waits for a slot"), "person": ("xxxx", "waits for a person")}


class Bar(NamedTuple):
    """A stretch of time in a row."""

    started: float
    """Seconds from the start of the run, like the end."""
    ended: float
    agent: str = ""
    """Who worked; empty where no specialist did."""
    wait: str = ""
    """Key of `_WAITS`; empty where somebody worked."""
    critical: bool = False


class Row(NamedTuple):
    """One step, or one role outside the steps."""

    label: str
    bars: list[Bar]


def draw(trace: Trace, path: Path) -> None:
    """Write the run as a PNG or SVG, by the file's suffix.

    Raises:
        InvalidSettings: matplotlib is not installed, the suffix is another, or there is no such folder.
    """
    if path.suffix.lower() not in FORMATS:
        msg = f"a picture is a file ending in {' or '.join(FORMATS)}, not {path.name!r:.80}"
        raise InvalidSettings(msg)
    if not path.absolute().parent.is_dir():
        msg = f"there is no folder {str(path.parent)!r:.200} to draw into"
        raise InvalidSettings(msg)
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "the picture needs matplotlib: pip install 'understudy[plots]'"
        raise InvalidSettings(msg) from error
    rows = rows_of(trace)
    figure = Figure(figsize=(10, 1.9 + 0.32 * max(len(rows), 1)), layout="constrained")
    axes = figure.add_subplot(xlabel="seconds from the start", xlim=(0, 1.01 * max(trace.seconds, 1e-3)))
    agents = list(dict.fromkeys(bar.agent for row in rows for bar in row.bars if bar.agent))
    colours = {agent: _COLOURS[place % len(_COLOURS)] for place, agent in enumerate(agents)}
    _draw_rows(axes, rows, colours, _GAP * trace.seconds)
    _draw_legend(axes, rows, colours)
    status = trace.outcome.status.replace("_", " ") if trace.outcome else "open"
    axes.set_title(_literal(f"{one_line(trace.goal, 80)}\n{status}, {trace.seconds:.1f} s"), fontsize=10, loc="left")
    with rc_context({"svg.fonttype": "none"}):  # text in an SVG stays text, to be searched and read aloud
        figure.savefig(path, format=path.suffix.lower().removeprefix("."), dpi=130)


def rows_of(trace: Trace) -> list[Row]:
    """Return what is drawn, in the order of beginning."""
    path = critical_path(trace)
    rows = [_row_of_step(trace, path, timing) for timing in path.steps] + _rows_outside(trace, path)
    if len(rows) > _ROWS:
        rows = sorted(rows, key=lambda row: -sum(bar.ended - bar.started for bar in row.bars))[:_ROWS]
    return sorted(rows, key=lambda row: (row.bars[0].started, row.bars[0].ended))


def _row_of_step(trace: Trace, path: CriticalPath, timing: StepTiming) -> Row:
    start, step = trace.started, trace.steps[timing.index]
    bars = [_wait(decision, trace) for decision in step.decisions if decision.asked is not None]
    if timing.waited:
        bars.append(Bar(timing.started - timing.waited - start, timing.started - start, "", "slot", timing.critical))
    bars += [
        Bar(each.started - start, each.ended - start, each.agent, "", timing.critical)
        for each in tries(step, timing.started, timing.ended)
    ]
    slack = "" if timing.critical else f", slack {timing.slack:.1f} s"
    return Row(f"{timing.step} ({timing.agent}{slack})", sorted(bars))


def _wait(decision: TracedDecision, trace: Trace) -> Bar:
    asked, decided = decision.asked or trace.started, decision.decided or trace.last
    return Bar(asked - trace.started, decided - trace.started, "", "person", decision.decided is not None)


def _rows_outside(trace: Trace, path: CriticalPath) -> list[Row]:
    """Return a row for each role and node that took time outside the steps."""
    rows: dict[str, list[Bar]] = {}
    own = {decision.request for step in trace.steps for decision in step.decisions}
    for segment in path.segments:
        if segment.kind in ("role", "node") or (segment.kind == "person" and segment.name not in own):
            rows.setdefault(segment.name, []).append(_bar(segment, trace))
    least = _MIN_SHARE * trace.seconds
    return [Row(name, bars) for name, bars in rows.items() if sum(b.ended - b.started for b in bars) > least]


def _bar(segment: Segment, trace: Trace) -> Bar:
    wait = "person" if segment.kind == "person" else ""
    return Bar(segment.started - trace.started, segment.ended - trace.started, "", wait, critical=True)


def _draw_rows(axes: "Axes", rows: Sequence[Row], colours: dict[str, str], gap: float) -> None:
    for place, row in enumerate(rows):
        for bar in row.bars:
            hatch = _WAITS[bar.wait][0] if bar.wait else None
            axes.barh(
                place, bar.ended - bar.started, left=bar.started, height=0.62, hatch=hatch,
                color="white" if bar.wait else colours.get(bar.agent, _REST), linewidth=0.8 if bar.wait else 0,
                edgecolor="#777777",
            )  # fmt: skip
        for started, ended in _joined(row.bars, gap):
            axes.barh(place, ended - started, left=started, height=0.74, fill=False, edgecolor="black", linewidth=1.4)
    axes.set_yticks(range(len(rows)), [_literal(one_line(row.label, 48)) for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _joined(bars: Iterable[Bar], gap: float) -> list[tuple[float, float]]:
    """Return the critical stretches of a row, those with no more than a gap between them made one."""
    joined: list[tuple[float, float]] = []
    for bar in sorted(bar for bar in bars if bar.critical):
        if joined and bar.started - joined[-1][1] <= gap:
            joined[-1] = joined[-1][0], max(joined[-1][1], bar.ended)
        else:
            joined.append((bar.started, bar.ended))
    return joined


def _draw_legend(axes: "Axes", rows: Sequence[Row], colours: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    bars = [bar for row in rows for bar in row.bars]
    handles = [Patch(color=colour, label=_literal(one_line(agent, 30))) for agent, colour in colours.items()]
    if any(not bar.agent and not bar.wait for bar in bars):
        handles.append(Patch(color=_REST, label="outside the steps"))
    waits = {bar.wait for bar in bars if bar.wait}
    handles += [
        Patch(facecolor="white", edgecolor="#777777", hatch=hatch, label=label)
        for wait, (hatch, label) in _WAITS.items()
        if wait in waits
    ]
    handles.append(Patch(fill=False, edgecolor="black", linewidth=1.4, label="critical path"))
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8, frameon=False)


def _literal(text: str) -> str:
    """Return a text in which matplotlib finds no formulas."""
    return text.replace("$", r"\$")
