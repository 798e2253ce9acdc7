"""The critic: scores a draft by aspects and says what to change."""

from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from agents.contracts import CritiqueRequest
from agents.models import Model
from agents.roles import sections
from agents.structured import ask
from agents.team import DEFAULT_ASPECTS, Quality
from domain.outcomes import Critique
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE, quoted


class CritiqueAnswer(BaseModel):
    """A judgement of a draft, aspect by aspect."""

    aspects: dict[str, Annotated[float, Field(ge=0, le=1)]]
    issues: list[str] = Field(default_factory=list)

    @field_validator("aspects")
    @classmethod
    def _complete(cls, aspects: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        """Keep the aspects that were asked for; each must be there."""
        wanted = (info.context or {}).get("aspects", ())
        if missing := [aspect for aspect in wanted if aspect not in aspects]:
            msg = f"a score is missing for {', '.join(missing)}"
            raise ValueError(msg)
        return {aspect: aspects[aspect] for aspect in wanted}


@dataclass(frozen=True)
class Critic:
    """Judges with a model."""

    model: Model
    prompt: Prompt

    async def __call__(self, request: CritiqueRequest) -> Critique:
        """Return the judgement; its score is the mean of the aspects that were asked for."""
        prompt, wanted = self.rendered(request), {"aspects": _aspects(request.quality)}
        answer = await ask(self.model, prompt, CritiqueAnswer, role="critic", emit=request.emit, context=wanted)
        return Critique(score=fmean(answer.aspects.values()), aspects=answer.aspects, issues=answer.issues)

    def rendered(self, request: CritiqueRequest) -> Rendered:
        """Return the text for the model."""
        return self.prompt.render(
            data_rule=DATA_RULE,
            team=sections.team(request.team),
            constraints=sections.constraints(request.team),
            aspects=", ".join(_aspects(request.quality)),
            today=request.briefing.today,
            voice=sections.voice(request.team, request.briefing),
            thresholds=sections.thresholds(request.briefing),
            goal=sections.goal(request),
            results=sections.results(request.results, draft=request.draft.text),
            draft=quoted("draft", request.draft.text),
        )


def _aspects(quality: Quality) -> tuple[str, ...]:
    return quality.critique_aspects or DEFAULT_ASPECTS
