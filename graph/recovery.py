"""What is done when a step fails, rung by rung: the same once more, somebody else, another tool, a simpler way.

The rungs after these belong to the plan as a whole (`graph.onward`): another plan, then an end with what there is.
Each rung is an event that says why. Which failures are worth which rung says `domain.reactions`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, wait_exponential_jitter
from tenacity.retry import retry_if_result

from agents.contracts import Emit
from domain.events import RecoveryChosen, Rung
from domain.outcomes import StepResult, Usage
from domain.plans import Step
from domain.reactions import Reaction, reaction_to
from graph.binding import offers_for
from graph.context import Run
from graph.delegating import agents_for
from graph.privacy import by_rules_only
from graph.reports import Slot
from graph.state import State

MAX_PAUSE = 30.0
"""Seconds that a pause before another try may grow to."""


class Way(NamedTuple):
    """Somebody who could do a step, with something."""

    agent: str
    tool: str | None = None
    rung: Rung = "retry"
    """What taking this way is called; the planned way comes first and needs no name."""
    by_rules: bool = False
    """Whether the specialist's rule-based twin does it."""
    tries: int | None = None
    """Tries that it has; None: as many as any way."""
    alike: bool = False
    """Whether it makes the same call as the way before it, on another resource: no help against a refusal."""


Attempt = Callable[[Way, int], Awaitable[StepResult]]
"""Tries a way; the number counts all tries at the step from 1. Failures are results, not errors."""


async def ways_of(step: Step, state: State, run: Run) -> list[Way]:
    """Return the ways to do a step, in the order in which they are tried.

    A tool that the step is rebound to has its tries there, and does not come again as another tool.
    """
    planned = Way(agents_for(step, state, run)[0], step.tool)
    ranked = (await offers_for(step, planned.agent, step.tool, run)).ranked
    reached = {offer.resource.uses for offer in ranked} if step.tool else set[str]()
    alike = planned._replace(alike=len(reached) == 1)
    bound = bound_ways(alike, len(ranked), run.services.limits.max_attempts)
    others = [way for way in await alternatives_for(step, state, run) if way.tool not in reached]
    return [_kept_here(way, step, run) for way in [*bound, *others]]


def _kept_here(way: Way, step: Step, run: Run) -> Way:
    """Return a way that keeps the step's data from models that may not be given it."""
    if way.tool or way.by_rules or not by_rules_only(step, way.agent, run):
        return way
    return way._replace(by_rules=True)


def bound_ways(planned: Way, resources: int, tries: int) -> list[Way]:
    """Return the planned way once for each resource; what is left of its tries then comes last."""
    if resources <= 1:
        return [planned]
    rebound = [planned._replace(rung="rebind", tries=1) for _ in range(resources - 1)]
    rebound[-1] = rebound[-1]._replace(tries=max(1, tries - resources + 1))
    return [planned._replace(tries=1), *rebound]


async def alternatives_for(step: Step, state: State, run: Run) -> list[Way]:
    """Return who and what else could do a step when the planned way fails."""
    if step.tool:
        return [Way(step.agent, tool, "alternative_tool") for tool in _other_tools(step, run)]
    others = [Way(agent, None, "fallback") for agent in agents_for(step, state, run)[1:]]
    return [*others, Way(step.agent, None, "degrade", by_rules=True)] if _degrades(state, run) else others


def _other_tools(step: Step, run: Run) -> list[str]:
    """Return the tools that may be called in place of the step's own; none for one that writes."""
    tools, able = run.services.tools.tools, run.services.team.specialist(step.agent).tools
    planned = tools.get(step.tool or "")
    if planned is None or planned.effect == "write":
        return []
    return [name for name in planned.alternatives if name in able and name in tools and tools[name].effect != "write"]


def _degrades(state: State, run: Run) -> bool:
    """Return whether a rule-based twin may do the work: models lead, and there is no further plan to hope for."""
    services = run.services
    return services.cast.mode != "rules" and state.get("replans", 0) >= services.limits.max_replans


@dataclass
class Ladder:
    """The tries at one step."""

    step: Step
    ways: Sequence[Way]
    attempt: Attempt
    slot: Slot
    """Held while something is tried, and given back during a pause."""
    emit: Emit
    max_attempts: int
    """Tries at each way."""
    pause: float
    """Seconds before the second try; twice as long before each further one, with jitter."""
    _tried: list[StepResult] = field(default_factory=list)

    @property
    def tried(self) -> Sequence[StepResult]:
        """What all tries came to, in order."""
        return self._tried

    async def climb(self) -> StepResult:
        """Return the first satisfying result, else the best there is, with the sum of what all tries took."""
        for way in self.ways:
            if self._tried:
                if way.alike and _reaction(self._tried[-1]) == "other":
                    continue
                self._tell(way.rung, self._tried[-1])
            result = await self._retried(way)
            if not self._unsatisfying(result) or _reaction(result) == "stop":
                break
        done = [result for result in self._tried if result.status == "done"]
        return self._summed((done or self._tried)[-1])

    async def _retried(self, way: Way) -> StepResult:
        """Try one way until it works, fails for good, or has had its tries."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(way.tries or self.max_attempts),
            wait=wait_exponential_jitter(multiplier=self.pause, max=MAX_PAUSE, jitter=self.pause),
            retry=retry_if_result(lambda result: _reaction(result) == "retry"),
            before_sleep=self._tell_of_retry,
            retry_error_callback=_last_result,
        )
        result: StepResult = await retrying(self._once, way)
        return result

    async def _once(self, way: Way) -> StepResult:
        async with self.slot():
            result = await self.attempt(way, len(self._tried) + 1)
        self._tried.append(result)
        return result

    def _unsatisfying(self, result: StepResult) -> bool:
        return result.status == "failed" or (result.empty and self.step.on_empty == "fallback")

    def _tell_of_retry(self, retrying: RetryCallState) -> None:
        wait = retrying.next_action.sleep if retrying.next_action else 0.0
        self._tell("retry", self._tried[-1], wait)

    def _tell(self, rung: Rung, after: StepResult, wait: float = 0.0) -> None:
        self.emit(RecoveryChosen(step=self.step.id, rung=rung, why=reason(after), wait=wait))

    def _summed(self, result: StepResult) -> StepResult:
        sums = {
            "attempts": len(self._tried),
            "seconds": sum(each.seconds for each in self._tried),
            "usage": sum((each.usage for each in self._tried), Usage()),
        }
        return result.model_copy(update=sums)


def _reaction(result: StepResult) -> Reaction | None:
    """Return what is worth trying after a result, or None where it did not fail."""
    return reaction_to(result.failure.code) if result.status == "failed" and result.failure else None


def _last_result(retrying: RetryCallState) -> StepResult:
    """Return the result of the last try; used in place of tenacity's own error."""
    result: StepResult = retrying.outcome.result()  # type: ignore[union-attr]  # set before anybody is asked
    return result


def reason(result: StepResult) -> str:
    """Return in words why a result is not enough."""
    if result.failure:
        return f"{result.agent}: {result.failure.code}: {result.failure.message}"
    return f"{result.agent} found nothing"
