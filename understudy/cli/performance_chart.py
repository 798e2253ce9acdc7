"""The picture of `understudy performance`."""

from pathlib import Path

from domain.errors import InvalidSettings
from memory.success import Analysis
from understudy.cli.text import one_line

_ROWS = 20
"""Sequences and agents that are drawn, those with most runs."""


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
    rows = [*found.sequences[:_ROWS], *(a for a in found.agents[:_ROWS])][::-1]
    figure = Figure(figsize=(8, 1.5 + 0.35 * max(len(rows), 1)), layout="constrained")
    axes = figure.add_subplot(xlabel="share of runs that succeeded, with 95 % Wilson interval", xlim=(0, 1))
    rates = [row.rate for row in rows]
    below = [row.rate - row.interval.low for row in rows]
    above = [row.interval.high - row.rate for row in rows]
    places = range(len(rows))
    axes.errorbar(rates, places, xerr=[below, above], fmt="o", color="black", ecolor="grey", capsize=3)
    axes.set_yticks(places, [f"{one_line(row.name, 50)} ({row.runs})".replace("$", r"\$") for row in rows])
    axes.set_title(f"{found.overall.runs} runs, {found.overall.rate:.0%} succeeded")
    figure.savefig(path, format="png", dpi=120)
