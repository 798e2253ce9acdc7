"""The judgement of recall: from the nearest tasks to one sequence, its confidence and the reasons. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.plans import Plan
from domain.routing import HINT_ABOVE, REUSE_ABOVE, Neighbour, Recall
from memory.confidence import Closeness, Outcomes, evidence, match_probability
from memory.rewording import reworded, stale_arguments

_NAMED = 2
"""Neighbours that the explanation quotes."""


@dataclass(frozen=True)
class Candidate:
    """A remembered task near the goal."""

    neighbour: Neighbour
    plan: Plan | None
    successes: int
    failures: int
    closeness: Closeness

    @property
    def outcomes(self) -> Outcomes:
        """What its runs say about the goal: the more, the nearer it is."""
        near = self.neighbour
        weight = min(1.0, max(0.0, self.closeness.similarity))
        return Outcomes(self.successes, self.failures, near.quality, near.success, near.age_days, weight)


class _Verdict(NamedTuple):
    sequence: str
    match: float
    evidence: float

    @property
    def confidence(self) -> float:
        return self.match * self.evidence


def judged(goal: str, candidates: Sequence[Candidate], *, encoder: str) -> Recall:
    """Return what the candidates say about `goal`; `encoder` chooses the prior."""
    neighbours = [c.neighbour for c in candidates]
    groups = _offerable(candidates)
    if not groups:
        return Recall(neighbours=neighbours, explanation=_nothing_to_offer(neighbours))
    verdict = _best(groups, encoder)
    group = groups[verdict.sequence]
    nearest = next(c for c in group if c.successes)
    plan = reworded(nearest.plan, nearest.neighbour.goal, goal) if nearest.plan else None
    stale = stale_arguments(plan, nearest.neighbour.goal, goal) if plan else []
    held = stale and verdict.confidence > REUSE_ABOVE
    return Recall(
        confidence=REUSE_ABOVE if held else verdict.confidence,
        neighbours=neighbours,
        sequence=nearest.neighbour.sequence,
        plan=plan,
        explanation=_explanation(verdict, group, stale if held else []),
    )


def _offerable(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Group by sequence, nearest first; a sequence that never succeeded is no route."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: -c.closeness.rank):
        groups.setdefault(" → ".join(candidate.neighbour.sequence), []).append(candidate)
    return {name: group for name, group in groups.items() if name and any(c.successes for c in group)}


def _best(groups: Mapping[str, Sequence[Candidate]], encoder: str) -> _Verdict:
    closeness = {name: [c.closeness for c in group] for name, group in groups.items()}
    return max(
        (
            _Verdict(name, match_probability(encoder, closeness, name), evidence([c.outcomes for c in group]))
            for name, group in groups.items()
        ),
        key=lambda verdict: verdict.confidence,
    )


def _nothing_to_offer(neighbours: Sequence[Neighbour]) -> str:
    if not neighbours:
        return "Nothing like this is remembered in this workspace."
    return f"None of the {len(neighbours)} remembered tasks nearby has succeeded, so none offers a route."


def _explanation(verdict: _Verdict, group: Sequence[Candidate], stale: Sequence[str]) -> str:
    named = ", ".join(_named(c.neighbour) for c in group[:_NAMED])
    succeeded, ran = sum(c.successes for c in group), sum(c.successes + c.failures for c in group)
    return (
        f"{verdict.sequence} did {named}. "
        f"Confidence {verdict.confidence:.2f} is {verdict.match:.2f} that the task is of the same kind times "
        f"{verdict.evidence:.2f} that the sequence succeeds again ({succeeded} of {ran} runs did). "
        + _what_would_change(verdict, group[0].neighbour, stale)
    )


def _named(neighbour: Neighbour) -> str:
    return f"{neighbour.goal[:80]!r} (similarity {neighbour.similarity:.2f})"


def _what_would_change(verdict: _Verdict, nearest: Neighbour, stale: Sequence[str]) -> str:
    if stale:
        return f"Its plan still names {', '.join(stale[:3])}, so it is held at {REUSE_ABOVE:g}: a hint for the planner."
    if verdict.confidence > REUSE_ABOVE:
        bound = REUSE_ABOVE / verdict.evidence
        return f"With the first number below {bound:.2f}, or after a failed run, it would not be reused."
    aim = "reused" if verdict.confidence >= HINT_ABOVE else "hinted to the planner"
    if not nearest.success:
        return f"The nearest task failed the last time; another success would let it be {aim}."
    return f"A nearer remembered task or more successes would let it be {aim}."
