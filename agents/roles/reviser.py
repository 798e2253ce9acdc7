"""The reviser: a draft without the issues that the critic found."""

from dataclasses import dataclass

from agents.contracts import RevisionRequest
from agents.models import Model
from agents.roles import sections
from domain.outcomes import Draft
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE, quoted


@dataclass(frozen=True)
class Reviser:
    """Revises with a model."""

    model: Model
    prompt: Prompt

    async def __call__(self, request: RevisionRequest) -> Draft:
        """Return the next draft."""
        text = await self.model.text(self.rendered(request), role="reviser", emit=request.emit)
        return Draft(text=text, by="reviser")

    def rendered(self, request: RevisionRequest) -> Rendered:
        """Return the text for the model."""
        return self.prompt.render(
            data_rule=DATA_RULE,
            corrections=sections.corrections(request.briefing),
            team=sections.team(request.team),
            constraints=sections.constraints(request.team),
            today=request.briefing.today,
            voice=sections.voice(request.team, request.briefing),
            goal=sections.goal(request),
            results=sections.results(request.results),
            issues=sections.bullets(request.critique.issues),
            draft=quoted("draft", request.draft.text),
        )
