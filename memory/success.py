"""What episodes say about success: rates with their uncertainty, the trend, and the usual errors. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from memory.episodes import Episode

_Z = 1.959964
"""95 % of a normal distribution lies within so many standard deviations."""
MIN_TREND_RUNS = 6
"""Runs from which on a trend is told; fewer say nothing."""


class Interval(NamedTuple):
    """A 95 % confidence interval of a share, 0-1."""

    low: float
    high: float


class Success(NamedTuple):
    """How the runs of one sequence, agent or kind ended."""

    name: str
    runs: int
    successes: int
    interval: Interval
    quality: float | None
    """Mean of the runs that have one."""
    seconds: float
    """Mean."""

    @property
    def rate(self) -> float:
        """Share of the runs that succeeded, 0-1."""
        return self.successes / self.runs if self.runs else 0.0


class Analysis(NamedTuple):
    """The success of a workspace's latest runs."""

    overall: Success
    sequences: list[Success]
    """Of the runs that say something about them, most runs first; so are the agents."""
    agents: list[Success]
    kinds: list[Success]
    """Most runs first."""
    trend: float | None
    """Success rate of the later half less that of the earlier half, -1 to 1; None with too few runs."""
    errors: list[tuple[str, int]]
    """Error codes with their runs, the commonest first."""
    override_rate: float | None
    """Share of a person's answers that changed or refused what was proposed; None without answers."""


def analysed(episodes: Sequence[Episode]) -> Analysis:
    """Return what the episodes, in any order, say about success."""
    telling = [e for e in episodes if e.telling]
    answers = sum(e.approvals for e in episodes)
    return Analysis(
        overall=_success("all", episodes),
        sequences=_grouped(telling, lambda e: [" → ".join(e.sequence)]),
        agents=_grouped(telling, lambda e: sorted(set(e.sequence))),
        kinds=_grouped(episodes, lambda e: [e.kind]),
        trend=_trend(episodes),
        errors=Counter(e.error_code for e in episodes if e.error_code).most_common(),
        override_rate=sum(e.overrides for e in episodes) / answers if answers else None,
    )


def wilson(successes: float, runs: float) -> Interval:
    """Return the 95 % Wilson score interval of a success rate (E. B. Wilson, JASA 22, 1927); (0, 1) without runs.

    It holds for the mean of values from 0 to 1 as well, whose sum are the successes: no such values vary more than
    those that are all 0 or 1.
    """
    if not runs:
        return Interval(0.0, 1.0)
    rate, weight = successes / runs, _Z * _Z / runs
    centre = (rate + weight / 2) / (1 + weight)
    half = _Z * math.sqrt(rate * (1 - rate) / runs + weight / (4 * runs)) / (1 + weight)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def _grouped(episodes: Iterable[Episode], names: Callable[[Episode], list[str]]) -> list[Success]:
    groups: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        for name in names(episode):
            groups[name].append(episode)
    found = [_success(name, group) for name, group in groups.items()]
    return sorted(found, key=lambda s: (-s.runs, s.name))


def _success(name: str, episodes: Sequence[Episode]) -> Success:
    successes = sum(e.success for e in episodes)
    rated = [e.quality for e in episodes if e.quality is not None]
    return Success(
        name=name,
        runs=len(episodes),
        successes=successes,
        interval=wilson(successes, len(episodes)),
        quality=fmean(rated) if rated else None,
        seconds=fmean(e.seconds for e in episodes) if episodes else 0.0,
    )


def _trend(episodes: Sequence[Episode]) -> float | None:
    if len(episodes) < MIN_TREND_RUNS:
        return None
    ordered = sorted(episodes, key=lambda e: e.started)
    half = len(ordered) // 2
    return fmean(e.success for e in ordered[-half:]) - fmean(e.success for e in ordered[:half])
