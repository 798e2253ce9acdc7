"""The explainer: questions about a run, answered from what is known of it."""

from dataclasses import dataclass

from agents.contracts import ExplanationRequest
from agents.models import Model
from agents.roles import sections
from domain.outcomes import Draft
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE, quoted

_FACT_CHARS = 12_000


@dataclass(frozen=True)
class Explainer:
    """Explains with a model."""

    model: Model
    prompt: Prompt

    async def __call__(self, request: ExplanationRequest) -> Draft:
        """Return the answer."""
        text = await self.model.text(self.rendered(request), role="explainer", emit=request.emit)
        return Draft(text=text, by="explainer")

    def rendered(self, request: ExplanationRequest) -> Rendered:
        """Return the text for the model."""
        facts = "\n\n".join(f"{head}:\n{sections.bullets(lines)}" for head, lines in request.facts.sections())
        return self.prompt.render(
            data_rule=DATA_RULE,
            team=sections.team(request.team),
            facts=quoted("run", facts, limit=_FACT_CHARS),
            question=request.question,
        )
