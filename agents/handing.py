"""What a specialist reads of the steps before its own: their results, made ready by the pair's transformers."""

from dataclasses import dataclass, field

from agents.context_cache import ContextCache
from agents.contracts import Assignment
from agents.transformers import Transformers, standard_transformers
from domain.errors import ToolError
from domain.outcomes import StepResult

_PARTS = {"text", "data", "sources"}


@dataclass(frozen=True)
class Handing:
    """Hands results from specialist to specialist."""

    transformers: Transformers = field(default_factory=standard_transformers)
    cache: ContextCache = field(default_factory=ContextCache)

    def inputs(self, request: Assignment) -> list[StepResult]:
        """Return the results that a step needs, as its specialist gets them."""
        return [self._handed(result, request) for result in request.inputs.values()]

    def _handed(self, result: StepResult, request: Assignment) -> StepResult:
        workspace, target = request.briefing.workspace, request.specialist.name
        try:
            context = result.model_dump(mode="json", include=_PARTS)
            made = self.cache.transform(self.transformers, workspace, result.agent, target, context)
            return StepResult.model_validate(result.model_dump(exclude=_PARTS) | made)
        except (ToolError, ValueError):
            return result  # as it was: longer, but nothing is lost
