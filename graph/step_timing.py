"""When the steps of a run could begin, did begin and ended, and how much time each had to spare.

Slack is that of the critical path method (Kelley and Walker, 1959), on the times that were measured.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from graph.trace import Trace, TracedStep

EPSILON = 1e-6
"""Seconds below which two times are the same."""
STEPS_NODE = "specialists"
"""The node of the graph that steps are done in."""


class StepTiming(BaseModel):
    """When a step could begin, did begin and ended."""

    model_config = ConfigDict(extra="forbid")

    index: int
    """In `Trace.steps`."""
    step: str
    agent: str
    ready: float
    """When its inputs were there and its pass through the plan had begun."""
    started: float
    ended: float
    slack: float
    """Seconds by which it could have ended later without moving the last step of its pass, as its successors took what
    they took; those that waited for a slot could have waited less, so it is a lower bound."""
    waited: float = 0.0
    """Seconds for which it was ready and waited for a slot, since others were at work."""
    critical: bool = False


class Stretch(NamedTuple):
    """What one node of the graph did without another coming between; begins where the one before it ends."""

    node: str
    started: float
    ended: float


def stretches(trace: Trace) -> list[Stretch]:
    """Return the stretches of a run, which follow each other without gaps."""
    found: list[Stretch] = []
    before = trace.started
    for node in trace.nodes:
        if found and not found[-1].node:  # the run had told that it stops; until now it stood still
            found.append(Stretch("", before, node.started))
            before = node.started
        found.append(Stretch(node.name, before, node.ended))
        before = node.ended
    return [stretch for stretch in found if stretch.ended > stretch.started]


class Try(NamedTuple):
    """One attempt at a step, with the pause after it."""

    agent: str
    started: float
    ended: float


def tries(step: TracedStep, started: float, ended: float) -> list[Try]:
    """Return who tried a step that began and ended at these times, one after the other."""
    begun = [(attempt.agent, attempt.started) for attempt in step.attempts] or [(step.agent, started)]
    ends = [*(start for _, start in begun[1:]), ended]
    return [Try(agent, start, end) for (agent, start), end in zip(begun, ends, strict=True)]


class Timed(NamedTuple):
    """A step that began and ended."""

    place: int
    """In `Trace.steps`."""
    traced: TracedStep
    began: float
    """Of the pass in which it began."""
    pass_ended: float
    """Of the last step that ended in the same pass."""
    started: float
    ended: float


class Steps:
    """The steps that began and ended, and what they waited for."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        passes = [stretch for stretch in stretches(trace) if stretch.node == STEPS_NODE]
        self.timed = [
            Timed(place, step, *_pass_of(step.started, step.ended, passes), step.started, step.ended)
            for place, step in enumerate(trace.steps)
            if step.started is not None and step.ended is not None
        ]

    def ready(self, step: Timed) -> float:
        """Return when the last of a step's inputs was there."""
        return min(step.started, max([step.began, *(before.ended for before in self._inputs(step))]))

    def waited(self, step: Timed) -> float:
        """Return for how long a step waited for a slot: others were at work for most of the time that it was ready."""
        wait = Stretch("", self.ready(step), step.started)
        busy = max((_overlap(wait, other) for other in self.timed if other.place != step.place), default=0.0)
        return wait.ended - wait.started if busy > (wait.ended - wait.started) / 2 else 0.0

    def latest(self, before: float, after: float) -> Timed | None:
        """Return the step that ended last in a span of time."""
        there = [step for step in self.timed if after + EPSILON < step.ended <= before + EPSILON]
        return max(there, key=lambda step: (step.ended, step.started), default=None)

    def timings(self) -> list[StepTiming]:
        """Return each step's times, with its slack."""
        latest_end: dict[int, float] = {}
        for step in sorted(self.timed, key=lambda step: step.ended, reverse=True):
            last = max(other.ended for other in self.timed if other.pass_ended == step.pass_ended)
            mine = latest_end.setdefault(step.place, last)
            start = mine - (step.ended - self.ready(step))
            for before in self._inputs(step):
                if before.pass_ended == step.pass_ended:
                    known = latest_end.get(before.place, before.pass_ended)
                    latest_end[before.place] = min(known, max(start, before.ended))
        return [
            StepTiming(
                index=step.place, step=step.traced.id, agent=step.traced.agent, ready=self.ready(step),
                started=step.started, ended=step.ended, waited=self.waited(step),
                slack=max(0.0, latest_end[step.place] - step.ended),
            )
            for step in self.timed
        ]  # fmt: skip

    def _inputs(self, step: Timed) -> list[Timed]:
        """Return the steps whose results it read."""
        needs = step.traced.needs or self._needs_of_whole(step.traced.id)
        ended = [other for other in self.timed if other.ended <= step.started + EPSILON]
        return [found for need in needs for found in self._giving(need, ended)]

    def _giving(self, need: str, ended: Sequence[Timed]) -> list[Timed]:
        """Return who gave a result: a step, the instances of one, or those that a nested plan's join names."""
        if itself := [step for step in ended if step.traced.id == need]:
            return itself[-1:]
        if instances := [step for step in ended if step.traced.id.startswith(f"{need}.")]:
            return instances
        joined = next((s for plan in self._trace.plans[-1:] for s in plan.steps if s.id == need and s.joins), None)
        return [found for inner in joined.needs for found in self._giving(inner, ended)] if joined else []

    def _needs_of_whole(self, key: str) -> list[str]:
        """Return what the step needs that this one is an instance of, if it is one."""
        whole = key.rpartition(".")[0]
        planned = next((s for plan in self._trace.plans[-1:] for s in plan.steps if s.id == whole), None)
        return sorted(planned.inputs()) if planned else []


def _pass_of(started: float | None, ended: float | None, passes: Sequence[Stretch]) -> tuple[float, float]:
    """Return when the pass began in which a step began, and when the one ended in which it ended."""
    began = next((p.started for p in passes if p.started - EPSILON <= (started or 0) <= p.ended + EPSILON), started)
    over = next((p.ended for p in passes if p.started - EPSILON <= (ended or 0) <= p.ended + EPSILON), ended)
    return began or 0.0, over or 0.0


def _overlap(wait: Stretch, other: Timed) -> float:
    return max(0.0, min(wait.ended, other.ended) - max(wait.started, other.started))
