"""The planner: up to three plans for a goal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator

from agents.contracts import Planning, PlanningRequest
from agents.models import Model
from agents.roles import sections
from agents.structured import ask
from agents.tools.registry import Toolbox
from domain.plans import Condition, Plan, Step, Strategy
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE, quoted

MAX_ALTERNATIVES = 3

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
    consent: list[str] = Field(default_factory=list)
    privacy: Literal["public", "internal", "personal", "secret"] = "internal"
    on_failure: Literal["fallback", "replan", "skip", "stop"] = "fallback"

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

    steps: list[StepAnswer] = Field(min_length=1)
    strategy: Strategy = "simple"
    rationale: str = ""
    confidence: float = Field(default=0.5, ge=0, le=1)
    quality: float | None = Field(default=None, ge=0, le=1)
    seconds: float | None = Field(default=None, ge=0)

    def plan(self, tools: Toolbox) -> Plan:
        """Return the plan in the house's vocabulary."""
        estimates = {"quality": self.quality, "seconds": self.seconds}
        return Plan(
            steps=[step.step(tools) for step in self.steps],
            strategy=self.strategy,
            rationale=self.rationale,
            confidence=self.confidence,
            estimates={name: value for name, value in estimates.items() if value is not None},
        )


class PlanningAnswer(BaseModel):
    """Alternative plans, best first."""

    alternatives: list[PlanAnswer] = Field(min_length=1, max_length=MAX_ALTERNATIVES)


@dataclass(frozen=True)
class Planner:
    """Plans with a model; whether a plan can run is checked by the caller."""

    model: Model
    prompt: Prompt

    async def __call__(self, request: PlanningRequest) -> Planning:
        """Return the alternatives, best first."""
        answer = await ask(self.model, self.rendered(request), PlanningAnswer, role="planner", emit=request.emit)
        return Planning(alternatives=[plan.plan(request.tools) for plan in answer.alternatives])

    def rendered(self, request: PlanningRequest) -> Rendered:
        """Return the text for the model."""
        return self.prompt.render(
            data_rule=DATA_RULE,
            team=sections.team(request.team),
            specialists=sections.specialists(request.team),
            tools=sections.tools(request.tools),
            constraints=sections.constraints(request.team),
            delivery=DELIVERY if request.delivers else NO_DELIVERY,
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
    parts = [quoted("rejected plan", plan_text(request.rejected))]
    if request.problems:
        parts.append(f"Problems to solve:\n{sections.bullets(map(str, request.problems))}")
    if request.failures:
        parts.append(f"Steps that failed; find another way:\n{sections.results(request.failures)}")
    return "\n".join(parts)


def plan_text(plan: Plan) -> str:
    """Return a plan as JSON, one step per line, without what is at its default."""
    lines: list[Mapping[str, Any]] = [step.model_dump(mode="json", exclude_defaults=True) for step in plan.steps]
    return "\n".join(map(sections.compact, lines))
