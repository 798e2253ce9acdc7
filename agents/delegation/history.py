"""The outcomes that a team's selections had in a workspace, kept in its records: what a policy is rebuilt from."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from agents.delegation.arms import Floats
from memory.records import Records
from memory.task_record import normalised
from memory.workspaces import checked_workspace

SEGMENT = 5000
"""Outcomes in one log; a full one is followed by the next."""
KEPT = 4
"""Logs that are kept, the newest included."""
_CLAIM_SECONDS = 30 * 24 * 3600.0
"""So long a run may take and still be told once."""


@dataclass(frozen=True)
class Outcome:
    """What came of giving one task to one agent. The task's text is not kept, only its features."""

    kind: str
    agent: str
    outcome: float
    """0..1."""
    seconds: float
    cost: float
    at: float
    """Unix time."""
    encoder: str
    """Which encoder the features come from; those of another one cannot be compared."""
    features: str
    """Half-precision numbers in base64; empty where the goal was not told, or was forgotten."""
    goal: str = ""
    """Digest of the goal, by which it is forgotten; empty with the features."""


def digest(goal: str) -> str:
    """Return what stands for a goal in an `Outcome`; the same but for case and spaces."""
    return hashlib.sha256(normalised(goal).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def packed(vector: Floats) -> str:
    """Return features as text for an `Outcome`."""
    return base64.b64encode(np.asarray(vector, "<f2").tobytes()).decode()


def unpacked(text: str, width: int) -> Floats:
    """Return the features of an `Outcome`; zeros where there are none, or of another width."""
    vector = np.frombuffer(base64.b64decode(text), "<f2").astype(np.float64)
    return vector if len(vector) == width else np.zeros(width)


class OutcomeHistory:
    """A rolling window over one team's outcomes in one workspace, shared by all processes that use the records.

    Outcomes go to append-only logs of `SEGMENT` entries, so that writers never wait for each other, and readers
    fetch only what is new to them.
    """

    def __init__(self, records: Records, workspace: str, team: str) -> None:
        self._records = records
        self._prefix = f"selection:{checked_workspace(workspace)}:{team}"
        self._oldest = 0
        self._read: dict[int, int] = {}

    async def claimed(self, run: str) -> bool:
        """Return whether this is the first to tell a run's outcomes; they are lost where it then fails to."""
        return await self._records.add(f"{self._prefix}:run:{run}", ttl=_CLAIM_SECONDS) == 1

    async def append(self, *outcomes: Outcome) -> None:
        """Keep one or more outcomes; the oldest log goes when there are too many."""
        segment = await self._segment()
        if await self._records.append_many(self._log(segment), [asdict(outcome) for outcome in outcomes]) >= SEGMENT:
            await self._turn(segment)

    async def forget(self, goal: str) -> int:
        """Delete the features of a goal's outcomes for good and return how many there were; the outcomes still count.

        The logs that hold one are written anew, so an outcome that another process tells meanwhile may be lost.
        """
        newest, sign, forgotten = await self._segment(), digest(goal), 0
        for segment in range(max(0, newest - KEPT + 1), newest + 1):
            entries = [entry for _, entry in await self._records.read(self._log(segment))]
            meant = [entry for entry in entries if entry.get("goal") == sign]
            forgotten += len(meant)
            if meant:
                await self._records.drop(self._log(segment))
                for entry in entries:
                    blank = {"goal": "", "features": ""} if entry.get("goal") == sign else {}
                    await self._records.append(self._log(segment), entry | blank)
        return forgotten

    async def news(self) -> list[Outcome]:
        """Return the outcomes that this object has not returned before, oldest first."""
        newest = await self._segment()
        found: list[Outcome] = []
        for segment in range(max(self._oldest, newest - KEPT + 1), newest + 1):
            found += await self._unread(segment)
        # A writer may still be adding to the log before the newest one; older ones stand still.
        self._oldest = max(0, newest - 1)
        return found

    async def _unread(self, segment: int) -> list[Outcome]:
        entries = await self._records.read(self._log(segment), after=self._read.get(segment, 0))
        if entries:
            self._read[segment] = entries[-1][0]
        return [_outcome(entry) for _, entry in entries]

    async def _segment(self) -> int:
        found = await self._records.get(self._newest)
        return int(found["segment"]) if found else 0

    async def _turn(self, segment: int) -> None:
        """Open the next log; of several writers who see this one full, one does it."""
        old = {"segment": segment} if segment else await self._records.get(self._newest)
        if await self._records.compare_and_set(self._newest, old, {"segment": segment + 1}) and segment >= KEPT - 1:
            await self._records.drop(self._log(segment - KEPT + 1))

    @property
    def _newest(self) -> str:
        return f"{self._prefix}:newest"

    def _log(self, segment: int) -> str:
        return f"{self._prefix}:outcomes:{segment}"


def _outcome(entry: Mapping[str, Any]) -> Outcome:
    return Outcome(**{name: entry[name] for name in Outcome.__dataclass_fields__ if name in entry})
