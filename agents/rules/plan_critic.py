"""The plan critic's twin: the findings that code can make."""

from agents.contracts import PlanReviewRequest
from agents.planning.findings import findings
from domain.plans import Problem


async def review_plan(request: PlanReviewRequest) -> list[Problem]:
    """Return the problems of a plan that validation cannot see."""
    return findings(request)
