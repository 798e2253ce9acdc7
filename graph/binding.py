"""Binding: which of the team's resources does a step now, and which take its place when that one fails.

Without declared resources nothing is bound. A writing step is never handed to another tool than the approved one: its
resource only says whether it may be given the data, and how many may use it at once.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from agents.resources.offers import Offer, Offers
from agents.team import Specialist
from agents.tools.registry import Toolbox
from domain.errors import ResourceUnavailable
from domain.events import ResourceBound
from domain.outcomes import StepResult
from domain.plans import Plan, Problem, Step
from domain.privacy import SENSITIVE, as_private_as_read
from domain.reactions import reaction_to
from domain.resources import Resource
from graph.context import Run

SLOW = 4.0
"""A step that takes this many times what its resource took so far is handed to the next one."""


class Bound(NamedTuple):
    """What a step's plan names, and what the team has for it."""

    step: str
    agent: str
    offers: Offers


async def offers_for(step: Step, agent: str, tool: str | None, run: Run) -> Offers:
    """Return what could do a step for an agent, best first; nothing where no resource is declared for it."""
    desk, services = run.services.resources, run.services
    if desk is None:
        return Offers((), {})
    specialist, workspace = services.team.specialist(agent), run.context.workspace
    if tool is not None:
        return await desk.offers(workspace, step, frozenset({tool}), usable=_reaching(tool, specialist, services.tools))
    if services.cast.mode == "rules":
        return Offers((), {})  # the rule-based twins work here, with no model
    found = await desk.offers(workspace, step, frozenset({agent, *specialist.capabilities}), usable=_is_model)
    if found.ranked or found.refused or step.privacy not in SENSITIVE or not any(map(_is_model, desk.resources)):
        return found
    # Where models are declared, what is private goes to no model that nobody has declared.
    return Offers((), {"the model that is set": f"the step's data is {step.privacy}, and nobody says it may see that"})


def _is_model(resource: Resource) -> bool:
    return resource.kind == "model"


def _reaching(tool: str, specialist: Specialist, tools: Toolbox) -> Callable[[Resource], bool]:
    """Return whether a resource does what a tool does: through it, or where nothing is written through another."""
    planned = tools.tools.get(tool)
    writes = planned is not None and planned.effect == "write"
    able = {tool} if writes else tools.only(specialist.tools).without_writes().tools.keys() | {tool}

    def usable(resource: Resource) -> bool:
        return not _is_model(resource) and resource.uses in able

    return usable


async def bindings(plan: Plan, run: Run) -> list[Bound]:
    """Return for each step of a plan that does work what the team has for it."""
    steps = [step for step in as_private_as_read(plan).steps if not step.joins]
    return [Bound(s.id, s.agent, await offers_for(s, s.agent, s.tool, run)) for s in steps]


async def unavailable(plan: Plan, run: Run) -> list[Problem]:
    """Return a problem for each step that has resources, none of which may be given to it."""
    if run.services.resources is None:
        return []
    return [
        Problem(code="unavailable_resource", step=bound.step, message=_refusals(bound.offers))
        for bound in await bindings(plan, run)
        if bound.offers.refused and not bound.offers.ranked
    ]


def _refusals(offers: Offers) -> str:
    return "; ".join(f"{name}: {why}" for name, why in sorted(offers.refused.items()))


@dataclass
class Binder:
    """Binds the tries at one step: each to the best resource that has a place and has not failed at it."""

    step: Step
    run: Run
    _failed: set[str] = field(default_factory=set)
    _others: bool = False
    """Whether another resource is left for the step beside the one that it is bound to now."""

    @asynccontextmanager
    async def bound(self, agent: str, tool: str | None) -> AsyncIterator[Offer | None]:
        """Hold a place on a resource for the length of the block; None where none is declared for the step.

        Raises:
            ResourceUnavailable: Resources are declared, and none may be given the step.
            ResourceBusy: No place came free within the step's time.
        """
        offers = await offers_for(self.step, agent, tool, self.run)
        desk = self.run.services.resources
        if desk is None or not (offers.ranked or offers.refused):
            yield None
            return
        if not offers.ranked:
            raise ResourceUnavailable(f"nothing may be given step {self.step.id!r} ({_refusals(offers)})")
        holder, patience = f"{self.run.run}:{self.step.id}", self.step.timeout / len(offers.ranked)
        async with desk.reserved(offers.ranked, holder, patience, without=self._struck(offers.ranked)) as offer:
            self._others = any(o.resource.name not in {*self._failed, offer.resource.name} for o in offers.ranked)
            self.run.emit(_event(self.step, offer, offers))
            yield offer

    def patience(self, offer: Offer | None) -> float:
        """Return the seconds that a try may take.

        They are less than the step's where the resource is known to be faster and another one could take over.
        """
        if offer is None or offer.measured is None or not self._others:
            return self.step.timeout
        return min(self.step.timeout, max(1.0, SLOW * offer.measured))

    async def note(self, offer: Offer | None, result: StepResult, started: float) -> None:
        """Remember how a resource did; one that failed is asked last for this step.

        A failure that another try would not mend (a refusal, a rule, a budget) says nothing about the resource.
        """
        desk = self.run.services.resources
        if desk is None or offer is None:
            return
        done = result.status != "failed"
        if not done:
            self._failed.add(offer.resource.name)
        if done or (result.failure is not None and reaction_to(result.failure.code) == "retry"):
            seconds = time.monotonic() - started
            await desk.note(self.run.context.workspace, offer.resource.name, done=done, seconds=seconds)

    def _struck(self, ranked: Sequence[Offer]) -> set[str]:
        """Return the resources not to be asked: those that failed, unless all have."""
        names = {offer.resource.name for offer in ranked}
        return set() if names <= self._failed else self._failed


def _event(step: Step, offer: Offer, offers: Offers) -> ResourceBound:
    others = [str(other) for other in offers.ranked if other is not offer]
    return ResourceBound(
        step=step.id,
        resource=offer.resource.name,
        placement=offer.resource.placement,
        why=f"{offer}; others: {', '.join(others) or 'none'}"
        + (f"; refused: {_refusals(offers)}" if offers.refused else ""),
    )
