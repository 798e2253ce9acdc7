"""The part of a report that shows how two versions differ: every metric with its interval drawn, tasks that flipped."""

from collections.abc import Iterator
from html import escape

from evals.comparison import PASSED, Comparison, Flip, MetricChange
from evals.report_parts import Column, between, figure, folded, link, listed, named, table, toned
from evals.report_plots import change_plot

_COLUMNS = (
    Column("metric", "name"),
    Column("verdict"),
    Column("change", "n"),
    Column("", "plot minor"),
    Column("95 % interval", "n"),
    Column("before", "n"),
    Column("after", "n"),
    Column("plays", "n"),
)
_TOLD = (
    "Second version less the first on the same tasks. The dashed line is no change. Whether tasks pass is judged by "
    "its own interval; the verdicts on all other metrics hold together at 95 % (Holm)."
)
_TONES = {"better": "good", "worse": "bad", "unclear": "some", "same": "dim"}


def comparison_section(comparison: Comparison) -> str:
    """Return the comparison as HTML."""
    return "\n".join(part for part in _parts(comparison) if part)


def _parts(comparison: Comparison) -> Iterator[str]:
    yield "<h2>Compared</h2>"
    same = [m for m in comparison.metrics if m.verdict == "same" and m.metric != PASSED]
    yield table(_COLUMNS, [_change(m) for m in comparison.metrics if m not in same], _TOLD)
    if same:
        head = "1 other metric is the same" if len(same) == 1 else f"{len(same)} other metrics are the same"
        yield folded(head, table(_COLUMNS, map(_change, same)))
    yield (
        f"<h3>Tasks that flipped</h3>{''.join(map(_flip, comparison.flips))}"
        if comparison.flips
        else ("<p class='dim'>No task flipped.</p>")
    )
    for what, tasks in (
        ("Only the first version has", comparison.only_before),
        ("Only the second version has", comparison.only_after),
    ):
        if tasks:
            yield f"<p><span class='dim'>{what}</span> {escape(', '.join(tasks))}</p>"


def _change(m: MetricChange) -> list[str]:
    tone = _TONES[m.verdict]
    # Shares of all that is right are drawn on one scale; what has a unit of its own fills its row.
    share = not m.metric.startswith("efficiency.") or m.metric.endswith("_share")
    reach = 1.0 if share else 1.1 * max(map(abs, (m.change, *(m.interval or ()))))
    change, bounds = figure(m.change, signed=True), between(m.interval)
    plot = change_plot(m.change, m.interval, reach, f"{change}, {bounds}", "mark" if tone == "dim" else tone)
    figures = [change, plot, bounds, figure(m.before), figure(m.after), str(m.tasks)]
    return [named(m.metric), toned(m.verdict, tone), *figures]


def _flip(flip: Flip) -> str:
    tone = "good" if flip.to == "passes" else "bad"
    parts = ""
    if flip.parts:
        before, after = (escape(line or "(nothing)") for line in (flip.parts.before, flip.parts.after))
        lines = f"<pre><span class='minus'>- {before}</span>\n<span class='plus'>+ {after}</span></pre>"
        parts = folded(f"Where turn {flip.parts.turn} parts", lines)
    head = f"{toned(f'now {flip.to}', tone)} {link(flip.suite, flip.task, flip.epoch)}"
    return f"<div><p>{head}</p>{listed(flip.why)}{parts}</div>"
