"""The composer's twin: one answer of the steps' results."""

from agents.contracts import CompositionRequest
from agents.rules import writing
from agents.rules.evidence import Evidence, evidence_of
from domain.outcomes import Draft


async def compose(request: CompositionRequest) -> Draft:
    """Return one draft: the answer first, then figures, passages, gaps and sources."""
    lost = (f"{r.step} failed: {r.failure.message}." for r in request.results if r.failure and r.status != "done")
    evidence = evidence_of(request.results) + Evidence(gaps=tuple(lost))
    form = writing.summary if request.kind == "summary" else writing.brief
    return Draft(text=form(request.goal, evidence), by="composer", degraded=True)
