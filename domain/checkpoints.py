"""Checkpoints: where a run pauses for a person, is told about, or ends; `domain.verdicts` says what each says. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from domain.measures import (
    MEASURES,
    MeasureName,
    Op,
    Place,
    Test,
    measurable_at,
    never_together,
)
from domain.plans import RESULT, Privacy
from domain.waiting import DEFAULT_TIMEOUT_SECONDS, Level, OnTimeout, Patience

CheckpointCondition = Literal["AFTER_STAGE", "BEFORE_EXECUTION", "ON_EFFECT", "ON_VALUE"]
CheckpointAction = Literal["REQUEST_APPROVAL", "NOTIFY", "ESCALATE", "BLOCK"]
PLAN = "plan"
"""The stage at which an ON_VALUE checkpoint looks at the plan."""
CONTRADICTION = "contradiction"
"""Type of the validation error that carries every contradiction with its key, as `ctx["found"]`."""


class AutoApproval(BaseModel):
    """Bounds that must all be kept for a checkpoint to pass by itself; an unknown value means: ask."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quality_above: float | None = Field(default=None, ge=0, le=1)
    confidence_above: float | None = Field(default=None, ge=0, le=1)
    success_rate_above: float | None = Field(default=None, ge=0, le=1)
    cost_below: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    amount_below: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    recipients_below: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    novelty_below: float | None = Field(default=None, gt=0, le=1)
    risk_below: float | None = Field(default=None, gt=0, le=1)
    privacy_below: Privacy | None = None

    def bounds(self) -> Iterator[tuple[str, MeasureName, Op, Any]]:
        """Yield each bound: the rule's name, the measure, the comparison that must hold, and the value."""
        measure: MeasureName
        for measure in MEASURES:
            for suffix, op in _SUFFIXES.items():
                value = getattr(self, f"{measure}_{suffix}", None)
                if value is not None:
                    yield f"{measure}_{suffix}", measure, op, value


_SUFFIXES: Mapping[str, Op] = {"above": "gt", "below": "lt"}


