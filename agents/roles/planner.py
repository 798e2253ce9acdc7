"""The planner: several plans for a goal, or for the next stretch of one."""

from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator, model_validator

from agents.contracts import Planning, PlanningRequest
from agents.models import Model
from agents.roles import sections
from agents.structured import ask
from agents.tools.registry import Toolbox
from domain.plans import Condition, ForEach, Plan, Repeat, Step, Strategy
from domain.validation import MAX_STEPS
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE, quoted

MAX_ALTERNATIVES = 10
"""What an answer may hold; how many are wanted is the team's (`agents.team.PlanningPolicy`)."""
_SHOWN_STEPS = MAX_STEPS
"""Steps of a rejected plan that the prompt shows."""

DELIVERY = (
    "the answer must be written to the output folder. End with one step of a specialist that has `write_file`: "
    '`{"id": "deliver", "agent": "...", "task": "Write the answer to the output folder", "tool": "write_file", '
    '"args": {"path": "<short-name>.md", "text": {"ref": {"step": "result"}}}}`. '
    "`result` stands for the approved final draft; no other step may refer to it."
)
NO_DELIVERY = "none; the answer goes to the user as text, and no step writes a file."


class StepAnswer(BaseModel):
    """One step; its effect follows from its tool."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    agent: str
    task: str
    tool: str | None = None
    args: dict[str, Any] = Field(default_factory=dict)
    needs: list[str] = Field(default_factory=list)
    condition: Condition | None = None
    foreach: ForEach | None = None
    repeat: Repeat | None = None
    returns: dict[str, Any] | None = None
    consent: list[str] = Field(default_factory=list)
    privacy: Literal["public", "internal", "personal", "secret"] = "internal"
    on_failure: Literal["fallback", "replan", "skip", "stop", "rollback"] = "fallback"

    @field_validator("args")
    @classmethod
    def _refers_well(cls, args: dict[str, Any]) -> dict[str, Any]:
        try:
            Step(id="probe", agent="", task="", args=args).refs()
        except ValidationError as error:
            msg = 'a reference is {"ref": {"step": "<id>"}} or {"ref": {"step": "<id>", "field": "<key>"}}'
            raise ValueError(msg) from error
        return args

    def step(self, tools: Toolbox) -> Step:
        """Return the step with the effect that its tool has; a tool that is not known is left to validation."""
        known = tools.tools.get(self.tool or "")
        return Step(**dict(self), effect=known.effect if known else "none")


class PlanAnswer(BaseModel):
    """One plan."""

    steps: list[StepAnswer]
    continues: bool = False
    strategy: Strategy = "simple"
    rationale: str = ""
    confidence: float = Field(default=0.5, ge=0, le=1)
    quality: float | None = Field(default=None, ge=0, le=1)
    seconds: float | None = Field(default=None, ge=0)

    def plan(self, request: PlanningRequest) -> Plan:
        """Return the plan in the house's vocabulary; one without new steps is what has been finished."""
        estimates = {"quality": self.quality, "seconds": self.seconds}
        return Plan(
            steps=[step.step(request.tools) for step in self.steps] or list(request.finished),
            continues=self.continues,
            strategy=self.strategy,
            rationale=self.rationale,
            confidence=self.confidence,
            estimates={name: value for name, value in estimates.items() if value is not None},
        )


class PlanningAnswer(BaseModel):
    """Alternative plans, best first."""

    alternatives: list[PlanAnswer] = Field(min_length=1, max_length=MAX_ALTERNATIVES)

    @model_validator(mode="after")
    def _have_steps(self, info: ValidationInfo) -> Self:
        if not (info.context or {}).get("continuing") and any(not plan.steps for plan in self.alternatives):
            msg = "a plan has at least one step"
            raise ValueError(msg)
        return self


@dataclass(frozen=True)
class Planner:
    """Plans with a model; whether a plan can run is checked by the caller."""

    model: Model
    prompt: Prompt

    async def __call__(self, request: PlanningRequest) -> Planning:
        """Return the alternatives, best first."""
        answer = await ask(
            self.model, self.rendered(request), PlanningAnswer, role="planner", emit=request.emit,
            context={"continuing": bool(request.finished)},
        )  # fmt: skip
        return Planning(alternatives=[plan.plan(request) for plan in answer.alternatives])

    def rendered(self, request: PlanningRequest) -> Rendered:
        """Return the text for the model."""
        return self.prompt.render(
            data_rule=DATA_RULE,
            corrections=sections.corrections(request.briefing),
            team=sections.team(request.team),
            specialists=sections.specialists(request.team),
            tools=sections.tools(request.tools),
            constraints=sections.constraints(request.team),
            delivery=DELIVERY if request.delivers else NO_DELIVERY,
            alternatives=str(request.team.planning.max_alternatives),
            rules=quoted("hard rules", sections.bullets(request.rules)) if request.rules else sections.NONE,
            budget=sections.pairs({name: f"{limit:g}" for name, limit in request.budget.items()}),
            wanted=request.team.planning.strategy or "whatever fits the goal",
            stretches=str(request.stretches_left),
            finished=_finished(request),
            today=request.briefing.today,
            circumstances=sections.circumstances(request.briefing),
            kind=request.kind,
            materials=sections.materials(request.briefing),
            memories=sections.memories(request.recall) if request.recall.band == "hint" else sections.NONE,
            rejected=_rejected(request),
            goal=request.goal,
        )


def _rejected(request: PlanningRequest) -> str:
    """Return the plan to be improved on and what was wrong with it."""
    if request.rejected is None:
        return sections.NONE
    parts = [quoted("rejected plan", plan_text(request.rejected, most=_SHOWN_STEPS))]
    if request.problems:
        parts.append(f"Problems to solve:\n{sections.bullets(map(str, request.problems))}")
    if request.failures:
        parts.append(f"Steps that failed; find another way:\n{sections.results(request.failures)}")
    return "\n".join(parts)


def _finished(request: PlanningRequest) -> str:
    """Return what has been done of this goal, with what it gave."""
    parts = []
    if request.finished:
        parts.append(quoted("finished steps", "\n".join(map(_line, request.finished))))
    if request.results:
        parts.append(sections.results(request.results))
    return "\n".join(parts) or sections.NONE


def plan_text(plan: Plan, *, most: int | None = None) -> str:
    """Return a plan as JSON, one step per line, without what is at its default; the first `most` steps."""
    shown = plan.steps[:most]
    left = len(plan.steps) - len(shown)
    return "\n".join([*map(_line, shown), *([f"(and {left} more steps)"] if left else [])])


def _line(step: Step) -> str:
    return sections.compact(step.model_dump(mode="json", exclude_defaults=True))
