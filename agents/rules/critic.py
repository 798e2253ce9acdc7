"""The critic's twin: a deterministic rubric."""

from agents.contracts import CritiqueRequest
from agents.rules.rubric import Judgement
from domain.outcomes import Critique


async def criticise(request: CritiqueRequest) -> Critique:
    """Return the judgement of a draft by the team's aspects."""
    results = [result for result in request.results if result.status == "done"]
    return Judgement(request.draft.text, request.goal, results).critique(request.quality.critique_aspects)
