"""How each agent did at each kind of task."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from agents.delegation.history import Outcome


class Standing(NamedTuple):
    """One agent at one kind of task; means are over all of its tasks."""

    kind: str
    agent: str
    tasks: int
    successes: int
    """Tasks with an outcome of at least one half, as everywhere in selection."""
    quality: float
    """Mean outcome, 0..1; a failed task counts as 0."""
    seconds: float
    cost: float
    """In dollars."""


def standings(outcomes: Iterable[Outcome]) -> list[Standing]:
    """Return the standings, the most frequent kind and agent first."""
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.kind, outcome.agent].append(outcome)
    found = [_standing(kind, agent, seen) for (kind, agent), seen in groups.items()]
    return sorted(found, key=lambda standing: (-standing.tasks, standing.kind, standing.agent))


def _standing(kind: str, agent: str, seen: list[Outcome]) -> Standing:
    return Standing(
        kind=kind,
        agent=agent,
        tasks=len(seen),
        successes=sum(outcome.outcome >= 0.5 for outcome in seen),
        quality=fmean(outcome.outcome for outcome in seen),
        seconds=fmean(outcome.seconds for outcome in seen),
        cost=fmean(outcome.cost for outcome in seen),
    )
