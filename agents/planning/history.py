"""What a workspace has measured about its agents and sequences: quality, seconds and model calls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agents.delegation.history import Outcome, OutcomeHistory
from domain.outcomes import Usage
from memory.episodes import Episode
from memory.records import Records

_WORKSPACES = 64
"""Workspaces whose outcomes are kept in memory."""


@dataclass(frozen=True)
class Measured:
    """Sums over what was seen of one agent or one sequence."""

    runs: int = 0
    quality: float = 0.0
    """Sum of 0 for what failed and the critic's score (1 without one) for what succeeded."""
    seconds: float = 0.0
    calls: float = 0.0
    """Model calls, counted over `counted` of the runs."""
    counted: int = 0

    def __add__(self, other: "Measured") -> "Measured":
        return Measured(
            self.runs + other.runs,
            self.quality + other.quality,
            self.seconds + other.seconds,
            self.calls + other.calls,
            self.counted + other.counted,
        )


@dataclass(frozen=True)
class History:
    """What was measured of a team in one workspace."""

    agents: Mapping[str, Measured] = field(default_factory=dict)
    sequences: Mapping[tuple[str, ...], Measured] = field(default_factory=dict)
    tokens_per_call: float | None = None
    dollars_per_call: float | None = None
    """None where no run had a known price."""


def history_of(episodes: Iterable[Episode], tallied: Mapping[str, Measured], *, team: str, by_rules: bool) -> History:
    """Return what was measured of a team, in runs with a model or, `by_rules`, in runs without one.

    An episode tells what its whole run took; each agent of its sequence is counted with an equal share.

    Args:
        episodes: The workspace's latest runs.
        tallied: What was seen of single tasks of the agents.
        team: Whose runs.
        by_rules: Whether the plans to be estimated are carried out without a model.
    """
    runs = [e for e in episodes if e.team == team and e.degraded is by_rules and e.sequence and e.telling]
    agents, sequences = dict(tallied), dict[tuple[str, ...], Measured]()
    for episode in runs:
        whole = _whole(episode)
        sequence = tuple(episode.sequence)
        sequences[sequence] = sequences.get(sequence, Measured()) + whole
        share = 1 / len(sequence)
        each = Measured(1, whole.quality, whole.seconds * share, whole.calls * share, 1)
        for agent in set(sequence):
            agents[agent] = agents.get(agent, Measured()) + each
    called = [episode.usage for episode in runs if episode.usage.calls]
    priced = [usage for usage in called if usage.dollars is not None]
    return History(
        agents=agents,
        sequences=sequences,
        tokens_per_call=_per_call([usage.tokens for usage in called], called),
        dollars_per_call=_per_call([usage.dollars or 0.0 for usage in priced], priced),
    )


def _per_call(amounts: Sequence[float], used: Sequence[Usage]) -> float | None:
    return sum(amounts) / sum(usage.calls for usage in used) if used else None


def _whole(episode: Episode) -> Measured:
    quality = 1.0 if episode.quality is None else episode.quality
    return Measured(1, quality if episode.success else 0.0, episode.seconds, float(episode.usage.calls), 1)


@dataclass
class _Tally:
    history: OutcomeHistory
    agents: dict[str, Measured] = field(default_factory=dict)


class TaskOutcomes:
    """The outcomes of single tasks that delegation keeps, summed up by agent; reads only what is new."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._tallies: dict[tuple[str, str], _Tally] = {}

    async def tallied(self, workspace: str, team: str) -> Mapping[str, Measured]:
        """Return what was seen of each of a team's agents; what a task cost is in a unit of its own, so not calls.

        Raises:
            StorageAway: The records cannot be read now.
        """
        # Taken out and put back, so that the one not asked about for longest stands first.
        key = (workspace, team)
        tally = self._tallies.pop(key, None) or _Tally(OutcomeHistory(self._records, workspace, team))
        self._tallies[key] = tally
        if len(self._tallies) > _WORKSPACES:
            del self._tallies[next(iter(self._tallies))]
        _add(tally.agents, await tally.history.news())
        return tally.agents


def _add(agents: dict[str, Measured], news: Sequence[Outcome]) -> None:
    for outcome in news:
        seen = Measured(1, outcome.outcome, outcome.seconds)
        agents[outcome.agent] = agents.get(outcome.agent, Measured()) + seen
