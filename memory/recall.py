"""The judgement of recall: from the nearest tasks to one plan, its confidence and the reasons. Pure.

The sequence is judged first. Where the memory has learnt to tell whole plans apart, the plan is judged as well, and
nothing is reused whose plan is not sure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.plans import Plan
from domain.routing import HINT_ABOVE, REUSE_ABOVE, Neighbour, Recall
from memory.confidence import (
    FAILED_ROUTE_FACTOR,
    LAST_FAILURE_FACTOR,
    PRIOR_RUNS,
    PRIOR_SUCCESS_RATE,
    Closeness,
    History,
    blended,
    evidence,
    exact_match,
    match_probability,
)
from memory.learnt import Judgement
from memory.offers import Candidate, Offer, nearest_offer, ranked_offers
from memory.plan_ranker import Ranking

_NAMED = 2
"""Neighbours that the explanation quotes."""
_SHOWN = 80
"""Characters of a quoted goal."""
_BE = {True: "be reused", False: "be a hint for the planner"}
_OLD_DAYS = 30.0
"""Age from which on the explanation tells how old the freshest outcome is."""


Lacks = Callable[[Plan, Sequence[str]], Sequence[str]]
"""Returns what the goal asks for and a plan, made for other goals, would not do, as names of tools."""


def _nothing_lacks(plan: Plan, goals: Sequence[str]) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Knowledge:
    """What is known beyond the nearest tasks."""

    encoder: str
    """Its shipped prior judges what nothing has been learnt about."""
    judgement: Judgement | None = None
    """By what the memory has learnt, if it has."""
    histories: Mapping[str, History] = field(default_factory=dict)
    """Of sequences, by route."""
    ranking: Ranking | None = None
    """Of whole plans, if the memory has learnt to rank them."""
    reuse_above: float = REUSE_ABOVE
    """Confidence above which a plan is reused."""
    lacks: Lacks = _nothing_lacks
    """What a plan that lacks nothing else would not do."""


class _Held(NamedTuple):
    """Why a plan that would be reused is but a hint; nothing where it is reused or would not be anyway."""

    stale: Sequence[str] = ()
    lacking: Sequence[str] = ()


class _Verdict(NamedTuple):
    sequence: str
    match: float
    evidence: float
    novel: bool = False
    route: "_Verdict | None" = None
    """Of the sequence alone, where this one is of a whole plan."""

    @property
    def confidence(self) -> float:
        """P(the reuse succeeds); a plan that is not sure stays a hint where the sequence is worth one."""
        whole = self.match * self.evidence
        whole = min(whole, HINT_ABOVE) if self.novel else whole
        return max(whole, min(self.route.confidence, HINT_ABOVE)) if self.route else whole


def judged(goal: str, candidates: Sequence[Candidate], known: Knowledge) -> Recall:
    """Return what the candidates say about `goal`."""
    neighbours = sorted((c.neighbour for c in candidates), key=lambda n: -n.similarity)
    groups = _offerable(candidates)
    if not groups:
        said = _nothing_to_offer(neighbours)
        return Recall(neighbours=neighbours, explanation=said, reuse_above=known.reuse_above)
    route = _best(groups, known)
    verdict, offer = _whole(goal, groups, known, route) or (route, nearest_offer(goal, groups[route.sequence]))
    held = _held(offer, verdict, known)
    return Recall(
        confidence=known.reuse_above if any(held) else verdict.confidence,
        reuse_above=known.reuse_above,
        neighbours=neighbours,
        sequence=offer.sequence,
        plan=offer.plan,
        plan_probability=offer.ranked.probability if offer.ranked else None,
        explanation=_explanation(verdict, offer, groups, known, held),
    )


def _held(offer: Offer, verdict: _Verdict, known: Knowledge) -> _Held:
    if verdict.confidence <= known.reuse_above or offer.plan is None:
        return _Held()
    return _Held(offer.stale, known.lacks(offer.plan, [source.neighbour.goal for source in offer.sources]))


def _whole(
    goal: str, groups: Mapping[str, Sequence[Candidate]], known: Knowledge, route: _Verdict
) -> tuple[_Verdict, Offer] | None:
    """Return the best whole plan with its verdict; None where plans cannot be told apart, or the goal is not new."""
    ranking = known.ranking
    if ranking is None or not ranking.trust or exact_match([c.closeness for c in groups[route.sequence]]):
        return None
    offers = ranked_offers(goal, [c for group in groups.values() for c in group], ranking)
    verdicts = [(_plan_verdict(offer, groups, known, route), offer) for offer in offers]
    return max(verdicts, key=lambda v: _promise(v[0], v[1], known), default=None)


def _plan_verdict(
    offer: Offer, groups: Mapping[str, Sequence[Candidate]], known: Knowledge, route: _Verdict
) -> _Verdict:
    closeness = {name: [c.closeness for c in group] for name, group in groups.items()}
    match = _match(offer.route, closeness, known) if offer.route in groups else route.match
    if known.ranking and offer.ranked:
        match = blended(match, offer.ranked.probability, known.ranking.trust)
        match = min(match, _room(offer, known))
    origins = {c.route for c in offer.sources}
    proof = min(evidence([c.outcomes for c in groups[name]], known.histories.get(name)) for name in origins)
    novel = route.novel or (known.ranking is not None and known.ranking.novel)
    return _Verdict(offer.route, match, proof, novel=novel, route=route)


def _promise(verdict: _Verdict, offer: Offer, known: Knowledge) -> float:
    """Return what a plan may be hoped to bring: its agreement with the right one, as far as it succeeds."""
    return (offer.ranked.expected if offer.ranked else 0.0) * verdict.evidence * _room(offer, known)


def _room(offer: Offer, known: Knowledge) -> float:
    """Return what the judgement of the sequence leaves to the offered one."""
    learnt = known.judgement
    return 1.0 if learnt is None or offer.route == learnt.route else learnt.left


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
    """Return P(the sequence fits): as learnt, as far as something was; a new or rare sequence has but the prior.

    What was learnt makes no goal likelier that is unlike all it was learnt from.
    """
    prior = match_probability(known.encoder, closeness, name)
    learnt = known.judgement
    if learnt is None or exact_match(closeness[name]):
        return prior
    fits = blended(prior, learnt.about(name), learnt.trust(name))
    fits = min(fits, prior) if learnt.novel else fits
    return fits if name == learnt.route else min(fits, learnt.left)


def _novel(closeness: Mapping[str, Sequence[Closeness]], learnt: Judgement | None) -> bool:
    nearest = max(c.whole for group in closeness.values() for c in group)
    return learnt is not None and nearest < learnt.novel_below


def _nothing_to_offer(neighbours: Sequence[Neighbour]) -> str:
    if not neighbours:
        return "Nothing like this is remembered in this workspace."
    return f"None of the {len(neighbours)} remembered tasks nearby has succeeded, so none offers a route."


def _explanation(
    verdict: _Verdict, offer: Offer, groups: Mapping[str, Sequence[Candidate]], known: Knowledge, held: _Held
) -> str:
    origins = {c.route for c in offer.sources}
    group = [c for name in groups for c in groups[name] if name in origins]
    shown = offer.sources if offer.ranked else sorted(group, key=lambda c: -c.neighbour.similarity)
    named = ", ".join(_named(c.neighbour) for c in shown[:_NAMED])
    return (
        f"{_did(offer)} {named}. "
        f"{_lead(verdict, known, is_held=any(held))} {verdict.match:.3f} that {_kind(verdict)}"
        f"{_source(verdict, offer, known)} "
        f"times {verdict.evidence:.3f} that the sequence succeeds again ({_proof(verdict, group, known)}). "
        + _what_would_change(verdict, group[0].neighbour, known, held)
    )


def _lead(verdict: _Verdict, known: Knowledge, *, is_held: bool) -> str:
    """Begin the sum; where the confidence is not the product of its parts, say so."""
    product = verdict.match * verdict.evidence
    confidence = known.reuse_above if is_held else verdict.confidence
    if f"{product:.2f}" == f"{confidence:.2f}":
        return f"Confidence {confidence:.2f} is"
    held = "held down from" if product > confidence else "that of the sequence as a hint; the whole plan has"
    return f"Confidence {confidence:.2f} is {held} {product:.2f}, which is"


def _proof(verdict: _Verdict, group: Sequence[Candidate], known: Knowledge) -> str:
    """Say what the second number rests on."""
    succeeded, ran = sum(c.successes for c in group), sum(c.successes + c.failures for c in group)
    prior = f"with a prior of {PRIOR_SUCCESS_RATE:g} that counts {PRIOR_RUNS:g} runs"
    said = [f"{succeeded} of {ran} runs nearby did, {prior}"]
    factor = _demoted_by(verdict, group[0].neighbour, known)
    if factor < 1:
        what, other = ("sequence", ", for another goal") if group[0].neighbour.success else ("nearest task", "")
        said.append(f"times {factor:g} because the {what} failed the last time{other}")
    age = min(c.neighbour.age_days for c in group)
    if age >= _OLD_DAYS:
        said.append(f"the latest {age:.0f} days ago")
    if all(c.changes for c in group):
        said.append("none with the present versions of team, encoder and models")
    return "; ".join(said)


def _did(offer: Offer) -> str:
    if offer.ranked and offer.ranked.composed:
        return f"No remembered plan fits as it is: one by {offer.route} is put together from the plans for"
    return f"{offer.route} did"


def _kind(verdict: _Verdict) -> str:
    return "this whole plan is right" if verdict.route else "the task is of the same kind"


def _source(verdict: _Verdict, offer: Offer, known: Knowledge) -> str:
    """Say where the first number comes from."""
    if offer.ranked and known.ranking:
        said = f"{offer.ranked.probability:.2f}, learnt from {known.ranking.examples} plans here"
        return f" ({said})" if known.ranking.trust == 1 else f" ({said}, weighs {known.ranking.trust:.2f})"
    learnt = known.judgement
    trust = learnt.trust(verdict.sequence) if learnt else 0.0
    if learnt is None or not trust:
        return ""
    said = f"{learnt.about(verdict.sequence):.2f}, learnt from {learnt.examples} tasks here"
    return f" ({said})" if trust == 1 else f" ({said}, weighs {trust:.2f} against the shipped prior)"


def _named(neighbour: Neighbour) -> str:
    goal = neighbour.goal if len(neighbour.goal) <= _SHOWN else neighbour.goal[: _SHOWN - 1].rstrip() + "…"
    failed = "" if neighbour.success else ", failed the last time"
    return f"{goal!r} (similarity {neighbour.similarity:.2f}{failed})"


def _what_would_change(verdict: _Verdict, nearest: Neighbour, known: Knowledge, why: _Held) -> str:
    if why.lacking:
        names = ", ".join(why.lacking[:3])
        return f"Its plan does not do what the goal asks of {names}, so it is held at {known.reuse_above:g}: a hint."
    if why.stale:
        names = ", ".join(why.stale[:3])
        return f"Its plan is still for {names}, so it is held at {known.reuse_above:g}: a hint for the planner."
    if verdict.confidence > known.reuse_above:
        bound = known.reuse_above / verdict.evidence
        return f"With the first number below {bound:.3f}, or after a failed run, it would not be reused."
    if verdict.novel:
        return "No task is as near as nearly all here are to each other, so nothing is reused."
    if verdict.route and verdict.route.confidence > known.reuse_above:
        return (
            f"The sequence alone would be reused ({verdict.route.confidence:.2f}), but plans with it differ, and which "
            "of them is right is not sure: it is held back, a hint for the planner."
        )
    return _what_is_missing(verdict, nearest, known)


def _what_is_missing(verdict: _Verdict, nearest: Neighbour, known: Knowledge) -> str:
    """Say what would lift a confidence into a higher band."""
    factor = _demoted_by(verdict, nearest, known)
    recovered = verdict.evidence / factor
    reached = verdict.match * recovered
    if reached >= HINT_ABOVE > verdict.confidence or reached > known.reuse_above:
        return f"After another success it would {_BE[reached > known.reuse_above]}."
    hinted = verdict.confidence >= HINT_ABOVE
    bar = (known.reuse_above if hinted else HINT_ABOVE) / recovered
    after = "after another success and " if factor < 1 else ""
    if bar < 1:
        return f"It would {_BE[hinted]} {after}with the first number above {bar:.3f}: a nearer task is needed."
    return f"It would {_BE[hinted]} after more runs that succeed."


def _demoted_by(verdict: _Verdict, nearest: Neighbour, known: Knowledge) -> float:
    """Return what a failure the last time has taken from the evidence at once, as a factor."""
    if not nearest.success:
        return LAST_FAILURE_FACTOR
    history = known.histories.get(verdict.sequence)
    return FAILED_ROUTE_FACTOR if history and not history.last_success else 1.0
