"""Decision memory: what people decided on acts of each kind, and what came of it; the latest of each kind are kept."""

import hashlib
from collections.abc import Collection, Sequence

from pydantic import ValidationError

from domain.decisions import ActKind, DecisionOutcome, PastDecision
from memory.records import Merge, Records, Value
from memory.workspaces import checked_workspace

KEPT = 100
"""Decisions of one kind that are kept."""
TTL_SECONDS = 365 * 24 * 3600.0
"""A kind that nobody decides on for so long is forgotten."""


def _joined(known: Value | None, change: Value) -> Value:
    """Add decisions or set the outcome of known ones; the same id twice is one decision, and keeps its outcome."""
    entries = {entry["id"]: entry for entry in (known or {}).get("decisions", [])}
    for entry in change.get("decisions", []):
        entries.setdefault(entry["id"], entry)
    for key, outcome in change.get("outcomes", {}).items():
        if key in entries:
            entries[key] = entries[key] | {"outcome": outcome}
    latest = sorted(entries.values(), key=lambda entry: entry["time"])[-KEPT:]
    return {"decisions": latest}


DECIDED = Merge("decided", _joined)


class Decisions:
    """What was decided, per workspace."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def note(self, workspace: str, decision: PastDecision) -> None:
        """Keep a decision; the same one again changes nothing."""
        value = {"decisions": [decision.model_dump(mode="json")]}
        await self._records.merge(_key(workspace, decision.kind), value, DECIDED, ttl=TTL_SECONDS)

    async def note_outcome(self, workspace: str, decision: PastDecision, outcome: DecisionOutcome) -> None:
        """Keep what came of an act that was decided on; a decision that was not noted is noted with it."""
        value: Value = {
            "decisions": [decision.model_dump(mode="json")],
            "outcomes": {decision.id: outcome},
        }
        await self._records.merge(_key(workspace, decision.kind), value, DECIDED, ttl=TTL_SECONDS)

    async def undone(self, workspace: str, run: str, steps: Collection[str]) -> None:
        """Keep that what some steps of a run did was taken back."""
        for decision in await self.all(workspace):
            if decision.run == run and decision.step in steps and decision.outcome == "done":
                await self.note_outcome(workspace, decision, "undone")

    async def of_kind(self, workspace: str, kind: ActKind) -> list[PastDecision]:
        """Return the decisions on acts of exactly this kind, the latest first."""
        return _parsed([await self._records.get(_key(workspace, kind))])

    async def of_tool(self, workspace: str, tool: str) -> list[PastDecision]:
        """Return the decisions on a tool's acts in any scope, the latest first."""
        return _parsed([value for _, value in await self._records.scan(_of_tool(workspace, tool))])

    async def similar(self, workspace: str, kind: ActKind, *, limit: int = 5) -> list[PastDecision]:
        """Return decisions on the like: those of the kind itself, then those of the same tool elsewhere."""
        found = await self.of_tool(workspace, kind.tool)
        return sorted(found, key=lambda decision: decision.kind != kind)[:limit]

    async def all(self, workspace: str) -> list[PastDecision]:
        """Return every decision that is kept, the latest first."""
        return _parsed([value for _, value in await self._records.scan(_place(workspace))])

    async def forget(self, workspace: str, runs: Collection[str]) -> None:
        """Delete for good what was decided in runs."""
        for key, value in await self._records.scan(_place(workspace)):
            left = [entry for entry in value.get("decisions", []) if entry.get("run") not in runs]
            if len(left) == len(value.get("decisions", [])):
                continue
            await self._records.delete(key)
            if left:
                await self._records.merge(key, {"decisions": left}, DECIDED, ttl=TTL_SECONDS)


def _parsed(values: Sequence[Value | None]) -> list[PastDecision]:
    """Return the decisions that can be read; one that cannot speaks for nothing."""
    found = []
    for entry in (entry for value in values if value for entry in value.get("decisions", [])):
        try:
            found.append(PastDecision.model_validate(entry))
        except ValidationError:
            continue
    return sorted(found, key=lambda decision: decision.time, reverse=True)


def _place(workspace: str) -> str:
    return f"memory:decisions:{checked_workspace(workspace)}:"


def _of_tool(workspace: str, tool: str) -> str:
    return f"{_place(workspace)}{_digest(tool)}:"


def _key(workspace: str, kind: ActKind) -> str:
    return f"{_of_tool(workspace, kind.tool)}{_digest(kind.scope)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
