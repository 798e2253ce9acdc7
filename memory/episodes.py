"""Episodic memory: what happened in the latest runs of a workspace, one entry a run."""

import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from domain.outcomes import RunStatus, Usage
from domain.plans import PlanSource, QueryKind
from memory.provenance import Provenance
from memory.records import Records, Value
from memory.workspaces import checked_workspace

TTL_SECONDS = 90 * 24 * 3600.0
WINDOW = 1000
"""Episodes that a workspace keeps."""
_TRIM_EVERY = 50
"""Episodes after which the window is moved on; until then a few more than `WINDOW` lie in the records, unseen."""


class Episode(BaseModel):
    """One run."""

    model_config = ConfigDict(extra="forbid")

    run: str
    thread: str = ""
    started: float
    """Unix time in seconds at which the goal came in."""
    team: str
    goal: str
    kind: QueryKind = "search"
    task: str
    """Id of the remembered task that the run belongs to."""
    sequence: list[str]
    source: PlanSource = "planner"
    """Where its plan came from."""
    recipe: str = ""
    """Id of the recipe that made the plan; empty without one."""
    status: RunStatus
    success: bool
    telling: bool = True
    """Whether it says something about its sequence; a run that was refused a consent does not."""
    quality: float | None = Field(default=None, ge=0, le=1)
    seconds: float = 0.0
    usage: Usage = Usage()
    error_code: str = ""
    error: str = ""
    degraded: bool = False
    policy: str = ""
    """Hash of the rules that were in force at the end (`memory.constraints.Policy`); empty where nobody could tell."""
    approvals: int = 0
    """Questions that a person answered."""
    overrides: int = 0
    """Answers that were not a plain approval: edits, rejections, responses."""
    provenance: Provenance
    """Of the goal; an error may quote a tool or a document and is never trusted."""


class Episodes:
    """The latest runs of every workspace."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock

    async def add(self, workspace: str, episode: Episode) -> None:
        """Keep an episode; adding the same run again replaces it."""
        await self._records.put(_key(workspace, episode), episode.model_dump(mode="json"), ttl=TTL_SECONDS)
        if await self._records.add(f"memory:episodes_added:{workspace}") % _TRIM_EVERY == 0:
            await self._trim(workspace)

    async def recent(self, workspace: str) -> list[Episode]:
        """Return the episodes of the window, the latest first."""
        found = await self._records.scan(_prefix(workspace))
        return [Episode.model_validate(value) for _, value in reversed(found[-WINDOW:])]

    async def of_run(self, workspace: str, run: str) -> Episode | None:
        """Return a run's episode, or None where it is not remembered."""
        return next((episode for episode in await self.recent(workspace) if episode.run == run), None)

    async def of_task(self, workspace: str, task: str) -> list[Episode]:
        """Return the episodes of a task, the latest first."""
        return [episode for episode in await self.recent(workspace) if episode.task == task]

    async def forget(self, workspace: str, task: str) -> list[Episode]:
        """Delete a task's episodes for good and return them."""
        return await self._forget(workspace, lambda value: bool(value["task"] == task))

    async def forget_thread(self, workspace: str, thread: str) -> list[Episode]:
        """Delete a thread's episodes for good and return them."""
        return await self._forget(workspace, lambda value: bool(value["thread"] == thread))

    async def _forget(self, workspace: str, meant: Callable[[Value], bool]) -> list[Episode]:
        found = await self._records.scan(_prefix(workspace))
        gone = [(key, Episode.model_validate(value)) for key, value in found if meant(value)]
        for key, _ in gone:
            await self._records.delete(key)
        return [episode for _, episode in gone]

    async def _trim(self, workspace: str) -> None:
        found = await self._records.scan(_prefix(workspace))
        for key, _ in found[:-WINDOW]:
            await self._records.delete(key)


def _prefix(workspace: str) -> str:
    return f"memory:episode:{checked_workspace(workspace)}:"


def _key(workspace: str, episode: Episode) -> str:
    # Keys are scanned in order, so the time comes first and has a fixed width.
    return f"{_prefix(workspace)}{episode.started:017.6f}:{episode.run}"
