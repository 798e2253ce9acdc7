"""The plan critic's findings that code can make: conflicts, redundant steps, missing consent, risk. Pure.

| code            | when                                                                                          |
| --------------- | --------------------------------------------------------------------------------------------- |
| conflict        | two steps write the same file, or act on the same part of the same thing in no order and one  |
|                 | of them writes: contradictory settings, or a reader that may come too early                   |
| redundant_step  | a step repeats another; no later step reads what it produces                                  |
| missing_consent | a step handles personal or secret data, or writes what comes from such a step, and names none |
| risk            | a write that cannot be undone takes its content from a step and no checkpoint shows it first  |

Steps that have been done are not judged again. Two steps whose conditions exclude each other never both run, so they
are in no conflict.
"""

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from agents.contracts import PlanReviewRequest
from agents.planning.repair import consent_for
from agents.planning.steps import Ancestors, ancestors
from agents.tools.registry import Tool
from domain.plans import RESULT, Condition, Plan, Problem, Step

_FILES = ("path", "file", "filename")
_TARGETS = (*_FILES, "name", "target", "destination", "id", "key", "device", "room", "url", "table", "entity_id")
"""Arguments that say what a tool acts on; where it has none of them, its idempotency key does."""
_PARTS = ("setting", "parameter", "property", "attribute", "option", "channel", "field", "column")
"""Arguments that say which part of it; so does an idempotency key that leaves arguments out, which are then values."""
_SENSITIVE = ("personal", "secret")


def findings(request: PlanReviewRequest) -> list[Problem]:
    """Return the problems of a valid plan that validation cannot see."""
    review = _Review(request.plan, request.tools.tools, frozenset(request.finished), ancestors(request.plan.steps))
    found = [*review.conflicts(), *review.repetitions(), *review.unread(), *review.without_consent()]
    if not _shows_writes(request):
        found += review.risks()
    return [problem for problem in found if problem.step not in request.finished]


def _shows_writes(request: PlanReviewRequest) -> bool:
    """Tell whether a person sees every write, or the whole plan, before it happens."""
    return any(
        c.enabled
        and c.action != "NOTIFY"
        and (c.condition == "ON_EFFECT" or (c.condition == "BEFORE_EXECUTION" and c.stage is None))
        for c in request.team.checkpoints
    )


_Place = frozenset[tuple[str, str]]


class _Target(NamedTuple):
    """What a step acts on, as far as it is known."""

    place: _Place
    parts: Mapping[str, str]

    def meets(self, other: "_Target") -> bool:
        """Tell whether two steps may act on the same part of the same thing."""
        return self.place == other.place and all(
            self.parts[name] == other.parts[name] for name in self.parts.keys() & other.parts.keys()
        )


