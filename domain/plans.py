"""Plans: steps, the references between them, and the coded problems that validation finds."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

RESULT = "result"
"""The pseudo-step whose output is the approved final draft; a step that refers to it delivers it."""

Effect = Literal["none", "read", "write"]
Strategy = Literal["simple", "parallel", "adaptive", "comprehensive"]
PlanSource = Literal["memory", "recipe", "planner"]
QueryKind = Literal["search", "summary", "analysis", "comparison", "creation", "action", "conversation"]


class Ref(BaseModel):
    """A value taken from an earlier step's output: the whole output, or one `field` of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: str
    """Id of the step, or `result` for the approved final draft."""
    field: str | None = None
    """Key in the output's data; None takes the output's text."""


class Condition(BaseModel):
    """A test on an earlier output, as data; never evaluated as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: str
    field: str | None = None
    op: Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "exists"]
    value: Any = None


class Step(BaseModel):
    """One piece of work for one specialist."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
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
    effect: Effect = "none"
    priority: int = 0
    """Higher runs first when more steps are ready than may run."""
    deadline: float | None = None
    """Seconds from the start of the run; the earliest goes first among equal priorities."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds one attempt may take."""
    consent: list[str] = Field(default_factory=list)
    privacy: Literal["public", "internal", "personal", "secret"] = "internal"
    on_failure: Literal["fallback", "replan", "skip", "stop"] = "fallback"

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
        wanted = {*self.needs, *(ref.step for ref in self.refs())}
        return wanted | {self.condition.step} if self.condition else wanted

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
    """Expected `quality` (0-1), `seconds`, `dollars`."""

    def step(self, step_id: str) -> Step:
        """Return the step with this id."""
        return next(step for step in self.steps if step.id == step_id)

    @property
    def sequence(self) -> list[str]:
        """The agents in plan order, consecutive repeats merged."""
        agents = [step.agent for step in self.steps]
        return [agent for i, agent in enumerate(agents) if i == 0 or agents[i - 1] != agent]


ProblemCode = Literal[
    "duplicate_step", "unknown_agent", "unknown_tool", "tool_not_allowed", "unknown_step", "bad_argument",
    "missing_argument", "cycle", "effect_understated", "nothing_produced", "too_many_steps", "conflict",
    "redundant_step", "missing_consent", "change_requested", "constraint_violated",
]  # fmt: skip


class Problem(BaseModel):
    """One thing wrong with a plan; `code` is for programs, `message` for the planner and for people."""

    model_config = ConfigDict(frozen=True)

    code: ProblemCode
    step: str | None = None
    message: str

    def __str__(self) -> str:
        return f"{self.code}{f' in {self.step!r}' if self.step else ''}: {self.message}"


class Catalogue(Protocol):
    """What validation must know about the team: who works in it and what each tool takes."""

    def agents(self) -> Iterable[str]:
        """Return the specialists' names."""

    def tools_of(self, agent: str) -> Iterable[str]:
        """Return the names of the tools that a specialist may call."""

    def tool_effect(self, tool: str) -> Effect | None:
        """Return the tool's effect, or None where no such tool exists."""

    def argument_problems(self, tool: str, args: Mapping[str, Any]) -> Iterable[str]:
        """Return what is wrong with the arguments; references count as given."""


MAX_STEPS = 50


def validate_plan(plan: Plan, catalogue: Catalogue, *, max_steps: int = MAX_STEPS) -> list[Problem]:
    """Return every coded problem that keeps `plan` from being run; an empty list means it can run."""
    problems = list(_structure_problems(plan, max_steps))
    agents = set(catalogue.agents())
    for step in plan.steps:
        problems += _step_problems(step, agents, catalogue)
    return problems


def _structure_problems(plan: Plan, max_steps: int) -> Iterable[Problem]:
    ids = [step.id for step in plan.steps]
    if len(ids) > max_steps:
        yield Problem(code="too_many_steps", message=f"{len(ids)} steps; at most {max_steps} are allowed")
    for repeated in sorted({i for i in ids if ids.count(i) > 1} | ({RESULT} & set(ids))):
        yield Problem(code="duplicate_step", step=repeated, message="the id is used twice or is reserved")
    known = {*ids, RESULT}
    for step in plan.steps:
        for missing in sorted(step.inputs() - known):
            yield Problem(code="unknown_step", step=step.id, message=f"refers to {missing!r}, which is not a step")
    if all(step.delivers for step in plan.steps):
        yield Problem(code="nothing_produced", message="every step waits for the final draft, so none produces it")
    try:
        execution_order(plan)
    except CycleError as error:
        yield Problem(code="cycle", message=" → ".join(map(str, error.args[1])))


def _step_problems(step: Step, agents: set[str], catalogue: Catalogue) -> Iterable[Problem]:
    if step.agent not in agents:
        yield Problem(
            code="unknown_agent", step=step.id, message=f"{step.agent!r} is not one of {', '.join(sorted(agents))}"
        )
        return
    if step.tool is None:
        return
    effect = catalogue.tool_effect(step.tool)
    if effect is None:
        yield Problem(code="unknown_tool", step=step.id, message=f"no tool is called {step.tool!r}")
        return
    if step.tool not in set(catalogue.tools_of(step.agent)):
        yield Problem(code="tool_not_allowed", step=step.id, message=f"{step.agent!r} may not call {step.tool!r}")
    if _rank(effect) > _rank(step.effect):
        yield Problem(
            code="effect_understated",
            step=step.id,
            message=f"{step.tool!r} has effect {effect!r}, the step says {step.effect!r}",
        )
    for text in catalogue.argument_problems(step.tool, step.args):
        yield Problem(code="bad_argument", step=step.id, message=text)


def _rank(effect: Effect) -> int:
    return ("none", "read", "write").index(effect)


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
