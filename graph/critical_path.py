"""The critical path of a run that has happened: what its wall time went to, one thing after the other.

Read backwards from the end: what ended last before a moment is what that moment waited for (Yang and Miller, "Critical
path analysis for the execution of parallel and distributed programs", ICDCS 1988). The segments follow each other
without gaps, so that their lengths add up to the wall time of the run.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from graph.step_timing import EPSILON, STEPS_NODE, Steps, StepTiming, Stretch, Timed, stretches, tries
from graph.trace import Trace

SegmentKind = Literal["agent", "role", "slot", "person", "node"]
"""What a stretch of time went to: a specialist at its step; a role's model outside the steps; waiting for leave to
work, because `max_parallel_steps` others do; waiting for a person; everything else in a node of the graph."""


class Segment(BaseModel):
    """A stretch of the run that the end had to wait for."""

    model_config = ConfigDict(extra="forbid")

    kind: SegmentKind
    name: str
    """The specialist, role or node; of a wait, the specialist that waited or the question. The node `run` is time in
    which the run was stopped."""
    step: str = ""
    """The step, where it belongs to one."""
    started: float
    ended: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.ended - self.started


class CriticalPath(BaseModel):
    """What a run's wall time went to, and the timing of its steps."""

    model_config = ConfigDict(extra="forbid")

    segments: list[Segment]
    """In the order of time; their lengths add up to the run's."""
    steps: list[StepTiming]
    """Those that began and ended, in the order of the trace."""


def critical_path(trace: Trace) -> CriticalPath:
    """Return the critical path of a run, as far as it has come."""
    steps = Steps(trace)
    segments = list(_Walk(trace, steps).backwards())[::-1]
    on_path = {(segment.step, segment.ended) for segment in segments if segment.kind == "agent"}
    timings = steps.timings()
    for timing in timings:
        timing.critical = any(
            step == timing.step and timing.started - EPSILON <= ended <= timing.ended + EPSILON
            for step, ended in on_path
        )
    return CriticalPath(segments=segments, steps=timings)


class _Walk:
    """Goes back in time from the end of a run."""

    def __init__(self, trace: Trace, steps: Steps) -> None:
        self._trace, self._steps = trace, steps

    def backwards(self) -> Iterator[Segment]:
        """Yield the segments, the last one first."""
        at = self._trace.ended or self._trace.last
        parts = stretches(self._trace)
        while at > self._trace.started + EPSILON:
            here = next((s for s in parts if s.started + EPSILON < at <= s.ended + EPSILON), None)
            if here is None:  # told after the end, of an undoing
                here = Stretch("", max((s.ended for s in parts if s.ended < at), default=self._trace.started), at)
            step = self._steps.latest(at, here.started) if here.node == STEPS_NODE else None
            if step is None:
                yield from self._in_node(here.node, here.started, at)
                at = here.started
            else:
                yield from self._in_node(here.node, step.ended, at)
                yield from self._of_step(step)
                at = self._steps.ready(step)

    def _of_step(self, step: Timed) -> Iterator[Segment]:
        """Yield the work on a step, what it waited for within, and its wait for a slot before."""
        agent, key = step.traced.agent, step.traced.id
        waits = [
            Segment(kind="person", name=d.request, step=key, started=d.asked, ended=d.decided)
            for d in step.traced.decisions
            if d.asked is not None and d.decided is not None
        ]
        for each in reversed(tries(step.traced, step.started, step.ended)):
            work = Segment(kind="agent", name=each.agent, step=key, started=each.started, ended=each.ended)
            yield from reversed(list(_filled(work, waits)))
        ready = self._steps.ready(step)
        if self._steps.waited(step) > EPSILON:
            yield Segment(kind="slot", name=agent, step=key, started=ready, ended=step.started)
        else:
            yield from self._in_node(STEPS_NODE, ready, step.started)

    def _in_node(self, node: str, started: float, ended: float) -> Iterator[Segment]:
        """Yield what a node did in a span of time: calls of models, waiting for a person, and the rest."""
        if ended - started <= EPSILON:
            return
        waits = [
            Segment(kind="person", name=d.request, started=d.asked, ended=d.decided)
            for d in self._trace.decisions
            if d.asked is not None and d.decided is not None
        ]
        calls = [
            Segment(kind="role", name=call.role, started=call.ended - call.seconds, ended=call.ended)
            for call in self._trace.calls
            if call.step is None and call.node == node
        ]
        whole = Segment(kind="node", name=node or "run", started=started, ended=ended)
        yield from reversed(list(_filled(whole, [*waits, *calls])))


def _filled(whole: Segment, parts: Iterable[Segment]) -> Iterator[Segment]:
    """Yield the parts that lie in a stretch of time, cut to it, with the stretch itself in between."""
    at = whole.started
    for part in sorted(parts, key=lambda part: part.started):
        start, end = max(at, part.started), min(part.ended, whole.ended)
        if end - start <= EPSILON:
            continue
        if start - at > EPSILON:
            yield whole.model_copy(update={"started": at, "ended": start})
        yield part.model_copy(update={"started": start, "ended": end})
        at = end
    if whole.ended - at > EPSILON:
        yield whole.model_copy(update={"started": at})
