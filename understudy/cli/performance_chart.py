"""The picture of `understudy performance`."""

from pathlib import Path

from domain.errors import InvalidSettings
from memory.success import Analysis, Success
from understudy.cli.text import one_line

_ROWS = 20
"""Sequences and agents that are drawn, those with most runs."""
_LETTERS = 56
"""Of a name that are shown."""


def draw(found: Analysis, path: Path) -> None:
    """Write success rates with their 95 % intervals, by sequence and by agent, as a PNG.

    Raises:
        InvalidSettings: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "the picture needs matplotlib: pip install 'understudy[plots]'"
        raise InvalidSettings(msg) from error
    groups = {"by sequence": found.sequences[:_ROWS], "by agent": found.agents[:_ROWS]}
    lines = [line for title, rows in groups.items() if rows for line in ((title, None), *((None, row) for row in rows))]
    figure = Figure(figsize=(10, 1.5 + 0.3 * max(len(lines), 1)), layout="constrained")
    axes = figure.add_subplot(xlabel="share of runs that succeeded\nwith 95 % Wilson interval", xlim=(-0.02, 1.02))
    for place, (_, row) in enumerate(lines):
        if row is not None:
            spread = [[row.rate - row.interval.low], [row.interval.high - row.rate]]
            axes.errorbar(row.rate, place, xerr=spread, fmt="o", color="black", ecolor="grey", capsize=3)
    axes.set_yticks(range(len(lines)), [title or _label(row) for title, row in lines])
    for tick, (title, _) in zip(axes.yaxis.get_major_ticks(), lines, strict=True):
        if title:
            tick.label1.set_fontweight("bold")
            tick.tick1line.set_visible(False)
    axes.set_ylim(max(len(lines), 1) - 0.4, -0.6)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    runs = found.overall.runs
    axes.set_title(f"{runs} runs, {found.overall.rate:.0%} succeeded" if runs else "no runs yet")
    figure.savefig(path, format="png", dpi=120)


def _label(row: Success | None) -> str:
    """Return how a row is called; matplotlib must find no formulas in it."""
    if row is None:
        return ""
    name = one_line(row.name, 500)
    # Long sequences often begin alike, so the middle goes.
    name = name if len(name) <= _LETTERS else f"{name[: _LETTERS // 2]} … {name[-_LETTERS // 2 :]}"
    return f"{name} ({row.runs})".replace("$", r"\$")
