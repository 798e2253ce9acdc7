"""The supervisor: which way a goal goes when memory does not already know."""

from dataclasses import dataclass
from typing import Literal, Self

from langchain_core.utils.json import parse_partial_json
from pydantic import BaseModel, Field, model_validator

from agents.contracts import RoutingRequest
from agents.models import Model
from agents.roles import sections
from agents.structured import ask, unfenced
from domain.plans import QueryKind
from domain.routing import RouteDecision, RouteSource
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE


class RouteAnswer(BaseModel):
    """Which way the request goes."""

    route: Literal["plan", "reply", "ask", "refuse"]
    kind: QueryKind = "search"
    message: str = Field(default="", description="The reply, the question or the refusal; empty for a plan")
    reason: str = ""

    @model_validator(mode="after")
    def _speaks(self) -> Self:
        if self.route != "plan" and not self.message.strip():
            msg = f"a {self.route} needs a message"
            raise ValueError(msg)
        return self


_SOURCES: dict[str, RouteSource] = {"plan": "planner", "reply": "reply", "ask": "ask", "refuse": "refuse"}
_TOLD = frozenset(_SOURCES) - {"plan"}


def message_in(text: str) -> str:
    """Return what a person is told of an answer that is still coming: nothing before it is clear that it is for them.

    A message that belongs to a plan is for nobody, so the way must be known first.
    """
    try:
        found = parse_partial_json(unfenced(text))
    except ValueError:
        return ""
    if not isinstance(found, dict) or found.get("route") not in _TOLD:
        return ""
    message = found.get("message")
    return message if isinstance(message, str) else ""


@dataclass(frozen=True)
class Supervisor:
    """Decides with a model; called only for goals that memory does not reuse a plan for."""

    model: Model
    prompt: Prompt

    async def __call__(self, request: RoutingRequest) -> RouteDecision:
        """Return the way, with what memory recalled beside it."""
        answer = await ask(
            self.model, self.rendered(request), RouteAnswer, role="supervisor", emit=request.emit, shown=message_in
        )
        recall = request.recall
        return RouteDecision(
            source=_SOURCES[answer.route],
            kind=answer.kind,
            confidence=recall.confidence,
            band=recall.band,
            neighbours=recall.neighbours,
            explanation=answer.reason,
            message="" if answer.route == "plan" else answer.message.strip(),
        )

    def rendered(self, request: RoutingRequest) -> Rendered:
        """Return the text for the model."""
        return self.prompt.render(
            data_rule=DATA_RULE,
            team=sections.team(request.team),
            specialists=sections.specialists(request.team),
            constraints=sections.constraints(request.team),
            today=request.briefing.today,
            conversation=sections.conversation(request.briefing)
            + sections.earlier(request.briefing, request.earlier_chars),
            materials=sections.materials(request.briefing),
            memories=sections.memories(request.recall),
            goal=request.goal,
        )
