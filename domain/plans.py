"""Plans: steps, the references between them, and the coded problems that can be found in one."""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

RESULT = "result"
"""The pseudo-step whose output is the approved final draft; a step that refers to it delivers it."""
ITEM = "item"
"""The pseudo-step whose output is the item that an instance of a `foreach` step works on."""
PREVIOUS = "previous"
"""The pseudo-step whose output is what a `repeat` step gave the time before; nothing the first time."""

Effect = Literal["none", "read", "write"]
Privacy = Literal["public", "internal", "personal", "secret"]
Strategy = Literal["simple", "parallel", "adaptive", "comprehensive"]
"""How a plan goes about its goal.

- `simple`: one chain of as few steps as the goal allows.
- `parallel`: independent branches run side by side; a last step, or the composer, joins them.
- `adaptive`: stretch by stretch. A plan that `continues` is a first stretch, and the planner plans the next one when
  it has seen its results; a plan whose conditions choose between branches is adaptive too.
- `comprehensive`: everybody who can add something does, for wide coverage at a higher price.
"""
PlanSource = Literal["memory", "recipe", "planner"]
QueryKind = Literal["search", "summary", "analysis", "comparison", "creation", "action", "conversation"]


Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "exists", "empty"]
"""How an output is tested; `empty` asks whether the step worked and found nothing."""


class Ref(BaseModel):
    """A value taken from an earlier step's output: the whole output, or one `field` of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: str
    """Id of the step, or `result`, `item` or `previous`."""
    field: str | None = None
    """Key in the output's data; None takes the output's text (of `item`: the item itself)."""


class Condition(BaseModel):
    """A test on an earlier output, as data; never evaluated as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: str
    field: str | None = None
    op: Operator
    value: Any = None


class ForEach(BaseModel):
    """A step is done once for every item of a list in an earlier output; the items side by side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: str
    """Id of the step whose output holds the list."""
    field: str
    """Key of the list in that output's data."""
    max_items: int = Field(default=20, ge=1, le=100)
    """A longer list is refused before anything is done."""


class Repeat(BaseModel):
    """A step is done again until its own output satisfies a test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str | None = None
    """Key in the output's data that is tested; None tests the text."""
    op: Operator
    value: Any = None
    max_times: int = Field(default=5, ge=1, le=20)
    every: float = Field(default=0.0, ge=0, le=300)
    """Seconds between two times. Without a pause, the same output once more ends the loop: it makes no progress."""


class Step(BaseModel):
    """One piece of work for one specialist."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}(/[a-z][a-z0-9_]{0,39}){0,15}$")
    """A step of a nested plan is called `outer/inner`."""
    agent: str
    task: str
    """What to do, in words for the specialist."""
    tool: str | None = None
    """A tool to call directly; None lets the specialist work with its own tools."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Arguments for `tool`; a value may be `{"ref": {"step": ..., "field": ...}}`."""
    needs: list[str] = Field(default_factory=list)
    """Ids of the steps whose outputs this one reads."""
    condition: Condition | None = None
    foreach: ForEach | None = None
    repeat: Repeat | None = None
    steps: list["Step"] = Field(default_factory=list)
    """A plan of its own in place of work: `domain.nesting` puts these steps into the plan around them."""
    joins: bool = False
    """Set when a nested plan was taken in: the step does no work and passes on what the steps it needs gave."""
    guards: list[Condition] = Field(default_factory=list)
    """Conditions of the nested plans that the step comes from; all must hold."""
    returns: dict[str, Any] | None = None
    """What the output's data must be: a JSON schema, or names with one of `text`, `number`, `integer`, `boolean`,
    `list`, `object`; a name ending in `?` may be missing."""
    on_empty: Literal["accept", "fallback"] = "accept"
    """What follows when the step works and finds nothing; `fallback` asks the others that could do it."""
    effect: Effect = "none"
    priority: int = 0
    """Higher runs first when more steps are ready than may run."""
    deadline: float | None = None
    """Seconds from the start of the run; the earliest goes first among equal priorities."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds one attempt may take."""
    consent: list[str] = Field(default_factory=list)
    privacy: Privacy = "internal"
    on_failure: Literal["fallback", "replan", "skip", "stop", "rollback"] = "fallback"
    """What follows when the step gives no result: its specialist's fallback and then another plan, another plan, a run
    without it, the end of the run, or the end of the run with everything undone that it has changed."""

    @field_validator("args")
    @classmethod
    def _refs_are_whole(cls, args: dict[str, Any]) -> dict[str, Any]:
        """Refuse a reference that does not say which step it means."""
        list(_find_refs(args))
        return args

    def refs(self) -> list[Ref]:
        """Return the references in this step's arguments."""
        return list(_find_refs(self.args))

    def inputs(self) -> set[str]:
        """Return the ids of all steps whose outputs this step reads, `result` included."""
        wanted = {*self.needs, *(ref.step for ref in self.refs())} - {ITEM, PREVIOUS}
        wanted |= {condition.step for condition in self.conditions}
        return wanted | {self.foreach.step} if self.foreach else wanted

    @property
    def conditions(self) -> list[Condition]:
        """Everything that must hold for the step to run."""
        return [*self.guards, self.condition] if self.condition else self.guards

    @property
    def delivers(self) -> bool:
        """Whether the step waits for the approved final draft."""
        return RESULT in self.inputs()


