"""The judgement of recall: from the nearest tasks to one sequence, its confidence and the reasons. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.plans import Plan
from domain.routing import HINT_ABOVE, REUSE_ABOVE, Neighbour, Recall
from memory.confidence import Closeness, History, Outcomes, blended, evidence, exact_match, match_probability
from memory.learnt import Judgement
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
    changes: int = 0
    """Versions that are others now than in its latest run."""

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


@dataclass(frozen=True)
class Knowledge:
    """What is known beyond the nearest tasks."""

    encoder: str
    """Its shipped prior judges what nothing has been learnt about."""
    judgement: Judgement | None = None
    """By what the memory has learnt, if it has."""
    histories: Mapping[str, History] = field(default_factory=dict)
    """Of sequences, by route."""


class _Verdict(NamedTuple):
    sequence: str
    match: float
    evidence: float
    novel: bool = False

    @property
    def confidence(self) -> float:
        whole = self.match * self.evidence
        return min(whole, HINT_ABOVE) if self.novel else whole


def judged(goal: str, candidates: Sequence[Candidate], known: Knowledge) -> Recall:
    """Return what the candidates say about `goal`."""
    neighbours = sorted((c.neighbour for c in candidates), key=lambda n: -n.similarity)
    groups = _offerable(candidates)
    if not groups:
        return Recall(neighbours=neighbours, explanation=_nothing_to_offer(neighbours))
    verdict = _best(groups, known)
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
        explanation=_explanation(verdict, group, known, stale if held else []),
    )


def _offerable(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Group by sequence, nearest first; a sequence that never succeeded is no route."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: -c.closeness.rank):
        groups.setdefault(candidate.route, []).append(candidate)
    return {name: group for name, group in groups.items() if name and any(c.successes for c in group)}


def _best(groups: Mapping[str, Sequence[Candidate]], known: Knowledge) -> _Verdict:
    closeness = {name: [c.closeness for c in group] for name, group in groups.items()}
    return max((_verdict(name, group, closeness, known) for name, group in groups.items()), key=lambda v: v.confidence)


def _verdict(
    name: str, group: Sequence[Candidate], closeness: Mapping[str, Sequence[Closeness]], known: Knowledge
) -> _Verdict:
    match = _match(name, closeness, known)
    proof = evidence([c.outcomes for c in group], known.histories.get(name))
    return _Verdict(name, match, proof, novel=_novel(closeness, known.judgement))


def _match(name: str, closeness: Mapping[str, Sequence[Closeness]], known: Knowledge) -> float:
    """Return P(the sequence fits): as learnt, as far as something was; a new or rare sequence has but the prior."""
    prior = match_probability(known.encoder, closeness, name)
    learnt = known.judgement
    if learnt is None or exact_match(closeness[name]):
        return prior
    fits = blended(prior, learnt.about(name), learnt.trust(name))
    return fits if name == learnt.route else min(fits, learnt.left)


def _novel(closeness: Mapping[str, Sequence[Closeness]], learnt: Judgement | None) -> bool:
    nearest = max(c.whole for group in closeness.values() for c in group)
    return learnt is not None and nearest < learnt.novel_below


def _nothing_to_offer(neighbours: Sequence[Neighbour]) -> str:
    if not neighbours:
        return "Nothing like this is remembered in this workspace."
    return f"None of the {len(neighbours)} remembered tasks nearby has succeeded, so none offers a route."


def _explanation(verdict: _Verdict, group: Sequence[Candidate], known: Knowledge, stale: Sequence[str]) -> str:
    named = ", ".join(_named(c.neighbour) for c in group[:_NAMED])
    succeeded, ran = sum(c.successes for c in group), sum(c.successes + c.failures for c in group)
    return (
        f"{verdict.sequence} did {named}. "
        f"Confidence {verdict.confidence:.2f} is {verdict.match:.2f} that the task is of the same kind"
        f"{_source(verdict, known.judgement)} times {verdict.evidence:.2f} that the sequence succeeds again "
        f"({succeeded} of {ran} runs nearby did). " + _what_would_change(verdict, group[0].neighbour, known, stale)
    )


def _source(verdict: _Verdict, learnt: Judgement | None) -> str:
    """Say where the first number comes from."""
    trust = learnt.trust(verdict.sequence) if learnt else 0.0
    if learnt is None or not trust:
        return ""
    said = f"{learnt.about(verdict.sequence):.2f}, learnt from {learnt.examples} tasks here"
    return f" ({said})" if trust == 1 else f" ({said}, weighs {trust:.2f} against the shipped prior)"


def _named(neighbour: Neighbour) -> str:
    return f"{neighbour.goal[:80]!r} (similarity {neighbour.similarity:.2f})"


def _what_would_change(verdict: _Verdict, nearest: Neighbour, known: Knowledge, stale: Sequence[str]) -> str:
    if stale:
        return f"Its plan still names {', '.join(stale[:3])}, so it is held at {REUSE_ABOVE:g}: a hint for the planner."
    if verdict.confidence > REUSE_ABOVE:
        bound = REUSE_ABOVE / verdict.evidence
        return f"With the first number below {bound:.2f}, or after a failed run, it would not be reused."
    if verdict.novel and known.judgement:
        bound = known.judgement.novel_below
        return f"No task is as near as {bound:.2f}, as nearly all here are to each other, so nothing is reused."
    aim = "reused" if verdict.confidence >= HINT_ABOVE else "hinted to the planner"
    if not nearest.success:
        return f"The nearest task failed the last time; another success would let it be {aim}."
    history = known.histories.get(verdict.sequence)
    if history and not history.last_success:
        return f"The sequence failed the last time, for another goal; another success would let it be {aim}."
    return f"A nearer remembered task or more successes would let it be {aim}."
