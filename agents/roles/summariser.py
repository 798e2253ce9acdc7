"""The summariser: older turns of a conversation, folded into a running summary."""

from dataclasses import dataclass

from agents.contracts import FoldingRequest
from agents.models import Model, conversation, text_of
from agents.roles import sections
from domain.outcomes import Draft
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE, quoted


@dataclass(frozen=True)
class Summariser:
    """Summarises with a model."""

    model: Model
    prompt: Prompt

    async def __call__(self, request: FoldingRequest) -> Draft:
        """Return the new summary."""
        rendered = self.rendered(request)
        messages = conversation(rendered)
        answer = await self.model.call(messages, role="summariser", emit=request.emit, prompt=rendered.template)
        return Draft(text=text_of(answer), by="summariser")

    def rendered(self, request: FoldingRequest) -> Rendered:
        """Return the text for the model."""
        return self.prompt.render(
            data_rule=DATA_RULE,
            words=str(request.words),
            summary=quoted("summary", request.summary) if request.summary else sections.NONE,
            turns=quoted("turns", "\n".join(request.turns)),
        )
