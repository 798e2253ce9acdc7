"""Execution summaries: how the latest runs went, and which errors keep coming back. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.outcomes import Usage
from graph.bottlenecks import quantile
from memory.episodes import Episode
from memory.success import analysed

_RECENT = 20
"""Runs that are named for what is going on now."""


class ErrorPattern(BaseModel):
    """An error that runs ended with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    runs: int
    share: float
    """Of all runs that were looked at, 0-1."""
    agents: list[str]
    """Who took part in these runs, the most frequent first."""
    latest: float
    """Unix time at which the latest of them began."""
    latest_run: str


class ExecutionSummary(BaseModel):
    """How the latest runs of a workspace went."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runs: int
    since: float | None
    """Unix time at which the first of them began; None without any."""
    success_rate: float | None
    recent_success_rate: float | None
    """Of the last few of them."""
    trend: float | None
    statuses: dict[str, int]
    """How many ended how."""
    sources: dict[str, int]
    """Where their plans came from."""
    degraded: int
    """Runs in which a rule-based twin had a hand."""
    median_seconds: float | None
    slow_seconds: float | None
    """Within which 95 % were."""
    usage: Usage
    errors: list[ErrorPattern]
    """The commonest first."""


class _Error(NamedTuple):
    code: str
    episodes: list[Episode]


def execution_summary(episodes: Sequence[Episode]) -> ExecutionSummary:
    """Return how these runs, the latest first, went."""
    seconds = sorted(episode.seconds for episode in episodes)
    analysis, recent = analysed(episodes), analysed(episodes[:_RECENT])
    return ExecutionSummary(
        runs=len(episodes),
        since=episodes[-1].started if episodes else None,
        success_rate=analysis.overall.rate if episodes else None,
        recent_success_rate=recent.overall.rate if episodes else None,
        trend=analysis.trend,
        statuses=dict(Counter(episode.status for episode in episodes).most_common()),
        sources=dict(Counter(episode.source for episode in episodes).most_common()),
        degraded=sum(episode.degraded for episode in episodes),
        median_seconds=quantile(seconds, 0.5) if seconds else None,
        slow_seconds=quantile(seconds, 0.95) if seconds else None,
        usage=sum((episode.usage for episode in episodes), Usage()),
        errors=[_pattern(error, len(episodes)) for error in _errors(episodes)],
    )


def _errors(episodes: Sequence[Episode]) -> list[_Error]:
    by_code: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        if episode.error_code:
            by_code[episode.error_code].append(episode)
    return sorted((_Error(*item) for item in by_code.items()), key=lambda error: (-len(error.episodes), error.code))


def _pattern(error: _Error, runs: int) -> ErrorPattern:
    agents = Counter(agent for episode in error.episodes for agent in set(episode.sequence))
    return ErrorPattern(
        code=error.code,
        runs=len(error.episodes),
        share=len(error.episodes) / runs,
        agents=[agent for agent, _ in sorted(agents.items(), key=lambda item: (-item[1], item[0]))],
        latest=error.episodes[0].started,
        latest_run=error.episodes[0].run,
    )
