"""The composer: one answer from the steps' results."""

from dataclasses import dataclass

from agents.contracts import CompositionRequest
from agents.models import Model
from agents.roles import sections
from domain.outcomes import Draft
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE


@dataclass(frozen=True)
class Composer:
    """Writes with a model."""

    model: Model
    prompt: Prompt

    async def __call__(self, request: CompositionRequest) -> Draft:
        """Return the first draft."""
        text = await self.model.text(self.rendered(request), role="composer", emit=request.emit)
        return Draft(text=text, by="composer")

    def rendered(self, request: CompositionRequest) -> Rendered:
        """Return the text for the model."""
        return self.prompt.render(
            data_rule=DATA_RULE,
            corrections=sections.corrections(request.briefing),
            team=sections.team(request.team),
            constraints=sections.constraints(request.team),
            today=request.briefing.today,
            circumstances=sections.circumstances(request.briefing),
            kind=request.kind,
            voice=sections.voice(request.team, request.briefing),
            thresholds=sections.thresholds(request.briefing),
            goal=sections.goal(request),
            results=sections.results(request.results),
        )
