"""What one turn of a task left behind, as the scorers read it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from agents.tools.tables import Tables
from domain import events as ev
from domain.approvals import ActionRequest
from domain.events import Stamped
from domain.outcomes import Outcome
from domain.plans import Plan
from domain.routing import RouteDecision
from graph.trace import Trace

E = TypeVar("E", bound=ev._Event)


@dataclass(frozen=True)
class Evidence:
    """The events of one turn, its trace, and the folders that it worked on."""

    events: Sequence[Stamped]
    trace: Trace
    """With what the ledger knows."""
    data: Path | None = None
    """Folder of documents and tables."""
    tables: Tables | None = None
    """Those of the folder, loaded once for all tasks that share it."""
    out: Path | None = None
    """Folder of deliveries."""

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in their order."""
        return [stamped.event for stamped in self.events if isinstance(stamped.event, kind)]

    @cached_property
    def outcome(self) -> Outcome | None:
        """How the turn ended; None where it waits or was stopped."""
        ended = self.of(ev.RunFinished)
        return ended[-1].outcome if ended else None

    @cached_property
    def decision(self) -> RouteDecision | None:
        """Which way the goal went."""
        decided = self.of(ev.RouteDecided)
        return decided[-1].decision if decided else None

    @cached_property
    def plan(self) -> Plan | None:
        """The plan that was carried out, or else the last one proposed."""
        if self.outcome and self.outcome.plan:
            return self.outcome.plan
        proposed = self.of(ev.PlanProposed)
        return proposed[-1].plan if proposed else None

    @cached_property
    def agents(self) -> list[str]:
        """The agents in the order in which their steps began, consecutive repeats merged."""
        return merged(started.agent for started in self.of(ev.StepStarted))

    @cached_property
    def tools(self) -> list[str]:
        """The tools, step by step in the order in which the steps began, each as it called them.

        Steps that go on side by side call tools in another order each time; this one is the same in every replay.
        """
        begun = {started.step: number for number, started in reversed([*enumerate(self.of(ev.StepStarted))])}
        return [c.tool for c in sorted(self.of(ev.ToolCalled), key=lambda call: begun.get(call.step, len(begun)))]

    @cached_property
    def requests(self) -> list[ActionRequest]:
        """What a person was asked, each request once."""
        asked = {r.id: r for event in self.of(ev.ApprovalRequested) for r in event.requests}
        return list(asked.values())


def merged(names: Iterable[str]) -> list[str]:
    """Return the names without consecutive repeats."""
    kept: list[str] = []
    for name in names:
        if not kept or kept[-1] != name:
            kept.append(name)
    return kept
