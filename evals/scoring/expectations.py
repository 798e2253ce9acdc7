"""What a recorded task expects, written by hand: how the goal is routed, what is done, who is asked, what comes of it.

Whatever is left out is not scored. Names that cannot be right are refused when the file is read.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.outcomes import RunStatus
from domain.plans import Plan, Step
from domain.routing import Band, RouteSource
from memory.plan_shapes import Shape, shape_of

_SLACK = 1e-9
"""What rounding may take from a value."""


class _Expected(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedRoute(_Expected):
    """Which way the goal goes."""

    source: tuple[RouteSource, ...] = ()
    """Any of these."""
    sequence: tuple[str, ...] = ()
    band: tuple[Band, ...] = ()
    confidence: tuple[float, float] | None = None
    """Lowest and highest."""

    @field_validator("confidence")
    @classmethod
    def _in_order(cls, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        if bounds and not 0 <= bounds[0] <= bounds[1] <= 1:
            msg = f"a confidence lies between two bounds in 0..1, not {bounds}"
            raise ValueError(msg)
        return bounds


class ExpectedPlan(_Expected):
    """The shape of the plan: `agent` or `agent:tool` by step id, and which step reads which."""

    steps: dict[str, str] = Field(min_length=1)
    edges: tuple[tuple[str, str], ...] = ()
    node_f1: float = Field(default=1.0, ge=0, le=1)
    """At least."""
    edge_f1: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _known(self) -> "ExpectedPlan":
        if unknown := {step for edge in self.edges for step in edge} - set(self.steps):
            msg = f"no step is called {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        return self

    @property
    def shape(self) -> Shape:
        """The shape that is expected."""
        needs = {name: [a for a, b in self.edges if b == name] for name in self.steps}
        steps = [
            Step(id=name, agent=who.partition(":")[0], tool=who.partition(":")[2] or None, task=name, needs=needs[name])
            for name, who in self.steps.items()
        ]
        return shape_of(Plan(steps=steps))


class ExpectedTrajectory(_Expected):
    """What is done on the way."""

    agents: tuple[str, ...] = ()
    """In the order in which their steps begin, repeats merged; others may come between unless `exact`."""
    tools: tuple[str, ...] = ()
    """In the order in which they are called; others may come between unless `exact`."""
    exact: bool = False
    forbidden_agents: tuple[str, ...] = ()
    forbidden_tools: tuple[str, ...] = ()


class ExpectedQuestions(_Expected):
    """Whom a person is asked by: names of checkpoints, or of requests such as `give_consent`."""

    asked: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    at_most: int | None = Field(default=None, ge=0)
    """Questions in all."""


class Figure(_Expected):
    """A number that the answer must state, recomputed from the data."""

    name: str
    sql: str
    """A query on the task's tables that gives one number."""
    tolerance: float = Field(default=0.005, ge=0)
    """Relative."""


class ExpectedResult(_Expected):
    """What the answer says."""

    status: tuple[RunStatus, ...] = ()
    contains: tuple[str, ...] = ()
    """Regardless of case; alternatives are parted by `|`."""
    lacks: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    citations: bool = False
    """Whether every source that the answer cites in brackets exists, and there is one."""
    files: tuple[str, ...] = ()
    """Patterns of files that must be in the output folder afterwards."""


class ExpectedQuality(_Expected):
    """How good the work is."""

    critic: float | None = Field(default=None, ge=0, le=1)
    """Final score of the run's critic, at least."""
    rubric: float | None = Field(default=None, ge=0, le=1)
    """Score of the rule-based rubric, at least; no model is asked."""


class ExpectedTurn(_Expected):
    """What one turn of the task must lead to."""

    route: ExpectedRoute | None = None
    plan: ExpectedPlan | None = None
    trajectory: ExpectedTrajectory | None = None
    questions: ExpectedQuestions | None = None
    result: ExpectedResult | None = None
    quality: ExpectedQuality | None = None
    effects: dict[str, int] | None = None
    """How many effects each tool has; a tool that is not named has none."""
    degraded: bool | None = None
    metrics: tuple[str, ...] = ()
    """Metrics of plug-ins that the turn is measured by."""


ScoreKind = Literal["correctness", "efficiency"]


class Score(BaseModel):
    """What one scorer found."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: float = Field(allow_inf_nan=False)
    """0-1 of correctness; in its own unit of efficiency."""
    kind: ScoreKind = "correctness"
    passed: bool = True
    """Only correctness can fail a task."""
    detail: str = ""
    """Why it is not right, for a person."""


def right(name: str, is_right: bool, detail: str) -> Score:
    """Return the score of what is right or not; the detail says why not."""
    return Score(name=name, value=float(is_right), passed=is_right, detail="" if is_right else detail)


def at_least(name: str, value: float, bound: float, detail: str = "") -> Score:
    """Return the score of a value in 0-1 that should reach a bound."""
    passed = value >= bound - _SLACK
    why = f"{value:.2f} < {bound:.2f}{f': {detail}' if detail else ''}"
    return Score(name=name, value=value, passed=passed, detail="" if passed else why)
