"""What happens in a run, as one closed union; every surface (terminal, streams, traces) reads this and nothing else."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.approvals import ActionRequest, Decision
from domain.autonomy import Ruling
from domain.outcomes import Critique, CritiqueStop, Failure, Outcome, StepResult
from domain.plans import Plan, Problem
from domain.resources import Placement
from domain.routing import Recall, RouteDecision


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RunStarted(_Event):
    """A goal came in."""

    type: Literal["run_started"] = "run_started"
    goal: str
    team: str
    mode: str
    """Model in use, or `rules` when none is configured."""


class MemoryRecalled(_Event):
    """Task memory answered."""

    type: Literal["memory_recalled"] = "memory_recalled"
    recall: Recall


class RouteDecided(_Event):
    """The supervisor chose the way."""

    type: Literal["route_decided"] = "route_decided"
    decision: RouteDecision


class PlanProposed(_Event):
    """A planner, a recipe or memory put forward a plan."""

    type: Literal["plan_proposed"] = "plan_proposed"
    plan: Plan
    alternatives: list[Plan] = Field(default_factory=list)
    """What else was weighed and could have run."""


class PlanCriticised(_Event):
    """The plan critic looked at the plan; no problems means that it is accepted."""

    type: Literal["plan_criticised"] = "plan_criticised"
    problems: list[Problem]


class TrialAssigned(_Event):
    """A trial decided which of two sequences this run takes."""

    type: Literal["trial_assigned"] = "trial_assigned"
    trial: str
    variant: str
    """The agents of the sequence, joined by `>`."""
    reason: str
    chances: dict[str, float] = Field(default_factory=dict)
    """How probable each variant was for this run; empty where the trial is over."""


class AgentSelected(_Event):
    """One of several agents was chosen for a step."""

    type: Literal["agent_selected"] = "agent_selected"
    step: str
    agent: str
    fallbacks: list[str]
    """Whom the step goes to when that agent fails, best first."""
    kind: str
    """Kind of task under which outcomes are compared."""
    reason: str
    chances: dict[str, float] = Field(default_factory=dict)
    """How probable each agent was to be chosen; empty where nobody else could be."""
    expected: dict[str, float] = Field(default_factory=dict)
    """Outcome that was expected of each, 0-1."""
    trial: str = ""
    """Trial of agents that decided it."""


class StepStarted(_Event):
    """A specialist began a step."""

    type: Literal["step_started"] = "step_started"
    step: str
    agent: str
    task: str
    attempt: int = 1


class ResourceBound(_Event):
    """A resource was reserved for a try at a step."""

    type: Literal["resource_bound"] = "resource_bound"
    step: str
    resource: str
    placement: Placement
    why: str


class StepFinished(_Event):
    """A step ended: done, failed or skipped."""

    type: Literal["step_finished"] = "step_finished"
    result: StepResult


Rung = Literal["retry", "fallback", "alternative_tool", "rebind", "replan", "degrade", "stop"]
"""What is done about a failure, the mildest first."""


class RecoveryChosen(_Event):
    """Something failed, and this is done about it."""

    type: Literal["recovery_chosen"] = "recovery_chosen"
    rung: Rung
    why: str
    step: str | None = None
    """None where it is about the plan as a whole."""
    wait: float = 0.0
    """Seconds until then."""


class ActionRuled(_Event):
    """It was decided whether a step may have its effect without a person."""

    type: Literal["action_ruled"] = "action_ruled"
    step: str
    ruling: Ruling


class StepHeld(_Event):
    """A step waits for a person; its siblings go on."""

    type: Literal["step_held"] = "step_held"
    request: ActionRequest


class ToolCalled(_Event):
    """A specialist called a tool."""

    type: Literal["tool_called"] = "tool_called"
    step: str
    tool: str
    args: dict[str, Any]


class ToolReturned(_Event):
    """A tool answered or failed."""

    type: Literal["tool_returned"] = "tool_returned"
    step: str
    tool: str
    seconds: float
    summary: str = ""
    failure: Failure | None = None


class EffectRecorded(_Event):
    """The ledger recorded an external effect."""

    type: Literal["effect_recorded"] = "effect_recorded"
    step: str
    tool: str
    key: str
    replayed: bool
    """True when the effect had happened before and its recorded result was returned."""


class EffectUndone(_Event):
    """An external effect was taken back, or was to be and is kept."""

    type: Literal["effect_undone"] = "effect_undone"
    step: str
    tool: str
    key: str
    """Of the effect."""
    failure: Failure | None = None
    """Why the effect is kept; None where it was undone."""


class ModelCalled(_Event):
    """A model answered or failed."""

    type: Literal["model_called"] = "model_called"
    role: str
    model: str
    """`provider:name`."""
    seconds: float
    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float | None = None
    """None where the price is unknown."""
    step: str | None = None
    """Step that it was called for; None outside steps."""
    failure: Failure | None = None


class RoleDegraded(_Event):
    """A rule-based twin stepped in for a model, or the run goes on without its memory."""

    type: Literal["role_degraded"] = "role_degraded"
    role: str
    reason: str


class DraftComposed(_Event):
    """A draft exists."""

    type: Literal["draft_composed"] = "draft_composed"
    by: str
    text: str
    iteration: int = 0


class DraftCriticised(_Event):
    """The critic scored a draft."""

    type: Literal["draft_criticised"] = "draft_criticised"
    critique: Critique
    iteration: int
    threshold: float
    stopped: CritiqueStop | None = None
    """Why no further revision follows; None when the reviser is next."""


class CheckpointPassed(_Event):
    """A checkpoint let the run pass without a person."""

    type: Literal["checkpoint_passed"] = "checkpoint_passed"
    checkpoint: str
    reason: str
    rule: str = ""
    """What decided: `enabled`, `action`, `auto_approve_if`, `auto_approve_for_users`."""


class ApprovalRequested(_Event):
    """The run waits for a person."""

    type: Literal["approval_requested"] = "approval_requested"
    interrupt: str
    """Id to answer with."""
    requests: list[ActionRequest]


class AnswerNoted(_Event):
    """A person's answer counts, and the question waits for more."""

    type: Literal["answer_noted"] = "answer_noted"
    question: str
    by: str
    wants: str
    """What is still wanted, in words."""


