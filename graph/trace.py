"""The trace of a run: what happened when, by whom and at what price, built from its stored events alone.

`graph.tracing.traced` folds the events of one run into steps with their attempts, tool calls, effects and decisions,
and into the calls of models. The effect ledger adds what it alone knows: effects whose process died before it told.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain.effects import EffectState
from domain.outcomes import Failure, Outcome, StepStatus, Usage
from domain.plans import Plan
from domain.routing import RouteDecision


class _Traced(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TracedTool(_Traced):
    """One call of a tool."""

    tool: str
    args: dict[str, Any]
    started: float
    seconds: float | None = None
    """None where the process ended before the tool did."""
    summary: str = ""
    failure: Failure | None = None


class TracedAttempt(_Traced):
    """One try at a step."""

    number: int
    agent: str
    started: float
    ended: float | None = None
    """None where nobody knows: the process ended before."""
    tools: list[TracedTool] = Field(default_factory=list)


class TracedEffect(_Traced):
    """Something that a step changed outside."""

    key: str
    """Idempotency key."""
    step: str
    tool: str
    state: EffectState
    at: float
    """Unix time of its recording; where it is unknown, of its claim."""
    replayed: int = 0
    """Times that its recorded result was taken in place of doing it again."""
    kept: str = ""
    """Why undoing it was refused."""


class TracedDecision(_Traced):
    """A question to a person and its answer."""

    request: str
    name: str = ""
    checkpoint: str = ""
    asked: float | None = None
    decided: float | None = None
    """None while it is open."""
    type: str = ""
    by: str = ""
    message: str = ""


class TracedStep(_Traced):
    """A step of a plan, from its first attempt to its result; done again for another plan it is traced again."""

    id: str
    agent: str
    task: str = ""
    tool: str | None = None
    needs: list[str] = Field(default_factory=list)
    plan: int = 0
    """Index of its plan in `Trace.plans`."""
    status: StepStatus | None = None
    """None where it has no result: not begun, or broken off."""
    started: float | None = None
    ended: float | None = None
    seconds: float = 0.0
    """Of the attempt that gave the result."""
    confidence: float | None = None
    usage: Usage = Usage()
    degraded: bool = False
    failure: Failure | None = None
    attempts: list[TracedAttempt] = Field(default_factory=list)
    effects: list[TracedEffect] = Field(default_factory=list)
    decisions: list[TracedDecision] = Field(default_factory=list)


class TracedCall(_Traced):
    """One call of a model."""

    node: str
    """Node of the graph it was made in."""
    role: str
    model: str
    step: str | None = None
    """Step that it was made for; None outside steps."""
    ended: float
    seconds: float
    input_tokens: int
    output_tokens: int
    dollars: float | None
    failure: Failure | None


class TracedCritique(_Traced):
    """One judgement of a draft."""

    at: float
    score: float
    threshold: float
    stopped: str | None


class TracedNode(_Traced):
    """A stretch of the run in which one node of the graph told of something; empty name: the run itself."""

    name: str
    started: float
    ended: float


class Trace(_Traced):
    """Everything that is known of one run."""

    run: str
    thread: str
    workspace: str
    goal: str = ""
    team: str = ""
    mode: str = ""
    started: float
    ended: float | None = None
    """Unix time of its end; None while it is open."""
    last: float
    """Unix time of the latest event."""
    decision: RouteDecision | None = None
    plans: list[Plan] = Field(default_factory=list)
    """Every plan that was put forward; the last one was carried out."""
    nodes: list[TracedNode] = Field(default_factory=list)
    steps: list[TracedStep] = Field(default_factory=list)
    calls: list[TracedCall] = Field(default_factory=list)
    critiques: list[TracedCritique] = Field(default_factory=list)
    decisions: list[TracedDecision] = Field(default_factory=list)
    """All of them, those of steps included."""
    degraded: dict[str, str] = Field(default_factory=dict)
    """Role to the reason why a rule-based twin played it."""
    stops: list[str] = Field(default_factory=list)
    """Reasons for which the run was interrupted."""
    outcome: Outcome | None = None

    @property
    def seconds(self) -> float:
        """Wall time from the goal to the end, or to the latest event."""
        return (self.ended or self.last) - self.started

    @property
    def effects(self) -> list[TracedEffect]:
        """All effects, in the order in which they became known."""
        return sorted((effect for step in self.steps for effect in step.effects), key=lambda effect: effect.at)

    @property
    def usage(self) -> Usage:
        """What the models consumed, by their calls."""
        return sum(
            (
                Usage(calls=1, input_tokens=c.input_tokens, output_tokens=c.output_tokens, dollars=c.dollars)
                for c in self.calls
            ),
            Usage(),
        )

    @property
    def errors(self) -> list[tuple[str, Failure]]:
        """Every failure with where it happened: a step, a tool in it, or a model's role."""
        tools = [
            (f"{step.id}: {tool.tool}", tool.failure)
            for step in self.steps
            for attempt in step.attempts
            for tool in attempt.tools
        ]
        steps = [(step.id, step.failure) for step in self.steps]
        calls = [(f"{call.role}: {call.model}", call.failure) for call in self.calls]
        return [(where, failure) for where, failure in (*tools, *steps, *calls) if failure is not None]
