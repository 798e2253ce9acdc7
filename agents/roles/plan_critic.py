"""The plan critic: conflicts, redundant steps, missing consent and risks in a plan that validation let pass.

What code can find is found by code (`agents.planning.findings`), and a plan with such findings goes back without a
model having been asked: it will be another plan when it returns.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from agents.contracts import PlanReviewRequest
from agents.models import Model
from agents.planning.findings import findings
from agents.roles import sections
from agents.roles.planner import plan_text
from agents.structured import ask
from domain.plans import Problem
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE, quoted


class ProblemAnswer(BaseModel):
    """One fault."""

    code: Literal["conflict", "redundant_step", "missing_consent", "risk", "off_goal"]
    step: str | None = None
    message: str


class ReviewAnswer(BaseModel):
    """All faults found; often none."""

    problems: list[ProblemAnswer] = Field(default_factory=list)


@dataclass(frozen=True)
class PlanCritic:
    """Reviews plans with a model."""

    model: Model
    prompt: Prompt

    async def __call__(self, request: PlanReviewRequest) -> list[Problem]:
        """Return the faults; those of steps that the plan does not have are left out."""
        if coded := findings(request):
            return coded
        answer = await ask(self.model, self.rendered(request), ReviewAnswer, role="plan_critic", emit=request.emit)
        known = {None, *(step.id for step in request.plan.steps)} - set(request.finished)
        return [Problem(**dict(problem)) for problem in answer.problems if problem.step in known]

    def rendered(self, request: PlanReviewRequest) -> Rendered:
        """Return the text for the model."""
        return self.prompt.render(
            data_rule=DATA_RULE,
            team=sections.team(request.team),
            specialists=sections.specialists(request.team),
            tools=sections.tools_in_short(request.tools.only(step.tool for step in request.plan.steps if step.tool)),
            constraints=sections.constraints(request.team),
            today=request.briefing.today,
            goal=sections.goal(request),
            finished=", ".join(request.finished) or sections.NONE,
            plan=quoted("plan", plan_text(request.plan)),
        )
