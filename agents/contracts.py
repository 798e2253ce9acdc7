"""The roles of a run as types: each takes one request and gives one answer, whoever plays it.

A model plays a role in `agents.roles`, its rule-based twin in `agents.rules`; `agents.cast` decides who steps in.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from agents.team import Quality, Specialist, Team
from agents.tools.registry import Toolbox
from domain.briefings import Briefing
from domain.events import Event
from domain.explanations import RunFacts
from domain.outcomes import Critique, Draft, StepResult
from domain.plans import Plan, Problem, QueryKind, Step
from domain.routing import Recall, RouteDecision

Emit = Callable[[Event], None]
"""Takes an event as it happens."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What every role is told."""

    goal: str
    briefing: Briefing
    team: Team
    emit: Emit


@dataclass(frozen=True, kw_only=True)
class RoutingRequest(Request):
    """For the supervisor: which way should this goal go?"""

    recall: Recall
    earlier_chars: int = 8000
    """Characters of earlier results that may be shown where the goal asks about them."""


@dataclass(frozen=True, kw_only=True)
class PlanningRequest(Request):
    """For the planner: which steps reach the goal?"""

    kind: QueryKind
    recall: Recall
    """Memories in the hint band may be shown to the planner."""
    unfit: Sequence[Problem] = ()
    """Why the plan that memory would reuse cannot be carried out here; what was recalled is a hint then."""
    tools: Toolbox
    delivers: bool = False
    """Whether the answer is to be written to the output folder."""
    rejected: Plan | None = None
    """The plan to be improved on, with its problems."""
    problems: Sequence[Problem] = ()
    failures: Sequence[StepResult] = ()
    """Steps that failed while the rejected plan ran."""
    finished: Sequence[Step] = ()
    """Steps of an adaptive plan that have been done; what is planned now comes after them and may read them."""
    results: Sequence[StepResult] = ()
    """What the finished steps gave."""
    stretches_left: int = 0
    """Stretches that may follow this one before the answer must be made."""
    budget: Mapping[str, float] = field(default_factory=dict)
    """What a plan may be expected to take at most, by `seconds`, `calls` and `dollars`."""
    rules: Sequence[str] = ()
    """Hard rules in force, in words."""
    private_steps: frozenset[str] = frozenset()
    """Steps of the rejected plan, and finished ones, whose tasks and arguments are not shown."""


@dataclass(frozen=True, kw_only=True)
class Planning:
    """Alternative plans, best first; of a further stretch the new steps, or the finished ones if nothing is to add."""

    alternatives: list[Plan]
    degraded: bool = False


@dataclass(frozen=True, kw_only=True)
class PlanReviewRequest(Request):
    """For the plan critic: what is wrong with this plan, beyond what validation finds?"""

    plan: Plan
    tools: Toolbox
    finished: Sequence[str] = ()
    """Ids of the steps that have been done."""


@dataclass(frozen=True, kw_only=True)
class Assignment(Request):
    """For a specialist: do this step."""

    step: Step
    specialist: Specialist
    inputs: Mapping[str, StepResult]
    """Results of the steps this one needs, by step id."""
    tools: Toolbox
    """Only what this specialist may call; no tool with effect `write` is among them."""
    bound: bool = False
    """Whether the step is bound to the specialist's model: no other model may be given its data."""


@dataclass(frozen=True, kw_only=True)
class CompositionRequest(Request):
    """For the composer: make one answer of the steps' results."""

    kind: QueryKind
    results: Sequence[StepResult]


@dataclass(frozen=True, kw_only=True)
class CritiqueRequest(Request):
    """For the critic: how good is this draft, and what should change?"""

    draft: Draft
    results: Sequence[StepResult]
    quality: Quality


@dataclass(frozen=True, kw_only=True)
class RevisionRequest(Request):
    """For the reviser: mend what the critique found."""

    draft: Draft
    critique: Critique
    results: Sequence[StepResult]


@dataclass(frozen=True, kw_only=True)
class FoldingRequest(Request):
    """For the summariser: fold older turns of the conversation into its summary."""

    summary: str
    """So far; empty at first."""
    turns: Sequence[str]
    """Older turns, oldest first, `speaker: text`."""
    words: int
    """How long the new summary may be."""


@dataclass(frozen=True, kw_only=True)
class ExplanationRequest(Request):
    """For the explainer: answer a question about a run from what is known of it."""

    question: str
    facts: RunFacts


R = TypeVar("R", bound=Request, contravariant=True)
A = TypeVar("A", covariant=True)
Role = Callable[[R], Awaitable[A]]


@dataclass(frozen=True)
class Cast:
    """Everybody who plays in a run."""

    supervisor: Role[RoutingRequest, RouteDecision]
    planner: Role[PlanningRequest, Planning]
    plan_critic: Role[PlanReviewRequest, list[Problem]]
    specialist: Role[Assignment, StepResult]
    composer: Role[CompositionRequest, Draft]
    critic: Role[CritiqueRequest, Critique]
    reviser: Role[RevisionRequest, Draft]
    summariser: Role[FoldingRequest, Draft] | None = None
    """None: the rule-based twin."""
    explainer: Role[ExplanationRequest, Draft] | None = None
    """None: the rule-based twin."""
    mode: str = field(default="rules")
    """The model that leads, or `rules`."""
    models: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The models that may play each role, as `provider:name`."""
    remote: frozenset[str] = frozenset()
    """Those of all its models, the specialists' own too, that run on machines of others."""
