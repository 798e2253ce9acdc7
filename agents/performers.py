"""Specialists whose work is code of their own, in place of a model or the rule-based twin."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agents.contracts import Assignment, Cast, Role
from agents.team import Specialist
from agents.tools.containment import contained
from domain.errors import MalformedOutput
from domain.outcomes import StepResult


@dataclass(frozen=True)
class Performer:
    """A specialist with what does its steps."""

    specialist: Specialist
    play: Role[Assignment, StepResult]
    """Takes a step with its inputs and tools; raises a `ToolError` where it cannot do it."""
    timeout: float = 300.0
    """Seconds that a step may take."""

    @property
    def name(self) -> str:
        """Name of the specialist."""
        return self.specialist.name


def performing(cast: Cast, performers: Mapping[str, Performer]) -> Cast:
    """Return a cast in which these do their own steps; everybody else plays as before."""
    if not performers:
        return cast
    others = cast.specialist

    async def played(request: Assignment) -> StepResult:
        performer = performers.get(request.specialist.name)
        return await (others(request) if performer is None else _performed(performer, request))

    return replace(cast, specialist=played)


async def _performed(performer: Performer, request: Assignment) -> StepResult:
    result = await contained(performer.play(request), performer.name, performer.timeout)
    if not isinstance(result, StepResult):
        msg = f"{performer.name} gave a {type(result).__name__} in place of a StepResult"
        raise MalformedOutput(msg)
    # Whom it says to be, and who stands behind its words, is not for it to say.
    update = {"step": request.step.id, "agent": performer.name, "origin": "untrusted"}
    return result.model_copy(update=update)
