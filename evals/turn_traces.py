"""The trace of one played turn in few lines, without times: the same turn gives the same lines.

Two versions of a task are told apart by the first line that differs, and a page shows the lines as they are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import zip_longest
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain import events as ev
from domain.routing import RouteDecision
from evals.recording.task import Turn
from evals.scoring.evidence import Evidence
from graph.trace import TracedStep, TracedTool

_ANSWER = 4000
"""Characters of an answer that are kept."""
_VALUE = 160
"""Characters of a tool call's argument or of a failure."""


class _Traced(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StepTrace(_Traced):
    """What was done for a step of the plan."""

    step: str
    agent: str
    task: str = ""
    status: str = ""
    """Empty where it has no result."""
    lines: list[str] = Field(default_factory=list)
    """Attempts, tool calls, effects and failures, in their order."""


class TurnTrace(_Traced):
    """What happened in a turn."""

    turn: int
    """From 1."""
    said: str
    """What the person did."""
    run: list[str] = Field(default_factory=list)
    """The way of the run: memory, route, plan, critique and so on, in their order."""
    steps: list[StepTrace] = Field(default_factory=list)
    questions: list[str] = Field(default_factory=list)
    """What a person was asked, each with its answer."""
    status: str = ""
    """How it ended; empty where it waits."""
    answer: str = ""
    calls: int = 0
    """Model calls."""
    tokens: int = 0

    def lines(self) -> Iterator[str]:
        """Yield everything as lines, from what was said to the answer."""
        yield f"said: {self.said}"
        yield from self.run
        for step in self.steps:
            yield f"step {step.step} by {step.agent}: {step.task}"
            yield from (f"step {step.step}: {line}" for line in step.lines)
            yield f"step {step.step} ended {step.status or 'without a result'}"
        yield from (f"asked: {question}" for question in self.questions)
        yield f"ended: {self.status or 'waits'}"
        yield from (f"answer: {line}" for line in self.answer.splitlines())


class Divergence(_Traced):
    """Where two plays of a task part."""

    turn: int
    before: str
    """The line of the first play; empty where it has none there."""
    after: str


def turn_trace(turn: int, did: Turn, seen: Evidence) -> TurnTrace:
    """Return the trace of a turn.

    Args:
        turn: Its number, from 1.
        did: What the person did.
        seen: What it left behind.
    """
    order = {step.id: place for place, step in enumerate(seen.plan.steps if seen.plan else ())}
    steps = sorted(seen.trace.steps, key=lambda step: (step.plan, order.get(step.id, len(order))))
    outcome, calls = seen.outcome, seen.of(ev.ModelCalled)
    found = TurnTrace(
        turn=turn,
        said=_said(did),
        run=[line for stamped in seen.events for line in _of_run(stamped.event)] + sorted(_aside(seen)),
        steps=[_step(step) for step in steps],
        questions=_questions(seen),
        status=outcome.status if outcome else "",
        answer=outcome.answer[:_ANSWER] if outcome else "",
        calls=len(calls),
        tokens=sum(call.input_tokens + call.output_tokens for call in calls),
    )
    places = {str(place): name for place, name in ((seen.out, "out"), (seen.data, "data")) if place}
    return TurnTrace.model_validate(_placeless(found.model_dump(), places))


def first_divergence(before: Sequence[TurnTrace], after: Sequence[TurnTrace]) -> Divergence | None:
    """Return the first line in which two plays of one task differ; None where they are the same line by line."""
    for one, other in zip_longest(before, after):
        here = one or other
        turn = here.turn if here else 0
        for line, instead in zip_longest(one.lines() if one else (), other.lines() if other else ()):
            if line != instead:
                return Divergence(turn=turn, before=line or "", after=instead or "")
    return None


def route_line(decision: RouteDecision) -> str:
    """Return a route in one line."""
    way = f" {' > '.join(decision.sequence)}" if decision.sequence else ""
    return f"{decision.source}{way} ({decision.band}, confidence {decision.confidence:.2f})"


def _placeless(value: Any, places: Mapping[str, str]) -> Any:
    """Return a value without the folders of this machine in its texts."""
    match value:
        case str():
            return reduce(lambda text, place: text.replace(place, places[place]), places, value)
        case list():
            return [_placeless(part, places) for part in value]
        case dict():
            return {key: _placeless(part, places) for key, part in value.items()}
        case _:
            return value


def _said(did: Turn) -> str:
    if did.say is not None:
        return did.say
    if did.wait is not None:
        return f"(lets {did.wait:g} s pass)"
    return "; ".join(_decided(decision) for decision in did.decide or ())


def _decided(decision: dict[str, object]) -> str:
    details = [f"{key} {_short(value)}" for key, value in decision.items() if key not in ("id", "type") and value]
    return " ".join([f"({decision.get('type', 'decides')}", *details]) + ")"


def _of_run(event: ev.Event) -> Iterator[str]:
    match event:
        case ev.RouteDecided():
            yield f"route: {route_line(event.decision)}"
        case ev.PlanProposed():
            yield "plan: " + ", ".join(f"{s.id} {s.agent}{f':{s.tool}' if s.tool else ''}" for s in event.plan.steps)
        case ev.PlanCriticised():
            yield f"plan critic: {'; '.join(problem.message for problem in event.problems) or 'accepted'}"
        case ev.TrialAssigned():
            yield f"trial {event.trial}: {event.variant}"
        case ev.RecoveryChosen() if event.step is None:
            yield f"recovery: {event.rung}, {event.why}"
        case ev.DraftCriticised():
            yield f"critic: {event.critique.score:.2f}{f', {event.stopped}' if event.stopped else ''}"
        case _:
            pass


def _aside(seen: Evidence) -> Iterator[str]:
    """Yield what steps that overlap tell of in any order."""
    yield from (f"degraded: {event.role}, {_short(event.reason)}" for event in seen.of(ev.RoleDegraded))
    yield from (f"checkpoint passed: {event.checkpoint}" for event in seen.of(ev.CheckpointPassed))


def _step(step: TracedStep) -> StepTrace:
    return StepTrace(
        step=step.id, agent=step.agent, task=step.task, status=step.status or "", lines=list(_of_step(step))
    )


def _of_step(step: TracedStep) -> Iterator[str]:
    for attempt in step.attempts:
        if attempt.number > 1:
            yield f"attempt {attempt.number} by {attempt.agent}"
        yield from map(_tool, attempt.tools)
    for effect in step.effects:
        yield f"effect {effect.tool}: {effect.state}"
    if step.failure:
        yield f"failure {step.failure.code}: {_short(step.failure.message)}"


def _tool(call: TracedTool) -> str:
    given = ", ".join(f"{name}={_short(value)}" for name, value in sorted(call.args.items()))
    failed = f" failed: {call.failure.code}" if call.failure else ""
    return f"{call.tool}({given}){failed}"


def _questions(seen: Evidence) -> list[str]:
    answers = {d.request: f"{d.type} {d.message}".strip() for d in seen.trace.decisions if d.decided is not None}
    return _unique(
        f"{r.checkpoint or r.name}: {_short(r.description)}{f' - {answers[r.id]}' if r.id in answers else ''}"
        for r in seen.requests
    )


def _unique(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"
