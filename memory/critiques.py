"""What was not good enough: critiques of drafts below the bar, and attempts that failed. Kept for a week.

They are for people and for learning what goes wrong; none of them is ever offered as a route.
"""

import hashlib
import time
from collections.abc import Callable, Collection

from pydantic import BaseModel, ConfigDict, Field

from domain.outcomes import Critique
from memory.provenance import Provenance
from memory.records import Records
from memory.workspaces import checked_workspace

TTL_SECONDS = 7 * 24 * 3600.0


class CritiqueRecord(BaseModel):
    """A critique of one draft."""

    model_config = ConfigDict(extra="forbid")

    content_id: str
    critique: Critique
    issues: list[str]
    issue_count: int = Field(ge=0)
    time: float
    """Unix time in seconds."""
    provenance: Provenance
    """Critics quote drafts, which quote documents: untrusted."""


class FailedAttempt(BaseModel):
    """A run that did not reach its goal."""

    model_config = ConfigDict(extra="forbid")

    run: str
    goal: str
    sequence: list[str]
    code: str
    message: str
    time: float
    """Unix time in seconds."""
    provenance: Provenance


def content_id(text: str) -> str:
    """Return the id of a draft: equal texts, but for blanks, have the same one."""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Critiques:
    """Critiques and failed attempts of every workspace."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock

    async def add(self, workspace: str, run: str, text: str, critique: Critique) -> CritiqueRecord:
        """Keep the critique of a draft; a later one of the same text replaces it."""
        record = CritiqueRecord(
            content_id=content_id(text),
            critique=critique,
            issues=critique.issues,
            issue_count=len(critique.issues),
            time=self._clock(),
            provenance=Provenance(writer="agent", run=run),
        )
        await self._records.put(
            _critique(workspace, record.content_id), record.model_dump(mode="json"), ttl=TTL_SECONDS
        )
        return record

    async def get(self, workspace: str, content: str) -> CritiqueRecord | None:
        """Return a critique by its content id, or None."""
        value = await self._records.get(_critique(workspace, content))
        return CritiqueRecord.model_validate(value) if value else None

    async def recent(self, workspace: str) -> list[CritiqueRecord]:
        """Return all critiques, the latest first."""
        found = [CritiqueRecord.model_validate(v) for _, v in await self._records.scan(_critique(workspace, ""))]
        return sorted(found, key=lambda record: -record.time)

    async def add_attempt(self, workspace: str, attempt: FailedAttempt) -> None:
        """Keep a failed attempt, once a run."""
        await self._records.put(_attempt(workspace, attempt.run), attempt.model_dump(mode="json"), ttl=TTL_SECONDS)

    async def attempts(self, workspace: str) -> list[FailedAttempt]:
        """Return all failed attempts, the latest first."""
        found = [FailedAttempt.model_validate(v) for _, v in await self._records.scan(_attempt(workspace, ""))]
        return sorted(found, key=lambda attempt: -attempt.time)

    async def forget(self, workspace: str, runs: Collection[str]) -> None:
        """Delete for good what these runs left behind."""
        for prefix in (_critique(workspace, ""), _attempt(workspace, "")):
            for key, value in await self._records.scan(prefix):
                if value["provenance"]["run"] in runs:
                    await self._records.delete(key)


def _critique(workspace: str, content: str) -> str:
    return f"memory:critique:{checked_workspace(workspace)}:{content}"


def _attempt(workspace: str, run: str) -> str:
    return f"memory:attempt:{checked_workspace(workspace)}:{run}"
