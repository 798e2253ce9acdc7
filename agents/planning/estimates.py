"""What a plan is expected to bring and to take, from what was measured where there is a history. Pure.

Every mean is drawn to what was declared, which counts as `DECLARED_RUNS` runs: a single lucky run proves little.
"""

import heapq
import math
from collections.abc import Mapping
from typing import NamedTuple

from agents.planning.history import History, Measured
from agents.planning.steps import ancestors
from domain.plans import Plan, Step, execution_order

DECLARED_RUNS = 3.0
QUALITY = 0.7
"""Declared quality of a plan that its planner did not rate, 0-1."""
SECONDS, SECONDS_BY_RULES, SECONDS_OF_TOOL = 15.0, 1.0, 0.5
"""Declared duration of a step by a model, of one by rules, and of one call of a tool."""
CALLS, TOKENS_PER_CALL = 2.0, 2000.0
"""Declared model calls of a step by a model (one that asks for tools, one that answers), and tokens of a call."""
EXPOSURE = {"public": 0.0, "internal": 0.02, "personal": 0.2, "secret": 0.5}
"""Declared chance that a step of this class shows data to somebody who should not see them."""
_WRITES = 2.0
"""A step that writes exposes its data so many times as much: they leave the house."""


class Terms(NamedTuple):
    """What estimates depend on beside the plan."""

    history: History = History()
    by_rules: bool = False
    """Whether the steps are done without a model."""
    slots: int = 3
    """Steps that may work at the same time."""
    finished: frozenset[str] = frozenset()
    """Steps that have been done and take nothing more."""


class Estimate(NamedTuple):
    """What a plan should bring and take."""

    quality: float
    """0-1."""
    seconds: float
    calls: float
    """Model calls of the steps."""
    tokens: float
    dollars: float | None
    """None where models are called and no run has had a known price yet."""
    privacy: float
    """Exposure of data, 0-1."""
    basis: str
    """What the numbers rest on, in words."""

    def figures(self) -> dict[str, float]:
        """Return the numbers as a plan's `estimates`."""
        numbers = {name: value for name, value in self._asdict().items() if isinstance(value, float)}
        return {name: round(value, 4) for name, value in numbers.items()}


def estimate(plan: Plan, terms: Terms) -> Estimate:
    """Return what a valid plan is expected to bring and to take from now on."""
    durations = {step.id: _seconds(step, terms) for step in plan.steps}
    calls = sum((_calls(step, terms) for step in plan.steps), 0.0)
    price = terms.history.dollars_per_call if calls else 0.0
    return Estimate(
        quality=_quality(plan, terms.history),
        seconds=makespan(plan, durations, terms.slots),
        calls=calls,
        tokens=calls * (terms.history.tokens_per_call or TOKENS_PER_CALL),
        dollars=None if price is None else calls * price,
        privacy=exposure(plan),
        basis=_basis(plan, terms.history),
    )


def makespan(plan: Plan, durations: Mapping[str, float], slots: int) -> float:
    """Return how long the steps take when each starts as soon as it can and `slots` work at a time (Graham, 1969)."""
    waits = {step.id: set(step.inputs()) & durations.keys() for step in plan.steps}
    ready = [step_id for level in execution_order(plan) for step_id in level]
    now, running, done = 0.0, list[tuple[float, str]](), set[str]()
    while ready or running:
        for step_id in [s for s in ready if waits[s] <= done][: slots - len(running)]:
            ready.remove(step_id)
            heapq.heappush(running, (now + durations[step_id], step_id))
        now, finished = heapq.heappop(running)
        done.add(finished)
    return now


def exposure(plan: Plan) -> float:
    """Return the chance that some step exposes data, 0-1; a step also holds the data of the steps it reads."""
    own = {step.id: EXPOSURE[step.privacy] for step in plan.steps}
    before = ancestors(plan.steps)
    safe = 1.0
    for step in plan.steps:
        risk = own[step.id]
        if step.effect == "write":
            risk = _WRITES * max([risk, *(own[other] for other in before[step.id] if other in own)])
        safe *= 1 - min(risk, 1.0)
    return 1 - safe


def _drawn(total: float, runs: float, declared: float) -> float:
    return (total + DECLARED_RUNS * declared) / (runs + DECLARED_RUNS)


def _quality(plan: Plan, history: History) -> float:
    """Return the quality of the plan's sequence, drawn to that of its agents, drawn to the planner's own word."""
    declared = plan.estimates.get("quality", QUALITY)
    seen = [history.agents[agent] for agent in set(plan.sequence) if agent in history.agents]
    rates = [_drawn(agent.quality, agent.runs, declared) for agent in seen]
    expected = math.prod(rates) ** (1 / len(rates)) if rates else declared
    sequence = history.sequences.get(tuple(plan.sequence), Measured())
    return _drawn(sequence.quality, sequence.runs, expected)


def _seconds(step: Step, terms: Terms) -> float:
    if step.joins or step.id in terms.finished:
        return 0.0
    if step.tool:
        return SECONDS_OF_TOOL
    seen = terms.history.agents.get(step.agent, Measured())
    return _drawn(seen.seconds, seen.runs, SECONDS_BY_RULES if terms.by_rules else SECONDS)


def _calls(step: Step, terms: Terms) -> float:
    if step.tool or step.joins or terms.by_rules or step.id in terms.finished:
        return 0.0
    seen = terms.history.agents.get(step.agent, Measured())
    return _drawn(seen.calls, seen.counted, CALLS)


def _basis(plan: Plan, history: History) -> str:
    if same := history.sequences.get(tuple(plan.sequence)):
        return f"{_counted(same.runs, 'run')} of this sequence"
    seen = {agent: history.agents[agent].runs for agent in dict.fromkeys(plan.sequence) if agent in history.agents}
    if seen:
        return "what " + ", ".join(f"{agent} did in {_counted(runs, 'run')}" for agent, runs in seen.items())
    return "the planner's own guess and declared defaults" if "quality" in plan.estimates else "declared defaults"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
