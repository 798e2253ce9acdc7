"""What is remembered of how far the system may go by itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from memory.audit import Audit
from memory.decision_kinds import DecisionKinds
from memory.records import Records
from memory.standing_rules import StandingRules
from memory.trust import Trust


@dataclass(frozen=True)
class AutonomyMemory:
    """Trust tiers, standing rules, and what became of acts of each kind."""

    trust: Trust
    rules: StandingRules
    kinds: DecisionKinds

    @classmethod
    def of(
        cls, records: Records, *, clock: Callable[[], float] = time.time, audit: Audit | None = None
    ) -> "AutonomyMemory":
        """Return what is remembered in these records."""
        trust, rules = Trust(records, clock=clock, audit=audit), StandingRules(records, clock=clock, audit=audit)
        return cls(trust, rules, DecisionKinds(records))
