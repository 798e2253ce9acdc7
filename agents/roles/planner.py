"""The planner: several plans for a goal, or for the next stretch of one."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator, model_validator

from agents.contracts import Planning, PlanningRequest
from agents.models import Model
from agents.roles import sections
from agents.structured import ask
from agents.tools.registry import Toolbox
from domain.plans import Condition, ForEach, Plan, Problem, Repeat, Step, Strategy
from domain.validation import MAX_STEPS
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE, quoted

MAX_ALTERNATIVES = 10
"""What an answer may hold; how many are wanted is the team's (`agents.team.PlanningPolicy`)."""
_SHOWN_STEPS = MAX_STEPS
_PRIVATE = "(private; keep it as it is)"
"""Steps of a rejected plan that the prompt shows."""

DELIVERY = (
    "the answer must be written to the output folder. End with one step of a specialist that has `write_file`: "
    '`{"id": "deliver", "agent": "...", "task": "Write the answer to the output folder", "tool": "write_file", '
    '"args": {"path": "<short-name>.md", "text": {"ref": {"step": "result"}}}}`. '
    "`result` stands for the approved final draft; no other step may refer to it. Where a hard rule forbids this step, "
    "leave it out: the answer then goes to the user as text."
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
        return Planning(alternatives=[_whole(plan.plan(request), request) for plan in answer.alternatives])

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
            circumstances=sections.circumstances(request.briefing, request.recall),
            kind=request.kind,
            materials=sections.materials(request.briefing),
            memories=_memories(request),
            rejected=_rejected(request),
            goal=sections.goal(request),
        )


def _whole(plan: Plan, request: PlanningRequest) -> Plan:
    """Return a plan with the steps as they were that the model was not shown and has kept."""
    known = {step.id: step for step in request.rejected.steps} if request.rejected else {}
    hidden = {name: step for name, step in known.items() if name in request.private_steps}
    steps = [
        step.model_copy(update={"task": hidden[step.id].task, "args": hidden[step.id].args})
        if step.id in hidden and step.task == _PRIVATE
        else step
        for step in plan.steps
    ]
    return plan.model_copy(update={"steps": steps})


def _memories(request: PlanningRequest) -> str:
    """Return what was remembered as a hint, with what keeps its plan from being carried out here."""
    if request.recall.band != "hint" and not request.unfit:
        return sections.NONE
    told = sections.memories(request.recall)
    if not request.unfit:
        return told
    problems = quoted("problems of the remembered plan", sections.bullets(map(str, request.unfit)))
    return f"{told}\nThe plan remembered for this goal cannot be carried out as it was:\n{problems}"


def _rejected(request: PlanningRequest) -> str:
    """Return the plan to be improved on and what was wrong with it."""
    if request.rejected is None:
        return sections.NONE
    parts = [quoted("rejected plan", plan_text(request.rejected, most=_SHOWN_STEPS, private=request.private_steps))]
    if request.problems:
        problems = (_problem(problem, request.private_steps) for problem in request.problems)
        parts.append(f"Problems to solve:\n{sections.bullets(problems)}")
    if request.failures:
        parts.append(f"Steps that failed; find another way:\n{sections.results(request.failures, keys=True)}")
    return "\n".join(parts)


def _finished(request: PlanningRequest) -> str:
    """Return what has been done of this goal, with what it gave."""
    parts = []
    if request.finished:
        lines = (_line(step, request.private_steps) for step in request.finished)
        parts.append(quoted("finished steps", "\n".join(lines)))
    if request.results:
        parts.append(sections.results(request.results, keys=True))
    return "\n".join(parts) or sections.NONE


def _problem(problem: Problem, private: Collection[str]) -> str:
    """Return a problem in words; of a step that is not shown its kind alone."""
    return f"{problem.step}: {problem.code}" if problem.step in private else str(problem)


def plan_text(plan: Plan, *, most: int | None = None, private: Collection[str] = ()) -> str:
    """Return a plan as JSON, one step per line, without what is at its default; the first `most` steps."""
    shown = plan.steps[:most]
    left = len(plan.steps) - len(shown)
    return "\n".join([*(_line(step, private) for step in shown), *([f"(and {left} more steps)"] if left else [])])


def _line(step: Step, private: Collection[str]) -> str:
    if step.id in private:
        step = step.model_copy(update={"task": _PRIVATE, "args": {}, "returns": None, "guards": [], "condition": None})
    return sections.compact(step.model_dump(mode="json", exclude_defaults=True))
