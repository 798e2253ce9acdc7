"""Scorers of the way: route, plan, trajectory, questions, effects, critique."""

from collections import Counter
from collections.abc import Iterator, Sequence

from domain import events as ev
from evals.scoring.evidence import Evidence
from evals.scoring.expectations import (
    ExpectedPlan,
    ExpectedQuestions,
    ExpectedRoute,
    ExpectedTrajectory,
    Score,
    at_least,
    right,
)
from memory.plan_shapes import agreement, shape_of


def score_route(expected: ExpectedRoute, seen: Evidence) -> Iterator[Score]:
    """Score which way the goal went."""
    found = seen.decision
    if found is None:
        yield _failed("route", "the goal was never routed")
        return
    if expected.source:
        yield right("route.source", found.source in expected.source, f"{found.source}, not {_any(expected.source)}")
    if expected.sequence:
        wanted = list(expected.sequence)
        taken = found.sequence or (seen.plan.sequence if seen.plan else [])  # a planner decides it after the supervisor
        yield right("route.sequence", taken == wanted, f"{_row(taken)}, not {_row(wanted)}")
    if expected.band:
        yield right("route.band", found.band in expected.band, f"{found.band}, not {_any(expected.band)}")
    if expected.confidence:
        low, high = expected.confidence
        detail = f"{found.confidence:.2f} is not within {low:g} and {high:g}"
        yield right("route.confidence", low <= found.confidence <= high, detail)


def score_plan(expected: ExpectedPlan, seen: Evidence) -> Iterator[Score]:
    """Score the plan's steps and flow of data (F1), and that it ran without being found invalid."""
    if seen.plan is None:
        yield _failed("plan", "there was no plan")
        return
    found = agreement(shape_of(seen.plan), expected.shape)
    steps = _row([s.agent + (f":{s.tool}" if s.tool else "") for s in seen.plan.steps])
    yield at_least("plan.node_f1", found.nodes, expected.node_f1, f"its steps are {steps}")
    yield at_least("plan.edge_f1", found.edges, expected.edge_f1, f"its steps are {steps}")


def score_trajectory(expected: ExpectedTrajectory, seen: Evidence) -> Iterator[Score]:
    """Score who did what in which order."""
    for name, wanted, found in (
        ("agents", expected.agents, seen.agents), ("tools", expected.tools, seen.tools)
    ):  # fmt: skip
        if wanted:
            fits = found == list(wanted) if expected.exact else _in_order(wanted, found)
            yield right(f"trajectory.{name}", fits, f"{_row(found)}, where {_row(wanted)} was expected")
    for name, forbidden, found in (
        ("agents", expected.forbidden_agents, seen.agents), ("tools", expected.forbidden_tools, seen.tools)
    ):  # fmt: skip
        if forbidden:
            hit = sorted(set(forbidden) & set(found))
            yield right(f"trajectory.forbidden_{name}", not hit, f"{_row(hit)} must not be used")


def score_questions(expected: ExpectedQuestions, seen: Evidence) -> Iterator[Score]:
    """Score whether a person was asked where it matters, and left alone where it does not."""
    asked = {name for r in seen.requests for name in (r.checkpoint, r.name) if name}
    for name in expected.asked:
        yield right(f"questions.{name}", name in asked, f"nobody was asked; asked was {_row(sorted(asked))}")
    for name in expected.not_asked:
        yield right(f"questions.not_{name}", name not in asked, "a person was asked")
    if expected.at_most is not None:
        count = len(seen.requests)
        yield right("questions.at_most", count <= expected.at_most, f"{count} questions; {expected.at_most} are enough")


def score_effects(expected: dict[str, int], seen: Evidence) -> Iterator[Score]:
    """Score that each expected effect stands in the ledger once, none is unknown, and there is no other."""
    effects = [effect for step in seen.trace.steps for effect in step.effects]
    found = Counter(effect.tool for effect in effects if effect.state == "done")
    unknown = sorted({effect.tool for effect in effects if effect.state in ("unknown", "undo_unknown")})
    keys = Counter(effect.key for effect in effects)
    yield right("effects.count", dict(found) == expected, f"{dict(found)}, not {expected}")
    yield right("effects.known", not unknown, f"nobody knows whether {_row(unknown)} happened")
    yield right("effects.once", max(keys.values(), default=1) == 1, "an effect stands in the ledger twice")


def score_critique(seen: Evidence) -> Iterator[Score]:
    """Score that critique and revision never made the work worse: the final score is at least the first one."""
    scores = [event.critique.score for event in seen.of(ev.DraftCriticised)]
    if scores and seen.outcome and seen.outcome.quality is not None:
        yield at_least("critique.monotone", seen.outcome.quality, scores[0], "the final score is below the first")


def _in_order(wanted: Sequence[str], found: Sequence[str]) -> bool:
    rest = iter(found)
    return all(name in rest for name in wanted)


def _failed(name: str, detail: str) -> Score:
    return Score(name=name, value=0.0, passed=False, detail=detail)


def _row(names: Sequence[str]) -> str:
    return " > ".join(names) or "nothing"


def _any(names: Sequence[str]) -> str:
    return " or ".join(names)