@dataclass(frozen=True)
class _Review:
    plan: Plan
    tools: Mapping[str, Tool]
    finished: frozenset[str]
    before: Ancestors

    def conflicts(self) -> Iterator[Problem]:
        acting = [(step, target) for step in self.plan.steps if (target := self._target(step))]
        for (one, its), (other, others) in combinations(acting, 2):
            if its.meets(others) and not _exclude(one, other) and (message := self._clash(one, other, its.place)):
                yield Problem(code="conflict", step=other.id, message=message)

    def _clash(self, one: Step, other: Step, target: _Place) -> str:
        """Return what is wrong between two steps that act on the same thing, or an empty text."""
        what = ", ".join(repr(value) for _, value in sorted(target))
        both_write = one.effect == other.effect == "write"
        if both_write and one.tool == other.tool and any(name in _FILES for name, _ in target):
            return f"writes {what}, which {one.id!r} writes too; give one of them another path"
        if "write" not in (one.effect, other.effect) or self._are_ordered(one, other):
            return ""
        if both_write:
            return f"sets {what} as {one.id!r} does, in no order; keep one of them, or let one need the other"
        return f"{what} is read and written by it and {one.id!r} in no order; let one need the other"

    def _are_ordered(self, one: Step, other: Step) -> bool:
        return one.id in self.before[other.id] or other.id in self.before[one.id]

    def _target(self, step: Step) -> _Target | None:
        """Return what a step that calls a tool acts on; None where its arguments do not say so literally."""
        tool = self.tools.get(step.tool or "")
        if tool is None or tool.effect == "none":
            return None
        named = {name: step.args[name] for name in _TARGETS if name in step.args}
        named = named or {name: step.args.get(name) for name in tool.key}
        if not named or not all(isinstance(value, str | int) for value in named.values()):
            return None
        key = tool.key if step.args.keys() - set(tool.key) else ()  # one of all arguments holds the values as well
        parts = {name: step.args[name] for name in (*_PARTS, *key) if name in step.args}
        said = {name: _place(str(value)) for name, value in parts.items() if isinstance(value, str | int)}
        return _Target(frozenset((name, _place(str(value))) for name, value in named.items()), said)

    def repetitions(self) -> Iterator[Problem]:
        first: dict[str, str] = {}
        for step in self.plan.steps:
            key = json.dumps(step.model_dump(mode="json") | {"id": "", "needs": sorted(step.needs)}, sort_keys=True)
            if first.setdefault(key, step.id) != step.id:
                message = f"does the same as {first[key]!r}; leave it out"
                yield Problem(code="redundant_step", step=step.id, message=message)

    def unread(self) -> Iterator[Problem]:
        """Yield steps whose output is lost because the step that makes the answer does not read it."""
        work = [step for step in self.plan.steps if not step.delivers]
        if self.plan.continues or not work or not work[-1].inputs():
            return  # the planner reads them, or the ends are parts of the answer, which the composer puts together
        read = {step_id for step in self.plan.steps for step_id in step.inputs()}
        for step in work[:-1]:
            if step.id not in read and step.effect != "write":
                yield Problem(code="redundant_step", step=step.id, message="no later step reads what it produces")

    def without_consent(self) -> Iterator[Problem]:
        steps = {step.id: step for step in self.plan.steps}
        for step in self.plan.steps:
            if step.consent:
                continue
            if step.privacy in _SENSITIVE:
                message = f"handles {step.privacy} data without a consent scope; name one or leave the data out"
                yield Problem(code="missing_consent", step=step.id, message=message)
            elif step.effect == "write" and (source := self._sensitive_source(step, steps)):
                scope = consent_for(source)
                message = f"writes what comes from {source.id!r}, which handles {source.privacy} data; name {scope!r}"
                yield Problem(code="missing_consent", step=step.id, message=message)

    def _sensitive_source(self, step: Step, steps: Mapping[str, Step]) -> Step | None:
        sources = self.before[step.id] - {RESULT}
        return next((steps[s] for s in sorted(sources) if steps[s].privacy in _SENSITIVE), None)

    def risks(self) -> Iterator[Problem]:
        for step in self.plan.steps:
            tool = self.tools.get(step.tool or "")
            sources = sorted({ref.step for ref in step.refs()} - {RESULT})
            if tool is not None and tool.effect == "write" and tool.undo is None and sources:
                message = (
                    f"{tool.name} cannot be undone and takes its content from {', '.join(sources)}, which nobody has "
                    f'seen; deliver the approved draft ({{"ref": {{"step": "{RESULT}"}}}}) or let a person see it first'
                )
                yield Problem(code="risk", step=step.id, message=message)


def _place(text: str) -> str:
    return posixpath.normpath(text.strip().casefold())


def _exclude(one: Step, other: Step) -> bool:
    """Tell whether two steps have conditions of which only one can hold."""
    return any(_contradict(a, b) for a in one.conditions for b in other.conditions)


def _contradict(one: Condition, other: Condition) -> bool:
    if (one.step, one.field) != (other.step, other.field):
        return False
    ops = {one.op, other.op}
    if ops in ({"eq", "ne"}, {"lt", "ge"}, {"gt", "le"}):
        return bool(one.value == other.value)
    return ops == {"eq"} and bool(one.value != other.value)


def blocking(problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems with which a plan may run only when a person has said so."""
    return [problem for problem in problems if problem.code in ("conflict", "missing_consent", "risk", "off_goal")]
