"""The standing rules and trust tiers of one workspace, as its people see and set them."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from domain.autonomy import Autonomy, Tier
from domain.errors import InvalidRule
from domain.standing import MAX_DAYS, Scope, StandingRule
from graph.acts import judge
from memory.autonomy import AutonomyMemory
from memory.effects import EffectLedger
from memory.provenance import Provenance
from memory.standing_rules import RuleChange, Standing

_DAY = 24 * 3600.0


@dataclass(frozen=True)
class WorkspaceRules:
    """What one user may do with the standing rules of a workspace."""

    memory: AutonomyMemory
    effects: EffectLedger
    workspace: str
    person: Provenance
    bounds: Autonomy
    """Of the team."""
    clock: Callable[[], float]
    """Unix time in seconds."""

    async def listed(self) -> list[Standing]:
        """Return every standing rule and how it stands, the last changed first."""
        return await self.memory.rules.listed(self.workspace)

    async def get(self, rule: str) -> Standing:
        """Return a rule and how it stands, or raise `UnknownRule`."""
        return await self.memory.rules.get(self.workspace, rule)

    async def history(self, rule: str) -> list[RuleChange]:
        """Return the moves of a rule, oldest first."""
        return await self.memory.rules.history(self.workspace, rule)

    async def propose(self, name: str, scope: Scope, *, days: float = 90, user: str = "") -> StandingRule:
        """Propose a rule by hand; it is in force once it is accepted.

        Args:
            name: Its id.
            scope: What it lets pass.
            days: Until it ends.
            user: For whose runs; empty: for those of who proposes it.

        Raises:
            InvalidRule: The id is taken or not usable, or the rule ends too late or never.
        """
        if not 0 < days <= MAX_DAYS:
            msg = f"a standing rule lasts for 1 to {MAX_DAYS} days, not {days:g}"
            raise InvalidRule(msg)
        end = self.clock() + days * _DAY
        whom = user or self.person.user
        try:
            rule = StandingRule(id=name, user=whom, scope=scope, expires=end, evidence="written by hand")
        except ValidationError as error:
            msg = f"{name!r:.60} is no name for a rule: use a-z, 0-9, - and _, a letter first, at most 60"
            raise InvalidRule(msg) from error
        return await self.memory.rules.propose(self.workspace, rule, self.person)

    async def accept(self, rule: str) -> StandingRule:
        """Put a proposed rule in force, or raise `UnknownRule`."""
        return await self.memory.rules.accept(self.workspace, rule, self.person)

    async def retire(self, rule: str, why: str = "") -> StandingRule:
        """Put a rule out of force, or refuse a proposed one; raise `UnknownRule` where neither can be."""
        return await self.memory.rules.retire(self.workspace, rule, self.person, why)

    async def trust(self, user: str, tier: Tier) -> None:
        """Say how much may be done for a user without asking, or raise `InvalidRule`."""
        await self.memory.trust.set(self.workspace, user, tier, self.person)

    async def tiers(self) -> dict[str, Tier]:
        """Return the tiers that users were given; everybody else has the team's."""
        return await self.memory.trust.listed(self.workspace)

    async def complain(self, run: str, user: str) -> None:
        """Let acts of the kinds of a run's effects be asked about again.

        Args:
            run: The run that somebody was not content with.
            user: For whom it worked.
        """
        effects = [entry.effect for entry in await self.effects.of_run(self.workspace, run) if entry.state == "done"]
        await judge(self.memory, self.workspace, user, effects, "complained", now=self.clock())