class Plan(BaseModel):
    """A DAG of steps with where it came from and why it was chosen."""

    model_config = ConfigDict(extra="forbid")

    steps: list[Step] = Field(min_length=1)
    source: PlanSource = "planner"
    strategy: Strategy = "simple"
    rationale: str = ""
    confidence: float = Field(default=0.5, ge=0, le=1)
    estimates: dict[str, float] = Field(default_factory=dict)
    """Expected `quality` (0-1), `seconds`, model `calls`, `tokens`, `dollars`, and exposure of data as `privacy`."""
    continues: bool = False
    """The steps are a stretch of an adaptive plan: the planner wants their results before it plans the next one."""

    def step(self, step_id: str) -> Step:
        """Return the step with this id."""
        return next(step for step in self.steps if step.id == step_id)

    @property
    def rolls_back(self) -> bool:
        """Whether everything is undone when the plan does not succeed, whichever step fails or is rejected."""
        return any(step.on_failure == "rollback" for step in self.steps)

    @property
    def sequence(self) -> list[str]:
        """The agents in plan order, consecutive repeats merged."""
        agents = [step.agent for step in self.steps if not step.joins]
        return [agent for i, agent in enumerate(agents) if i == 0 or agents[i - 1] != agent]


ProblemCode = Literal[
    "duplicate_step", "unknown_agent", "unknown_tool", "tool_not_allowed", "unknown_step", "bad_argument",
    "missing_argument", "cycle", "effect_understated", "nothing_produced", "too_many_steps", "conflict",
    "redundant_step", "missing_consent", "change_requested", "constraint_violated", "unreachable_step",
    "unavailable_resource", "over_budget", "off_goal", "risk", "bad_loop", "bad_schema", "bad_nesting",
    "already_failed",
]  # fmt: skip


class Problem(BaseModel):
    """One thing wrong with a plan; `code` is for programs, `message` for the planner and for people."""

    model_config = ConfigDict(frozen=True)

    code: ProblemCode
    step: str | None = None
    message: str

    def __str__(self) -> str:
        return f"{self.code}{f' in {self.step!r}' if self.step else ''}: {self.message}"


def execution_order(plan: Plan) -> list[list[str]]:
    """Return the step ids level by level; `graphlib.CycleError` when the steps wait for each other."""
    ids = {step.id for step in plan.steps}
    sorter = TopologicalSorter({step.id: sorted(step.inputs() & ids) for step in plan.steps})
    sorter.prepare()
    levels = []
    while sorter.is_active():
        ready = sorter.get_ready()
        levels.append(sorted(ready))
        sorter.done(*ready)
    return levels


def as_ref(value: Any) -> Ref | None:
    """Return the reference that an argument value stands for, or None for a plain value.

    Raises `ValueError` for one that is not whole.
    """
    if isinstance(value, Mapping) and set(value) == {"ref"} and isinstance(value["ref"], Mapping):
        try:
            return Ref.model_validate(value["ref"])
        except ValidationError as error:
            msg = f'a reference is {{"ref": {{"step": ..., "field": ...}}}} (field may be left out), not {value!r:.80}'
            raise ValueError(msg) from error
    return None


def _find_refs(value: Any) -> Iterable[Ref]:
    if ref := as_ref(value):
        yield ref
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _find_refs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _find_refs(item)