class Checkpoint(BaseModel):
    """A named place where a person decides, is told, or where nothing passes.

    `AFTER_STAGE` holds the output of `stage` (a specialist, or `result` for the final draft) before anything uses it,
    `BEFORE_EXECUTION` holds the plan (no stage) or the specialist's step, `ON_EFFECT` holds every step that writes.
    `ON_VALUE` stands at `plan`, at `result`, before the steps of a specialist, or, without a stage, wherever all of its
    `when` can be measured. With any condition, `when` says that the checkpoint stands there only while its tests hold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100)
    description: str = ""
    condition: CheckpointCondition
    stage: str | None = None
    when: tuple[Test, ...] = ()
    """All must hold; one that cannot be told means that a person is asked."""
    action: CheckpointAction = "REQUEST_APPROVAL"
    auto_approve_if: AutoApproval = AutoApproval()
    auto_approve_for_users: tuple[str, ...] = ()
    timeout_seconds: float = Field(default=DEFAULT_TIMEOUT_SECONDS, gt=0, allow_inf_nan=False)
    on_timeout: OnTimeout = "halt"
    approvers: tuple[str, ...] = ()
    quorum: int = Field(default=1, ge=1, le=20)
    escalation: tuple[Level, ...] = ()
    enabled: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> "Checkpoint":
        if found := list(contradictions(self)):
            told = "; ".join(message for _, message in found)
            raise PydanticCustomError(CONTRADICTION, "{told}", {"told": told, "found": found})
        return self

    @property
    def places(self) -> frozenset[Place]:
        """Where it stands."""
        match self.condition:
            case "ON_EFFECT":
                return frozenset({"step"})
            case "BEFORE_EXECUTION":
                return frozenset({"step" if self.stage else "plan"})
            case "AFTER_STAGE":
                return frozenset({"result" if self.stage == RESULT else "output"})
            case "ON_VALUE":
                if self.stage is None:
                    return measurable_at(test.measure for test in self.when) - {"output"}
                named: dict[str, Place] = {PLAN: "plan", RESULT: "result"}
                return frozenset({named.get(self.stage, "step")})

    @property
    def specialist(self) -> str | None:
        """The specialist that it stands at; None where it stands at none in particular."""
        reserved = {"ON_VALUE": (PLAN, RESULT), "AFTER_STAGE": (RESULT,)}.get(self.condition, ())
        return None if self.stage in reserved else self.stage

    def stands_at(self, place: Place, agent: str = "", *, writes: bool = False) -> bool:
        """Return whether it stands at a place of a run.

        Args:
            place: The kind of place.
            agent: Who does the step; only at a step and behind one.
            writes: Whether the step changes something outside.
        """
        if place not in self.places or self.specialist not in (None, agent):
            return False
        return writes if self.condition == "ON_EFFECT" else True

    @property
    def measures(self) -> frozenset[MeasureName]:
        """What must be measured for it."""
        return frozenset({*(test.measure for test in self.when), *(m for _, m, *_ in self.auto_approve_if.bounds())})

    @property
    def patience(self) -> Patience:
        """How its question waits, as far as the checkpoint says."""
        return Patience(
            timeout_seconds=self.timeout_seconds,
            on_timeout=self.on_timeout,
            approvers=self.approvers,
            quorum=self.quorum,
            escalation=self.escalation,
            escalated=self.action == "ESCALATE",
        )


def contradictions(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    """Yield what cannot be meant or carried out, each with the key that is to be changed."""
    yield from _misplaced(checkpoint)
    if checkpoint.action in ("NOTIFY", "BLOCK"):
        asking = ("auto_approve_if", "auto_approve_for_users", "approvers", "quorum", "escalation", "on_timeout")
        for key in asking:
            if getattr(checkpoint, key) != Checkpoint.model_fields[key].default:
                yield key, f"{key!r} is for checkpoints that ask; {checkpoint.action} asks nobody"
        return
    yield from _unanswerable(checkpoint)
    yield from _out_of_order(checkpoint)


def _misplaced(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    """Yield conditions that nothing can meet or measure."""
    if checkpoint.condition == "ON_VALUE" and not checkpoint.when:
        yield "when", 'ON_VALUE needs \'when\': tests such as { measure = "recipients", op = "gt", value = 10 }'
        return
    if checkpoint.condition == "AFTER_STAGE" and checkpoint.stage is None:
        yield "stage", "it stands AFTER_STAGE and has no 'stage'"
        return
    if checkpoint.condition == "ON_EFFECT" and checkpoint.stage is not None:
        yield "stage", "it stands ON_EFFECT, which takes no 'stage'"
    if clash := never_together(checkpoint.when):
        yield "when", f"{clash[0]} and {clash[1]} never hold together, so it never stands"
    places = checkpoint.places
    if not places:
        yield "when", f"there is no place where {', '.join(t.measure for t in checkpoint.when)} can all be measured"
    for test in checkpoint.when:
        if places and not MEASURES[test.measure].places >= places:
            yield "when", f"{test.measure!r} cannot be measured where it stands ({_named(places)})"
    for rule, measure, *_ in checkpoint.auto_approve_if.bounds():
        if not MEASURES[measure].places & places:
            yield "auto_approve_if", f"{rule!r} cannot be evaluated where it stands ({_named(places)})"


def _unanswerable(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    """Yield questions that nobody could answer."""
    for key in ("approvers", "auto_approve_for_users"):
        if any(not user.strip() for user in getattr(checkpoint, key)):
            yield key, f"{key!r} holds a name that is empty"
    if any(not user.strip() for level in checkpoint.escalation for user in level.to):
        yield "escalation", "a level of 'escalation' goes to a name that is empty"
    if not checkpoint.escalation and checkpoint.action == "ESCALATE":
        yield "action", "it escalates to nobody: 'escalation' names no level"
    if not checkpoint.escalation and checkpoint.on_timeout == "escalate":
        yield "on_timeout", "its time-out escalates to nobody: 'escalation' names no level"
    asked = set(checkpoint.approvers)
    if checkpoint.action == "ESCALATE" and checkpoint.escalation:
        asked = set(checkpoint.escalation[0].to)
    if asked and checkpoint.quorum > len(asked):
        yield "quorum", f"{checkpoint.quorum} people must approve, and only {len(asked)} may answer"


def _out_of_order(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    """Yield levels that are never asked, since their time never comes."""
    first = 1 if checkpoint.action == "ESCALATE" else 0
    timed = [level.after_seconds for level in checkpoint.escalation[first:]]
    if any(after == 0 for after in timed) and checkpoint.on_timeout != "escalate":
        yield "escalation", "a level without 'after_seconds' is asked only where 'on_timeout' is 'escalate'"
    given = [after for after in timed if after]
    if given != sorted(set(given)):
        yield "escalation", "each level must be asked later than the one before it"
    if checkpoint.on_timeout != "escalate" and any(after >= checkpoint.timeout_seconds for after in given):
        yield "escalation", f"a level is asked only after the time is over ({checkpoint.timeout_seconds:g} s)"


def _named(places: frozenset[Place]) -> str:
    words = {"plan": "at the plan", "step": "before a step", "output": "behind a step", "result": "at the result"}
    return ", ".join(words[place] for place in sorted(places)) or "nowhere"
