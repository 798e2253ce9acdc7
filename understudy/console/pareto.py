"""Quality against what it takes: who is better at nothing than somebody else, and who is on the front."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

import moocore  # type: ignore[import-untyped]
import numpy as np

from agents.delegation.standings import Standing
from memory.episodes import Episode
from understudy.console.markup import Child, Column, Html, badge, dollars, duration, el, joined, table

Axis = Literal["seconds", "dollars"]
MAX_POINTS = 24
"""Those that are drawn, with the most runs."""
_WIDE, _HIGH = 640.0, 330.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 20.0, 30.0, 44.0


class Choice(NamedTuple):
    """An agent or a sequence with what it gives and takes; means over its runs."""

    name: str
    runs: int
    quality: float
    """0-1; a failed run counts as 0."""
    seconds: float
    dollars: float | None
    """None where the price of a call is unknown."""


def sequences(episodes: Sequence[Episode]) -> list[Choice]:
    """Return the sequences of agents that were run, most runs first; runs that say nothing of theirs are left out."""
    groups: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        if episode.telling and episode.sequence:
            groups[" → ".join(episode.sequence)].append(episode)
    found = [_sequence(name, runs) for name, runs in groups.items()]
    return sorted(found, key=lambda choice: (-choice.runs, choice.name))[:MAX_POINTS]


def agents(standings: Sequence[Standing], kind: str) -> list[Choice]:
    """Return the agents that did one kind of step, most runs first."""
    found = [Choice(s.agent, s.tasks, s.quality, s.seconds, s.cost) for s in standings if s.kind == kind]
    return sorted(found, key=lambda choice: (-choice.runs, choice.name))[:MAX_POINTS]


def front(choices: Sequence[Choice], axis: Axis) -> list[bool]:
    """Return of each whether no other is at least as good in both and better in one; False where it cannot be told."""
    known = [place for place, choice in enumerate(choices) if taken(choice, axis) is not None]
    on_front = [False] * len(choices)
    if known:
        costs = np.array([[taken(choices[place], axis), -choices[place].quality] for place in known], float)
        for place, best in zip(known, moocore.is_nondominated(costs, keep_weakly=True), strict=True):
            on_front[place] = bool(best)
    return on_front


def taken(choice: Choice, axis: Axis) -> float | None:
    """Return what one run takes on average."""
    return choice.seconds if axis == "seconds" else choice.dollars


def picture(caption: str, choices: Sequence[Choice], axis: Axis) -> Html:
    """Return the plot with the same as a table; numbers in the points are those of the rows."""
    best = front(choices, axis)
    return joined([_plot(caption, choices, best, axis), _table(caption, choices, best)])


def _sequence(name: str, runs: Sequence[Episode]) -> Choice:
    prices = [run.usage.dollars for run in runs]
    rated = [(run.quality if run.quality is not None else 1.0) if run.success else 0.0 for run in runs]
    known = None if None in prices else fmean(price or 0.0 for price in prices)
    return Choice(name, len(runs), fmean(rated), fmean(run.seconds for run in runs), known)


def _plot(caption: str, choices: Sequence[Choice], best: Sequence[bool], axis: Axis) -> Html:
    amounts = [taken(choice, axis) for choice in choices]
    most = 1.1 * max((amount for amount in amounts if amount), default=0.0) or 1.0

    def place(choice: Choice) -> tuple[float, float]:
        share = (taken(choice, axis) or 0.0) / most
        return (
            _LEFT + share * (_WIDE - _LEFT - _RIGHT),
            _TOP + (1 - min(1.0, max(0.0, choice.quality))) * (_HIGH - _TOP - _BOTTOM),
        )

    points = [
        _point(number, choice, place(choice), is_best)
        for number, (choice, is_best) in enumerate(zip(choices, best, strict=True), start=1)
        if taken(choice, axis) is not None
    ]
    line = _front_line([place(choice) for choice, is_best in zip(choices, best, strict=True) if is_best])
    told = f"{caption}: {sum(best)} of {len(choices)} on the front; the table below says the same"
    return el(
        "svg", *_axes(axis, most), line, *points[::-1], role="img", aria_label=told, class_="chart",
        viewBox=f"0 0 {_WIDE:g} {_HIGH:g}",
    )  # fmt: skip


def _point(number: int, choice: Choice, at: tuple[float, float], is_best: bool) -> Html:
    x, y = at
    circle = el("circle", cx=x, cy=y, r="11", class_="on-front" if is_best else "off-front")
    inside = el(
        "text", str(number), x=x, y=y + 4, text_anchor="middle", class_=f"inside {'light' if is_best else 'dark'}"
    )
    return el("g", el("title", f"{number}: {choice.name}"), circle, inside)


def _front_line(points: Sequence[tuple[float, float]]) -> Html | None:
    if len(points) < 2:
        return None
    ordered = sorted(points)
    path = f"M{ordered[0][0]:.1f} {ordered[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in ordered[1:])
    return el("path", d=path, class_="front")


def _axes(axis: Axis, most: float) -> list[Html]:
    shown: Callable[[float], str] = duration if axis == "seconds" else dollars
    right, bottom = _WIDE - _RIGHT, _HIGH - _BOTTOM
    parts = []
    for quarter in range(5):
        y = _TOP + (1 - quarter / 4) * (bottom - _TOP)
        x = _LEFT + quarter / 4 * (right - _LEFT)
        parts += [
            el("line", x1=_LEFT, x2=right, y1=y, y2=y, class_="guide"),
            el("text", f"{quarter / 4:g}", x=_LEFT - 8, y=y + 4, text_anchor="end"),
            el("text", shown(most * quarter / 4), x=x, y=bottom + 18, text_anchor="end" if quarter == 4 else "middle"),
        ]
    name = "mean time of a run" if axis == "seconds" else "mean cost of a run"
    parts.append(el("text", f"{name} →", x=right, y=_HIGH - 4, text_anchor="end"))
    parts.append(el("text", "quality ↑", x="4", y="14"))
    parts.append(el("path", d=f"M{_LEFT:g} {_TOP:g}V{bottom:g}H{right:g}", class_="axis"))
    return parts


def _table(caption: str, choices: Sequence[Choice], best: Sequence[bool]) -> Html:
    rows: list[list[Child]] = [
        [
            str(number), choice.name, f"{choice.quality:.2f}", duration(choice.seconds), dollars(choice.dollars),
            str(choice.runs), badge("on the front", "accent") if is_best else "–",
        ]
        for number, (choice, is_best) in enumerate(zip(choices, best, strict=True), start=1)
    ]  # fmt: skip
    numbers = ("quality", "mean time", "mean cost", "runs")
    columns = [Column("point", "number"), Column("name", "long"), *(Column(name, "number") for name in numbers)]
    return table(caption, [*columns, Column("front")], rows)
