"""How another selection policy would have chosen, told by letting it live through the log in the order of time."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from agents.delegation.history import Outcome, OutcomeHistory
from agents.delegation.policy_names import PolicyName
from agents.delegation.teamwork import candidate, delegator_of
from agents.standing_in import interchangeable
from agents.team import Specialist, Team
from evals.logged_decisions import Chosen
from memory.encoders import Encoder
from memory.sqlite import SqliteRecords

_WORKSPACE = "replayed"


async def chances_under(
    policy: PolicyName, chosen: Sequence[Chosen], outcomes: Sequence[Outcome], *, team: Team, encoder: Encoder
) -> list[dict[str, float]]:
    """Return how probable each agent was to be chosen by a policy, for every choice.

    The policy sees what the log had seen by then: outcomes of the choices that were made, not of its own.

    Args:
        policy: The one that is asked about.
        chosen: Choices of agents, in the order of time.
        outcomes: What selection had observed in the workspace, in the order of time.
        team: Whose agents they are.
        encoder: Turns goals into vectors.
    """
    with tempfile.TemporaryDirectory(prefix="understudy-policy-") as folder:
        records = await SqliteRecords.open(Path(folder) / "records.sqlite")
        try:
            history = OutcomeHistory(records, _WORKSPACE, team.name)
            delegator, coming = delegator_of(team, records, encoder, policy=policy, seed=0), iter(outcomes)
            upcoming, found = next(coming, None), []
            for choice in chosen:
                known = []
                while upcoming is not None and upcoming.at < choice.at:
                    known.append(upcoming)
                    upcoming = next(coming, None)
                if known:
                    await history.append(*known)
                selection = await delegator.select(
                    choice.kind,
                    _WORKSPACE,
                    candidates=[candidate(specialist) for specialist in _candidates(team, choice)],
                    fallback=_fallback(team, choice),
                    goal=choice.goal,
                )
                found.append(dict(selection.chances))
            return found
        finally:
            await records.close()


def known_choices(team: Team, chosen: Sequence[Chosen]) -> Iterator[Chosen]:
    """Yield the choices of agents that the team still has."""
    names = {specialist.name for specialist in team.specialists}
    for choice in chosen:
        if choice.kind and choice.chances.keys() <= names and choice.planned in names:
            yield choice


def _candidates(team: Team, choice: Chosen) -> list[Specialist]:
    return [specialist for specialist in team.specialists if specialist.name in choice.chances]


def _fallback(team: Team, choice: Chosen) -> str:
    """Return whom the team gives the step to where nothing was seen."""
    line = [choice.planned, *(specialist.name for specialist in interchangeable(team, choice.planned))]
    return next((name for name in line if name in choice.chances), choice.what)


def always(name: str, chosen: Sequence[Chosen]) -> list[Mapping[str, float]]:
    """Return the odds of a policy that always takes one variant."""
    return [{name: 1.0} for _ in chosen]