class ApprovalDecided(_Event):
    """A person decided."""

    type: Literal["approval_decided"] = "approval_decided"
    request: str
    decision: Decision


class Explained(_Event):
    """A question about the run was answered while it waits; nothing of the run has changed."""

    type: Literal["explained"] = "explained"
    question: str
    answer: str
    by: str
    """`rules`, or the model that leads."""


class RuleProposed(_Event):
    """A person kept approving acts of one kind, and a standing rule is offered."""

    type: Literal["rule_proposed"] = "rule_proposed"
    rule: str
    """Id to accept it by."""
    words: str
    """What it would let pass."""
    evidence: str


class OutcomeRemembered(_Event):
    """The finished task is in memory."""

    type: Literal["outcome_remembered"] = "outcome_remembered"
    task: str


class RunFinished(_Event):
    """The run ended."""

    type: Literal["run_finished"] = "run_finished"
    outcome: Outcome


WORKER_ENDS = "the worker ends"
"""Reason with which a run stops that another worker carries on by itself."""


class RunStopped(_Event):
    """The run was interrupted from outside and can be resumed."""

    type: Literal["run_stopped"] = "run_stopped"
    reason: str


class UnknownEvent(_Event):
    """Stands for a stored event that this release cannot read, because a later one has told it."""

    type: Literal["unknown_event"] = "unknown_event"
    kind: str
    """Its `type`."""


Event = Annotated[
    RunStarted | MemoryRecalled | RouteDecided | PlanProposed | PlanCriticised | TrialAssigned | AgentSelected
    | StepStarted | StepFinished | ResourceBound | RecoveryChosen | ActionRuled | StepHeld | ToolCalled | ToolReturned
    | EffectRecorded | EffectUndone | ModelCalled | RoleDegraded | DraftComposed | DraftCriticised | CheckpointPassed
    | ApprovalRequested | AnswerNoted | ApprovalDecided | Explained | RuleProposed | OutcomeRemembered | RunFinished
    | RunStopped | UnknownEvent,
    Field(discriminator="type"),
]  # fmt: skip
"""The closed union of everything that can happen."""


def comes_to_rest(event: Event) -> bool:
    """Return whether nothing follows in a thread until somebody acts; what a worker leaves is carried on by another."""
    if isinstance(event, RunStopped):
        return event.reason != WORKER_ENDS
    return isinstance(event, RunFinished | ApprovalRequested | AnswerNoted | Explained)


class Stamped(BaseModel):
    """An event with its place in a thread's log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seq: int
    """1-based position in the thread; a client rejoins after the last one it saw."""
    time: float
    """Unix time in seconds."""
    thread: str
    run: str
    workspace: str
    namespace: str = ""
    """Graph node that emitted it; empty for the run itself."""
    event: Event

    def flat(self) -> dict[str, Any]:
        """Return one flat JSON object: the stamp's fields and the event's."""
        return self.model_dump(mode="json", exclude={"event"}) | self.event.model_dump(mode="json")


class TextStreamed(_Event):
    """A model wrote on. It is shown while it comes and never stored: what becomes of it is told by a stored event."""

    type: Literal["text_streamed"] = "text_streamed"
    role: str
    step: str | None = None
    """Step that it is written for; None for the draft."""
    text: str
    """What was added since the last one."""
    first: bool = False
    """Whether it begins a new text, in place of what was shown before under this role and step."""


class Whispered(BaseModel):
    """What only those are told who watch now; it has no place in the log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time: float
    """Unix time in seconds."""
    thread: str
    run: str
    workspace: str
    event: TextStreamed

    def flat(self) -> dict[str, Any]:
        """Return one flat JSON object."""
        return self.model_dump(mode="json", exclude={"event"}) | self.event.model_dump(mode="json")
