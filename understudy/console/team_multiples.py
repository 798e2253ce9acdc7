"""How each agent's success went over time: one small picture each, all on one scale."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from memory.episodes import Episode
from memory.success import wilson
from understudy.console.markup import Html, el

MAX_AGENTS = 12
"""Those with the most runs."""
_WINDOW = 10
"""Runs that one point of a line is the mean of, it and those before."""
_WIDE, _HIGH, _EDGE = 200.0, 56.0, 5.0


class Course(NamedTuple):
    """An agent's runs in the order of time."""

    agent: str
    successes: list[bool]

    @property
    def rolling(self) -> list[float]:
        """Share of the latest runs that succeeded, at each run."""
        return [fmean(self.successes[max(0, end - _WINDOW) : end]) for end in range(1, len(self.successes) + 1)]


def courses(episodes: Sequence[Episode]) -> list[Course]:
    """Return the agents with the most runs that say something about them, most first."""
    found: dict[str, list[bool]] = defaultdict(list)
    for episode in sorted(episodes, key=lambda each: each.started):
        for agent in sorted(set(episode.sequence)) if episode.telling else ():
            found[agent].append(episode.success)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return [Course(agent, successes) for agent, successes in ordered[:MAX_AGENTS]]


def multiples(found: Sequence[Course]) -> Html:
    """Return the pictures."""
    return el("ul", *map(_multiple, found), class_="multiples")


def _multiple(course: Course) -> Html:
    runs, good = len(course.successes), sum(course.successes)
    low, high = wilson(good, runs)
    told = f"{good} of {runs} runs succeeded; 95 % interval {low:.0%} to {high:.0%}"
    return el("li", el("h3", course.agent), _line(course, told), el("small", told), class_="multiple")


def _line(course: Course, told: str) -> Html:
    values = course.rolling
    step = (_WIDE - 2 * _EDGE) / max(1, len(values) - 1)
    points = [(_EDGE + step * place, _y(value)) for place, value in enumerate(values)]
    half = el("line", x1=_EDGE, x2=_WIDE - _EDGE, y1=_y(0.5), y2=_y(0.5), class_="half")
    if len(points) > 1:
        line = el("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_="spark")
    else:
        line = el("line", x1=_EDGE, x2=_WIDE - _EDGE, y1=points[0][1], y2=points[0][1], class_="spark")
    misses = (
        el("circle", cx=x, cy=y, r="3", class_="miss")
        for (x, y), is_good in zip(points, course.successes, strict=True)
        if not is_good
    )
    about = f"{course.agent}: share of the latest {_WINDOW} runs that succeeded, over time. {told}"
    return el("svg", half, line, *misses, viewBox=f"0 0 {_WIDE:g} {_HIGH:g}", role="img", aria_label=about)


def _y(share: float) -> float:
    return _EDGE + (1 - share) * (_HIGH - 2 * _EDGE)
