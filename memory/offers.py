"""Offers: the plan that recall proposes, from one remembered task or put together from several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.plans import Plan
from domain.routing import Neighbour
from memory.composition import Part, composed
from memory.confidence import Closeness, Outcomes
from memory.plan_ranker import Proposal, Ranking
from memory.plan_shapes import shape_of
from memory.rewording import reworded, stale_arguments


@dataclass(frozen=True)
class Candidate:
    """A remembered task near the goal."""

    neighbour: Neighbour
    plan: Plan | None
    successes: int
    failures: int
    closeness: Closeness
    changes: int = 0
    """Versions that are others now than in its latest run."""
    imported: bool = False
    """Whether its plan came from another memory and was not run here."""

    @property
    def route(self) -> str:
        """The sequence in one word."""
        return " → ".join(self.neighbour.sequence)

    @property
    def outcomes(self) -> Outcomes:
        """What its runs say about the goal: the more, the nearer it is."""
        near = self.neighbour
        weight = min(1.0, max(0.0, self.closeness.similarity))
        return Outcomes(self.successes, self.failures, near.quality, near.success, near.age_days, weight, self.changes)


class Offer(NamedTuple):
    """A plan for the goal, as far as there is one, and whose it was."""

    sequence: list[str]
    plan: Plan | None
    stale: Sequence[str]
    """Names and numbers of the remembered goals that the plan still carries."""
    sources: Sequence[Candidate]
    """The tasks it is from, the main one first."""
    ranked: Proposal | None = None
    """What the memory says of the whole plan, where it has learnt to."""

    @property
    def route(self) -> str:
        """The sequence in one word."""
        return " → ".join(self.sequence)


def nearest_offer(goal: str, group: Sequence[Candidate]) -> Offer:
    """Return the plan of the nearest task of a sequence that succeeded; the group is in order, and one did."""
    nearest = next(candidate for candidate in group if candidate.successes)
    return _of_one(goal, nearest)


def ranked_offers(goal: str, candidates: Sequence[Candidate], ranking: Ranking) -> list[Offer]:
    """Return the plans of the ranking, best first, as far as the tasks behind them are still as they were."""
    succeeded = {c.neighbour.task: c for c in candidates if c.successes and c.plan and c.neighbour.sequence}
    offers = (_offer(goal, proposal, succeeded) for proposal in ranking.proposals)
    return [offer for offer in offers if offer]


def _offer(goal: str, proposal: Proposal, succeeded: Mapping[str, Candidate]) -> Offer | None:
    sources = [succeeded[task] for task in proposal.tasks if task in succeeded]
    if len(sources) < len(proposal.tasks):
        return None
    if proposal.composed:
        return _of_several(goal, proposal, sources)
    [source] = sources
    same = source.plan is not None and shape_of(source.plan) == proposal.shape
    return _of_one(goal, source)._replace(ranked=proposal) if same else None


def _of_one(goal: str, source: Candidate) -> Offer:
    near = source.neighbour
    plan = reworded(source.plan, near.goal, goal) if source.plan else None
    return Offer(near.sequence, plan, stale_arguments(plan, near.goal, goal) if plan else [], [source])


def _of_several(goal: str, proposal: Proposal, sources: Sequence[Candidate]) -> Offer | None:
    """Return a plan put together; what was never run here has no part in it."""
    parts = [Part(source.neighbour.goal, source.plan) for source in sources if source.plan and not source.imported]
    made = composed(proposal.shape, parts, goal) if len(parts) == len(sources) else None
    return Offer(made.plan.sequence, made.plan, made.stale, sources, proposal) if made else None
