"""Selection for a team, as its file declares it."""

from agents.delegation.arms import Candidate, Objective
from agents.delegation.delegator import Delegator
from agents.delegation.policy_names import PolicyName
from agents.standing_in import interchangeable
from agents.team import Specialist, Team
from domain.outcomes import Usage
from memory.encoders import Encoder
from memory.records import Records


def delegator_of(
    team: Team, records: Records, encoder: Encoder, *, policy: PolicyName | None = None, seed: int | None = None
) -> Delegator:
    """Return the team's delegator, with another policy than the team's where one is given."""
    rules = team.selection
    return Delegator(
        records,
        encoder,
        team=team.name,
        policy=policy or rules.policy,
        objective=Objective(price=rules.price, latency_price=rules.latency_price, budget=rules.budget),
        routes=rules.routes,
        seed=seed,
    )


def candidate(specialist: Specialist) -> Candidate:
    """Return a specialist as one of those to choose from."""
    expected = specialist.expected
    return Candidate(specialist.name, expected.quality, cost=expected.dollars, seconds=expected.seconds)


def candidates_for(team: Team, task_type: str, fallback: str) -> list[Candidate]:
    """Return who could do a task: the fallback, its alternatives, and who declares the type as a capability.

    Raises:
        UnknownAgent: The team has no specialist of the fallback's name.
    """
    own = interchangeable(team, fallback)
    able = [s for s in team.specialists if s not in own and set(task_type.split("/")) & set(s.capabilities)]
    return [candidate(specialist) for specialist in [*own, *able]]


def dollars(specialist: Specialist, usage: Usage) -> float:
    """Return what a step cost: as measured, or as expected where its models' prices are unknown."""
    return specialist.expected.dollars if usage.dollars is None else usage.dollars
