"""Checkpoints of a workspace, beside those of its teams, every version kept in an append-only log.

A workspace can add checkpoints and tighten; it cannot loosen. One of the same name as a team's does not replace that
one: both stand, and the stricter one wins; so what a team file asks for is asked, whatever a workspace says.
"""

import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from cachetools import LRUCache
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.audit import AuditEntry, digest
from domain.checkpoints import Checkpoint
from domain.errors import InvalidCheckpoint, StorageAway, UnknownCheckpoint
from domain.mistakes import mistakes_in
from memory.audit import Audit
from memory.provenance import Provenance
from memory.records import Records, Value
from memory.workspaces import checked_workspace

Move = Literal["added", "removed"]
_KNOWN = 256
"""Workspaces whose checkpoints are known while the records are away."""


class CheckpointVersion(BaseModel):
    """One move in the life of a workspace's checkpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = 0
    """Its place in the workspace's log, from 1."""
    name: str
    move: Move
    checkpoint: Value | None = None
    """The checkpoint as data, with `added`."""
    team: str = ""
    """The team for which it stands; empty for every team."""
    time: float
    """Unix time in seconds."""
    provenance: Provenance


class Standing(NamedTuple):
    """A checkpoint of a workspace that is in force."""

    checkpoint: Checkpoint
    team: str
    """The team for which it stands; empty for every team."""
    readable: bool = True
    """False where it only stands in for one that cannot be read."""


class WorkspaceCheckpoints:
    """The checkpoints of every workspace."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time, audit: Audit | None = None) -> None:
        """Set up the checkpoints.

        Args:
            records: Where they are kept.
            clock: Returns unix time in seconds.
            audit: Where each move is noted before it is made; None notes nothing.
        """
        self._records = records
        self._clock = clock
        self._audit = audit
        self._known: LRUCache[str, tuple[Standing, ...]] = LRUCache(_KNOWN)

    async def add(self, workspace: str, checkpoint: Checkpoint, by: Provenance, *, team: str = "") -> CheckpointVersion:
        """Put a checkpoint in force; one of the same name is replaced.

        Args:
            workspace: Whose.
            checkpoint: What stands from now on.
            by: Who says so.
            team: The team for which it stands; empty for every team.

        Raises:
            InvalidCheckpoint: It is not a person who adds it, or it stands at a specialist and names no team.
        """
        _refuse_machines(by)
        if checkpoint.specialist and not team:
            msg = f"{checkpoint.name!r} stands at {checkpoint.specialist!r}, so it needs the team that has it"
            raise InvalidCheckpoint(msg)
        return await self._moved(workspace, checkpoint.name, "added", by, checkpoint, team)

    async def remove(self, workspace: str, name: str, by: Provenance) -> CheckpointVersion:
        """Put a checkpoint out of force; its versions stay in the history.

        Raises:
            UnknownCheckpoint: The workspace has none of this name.
            InvalidCheckpoint: It is not a person who removes it.
        """
        _refuse_machines(by)
        known = {version.name for version in _folded(await self.history(workspace))}
        if name not in known:
            msg = (
                f"workspace {workspace!r} has no checkpoint {name!r:.100}; it has {', '.join(sorted(known)) or 'none'}"
            )
            raise UnknownCheckpoint(msg)
        return await self._moved(workspace, name, "removed", by)

    async def history(self, workspace: str) -> list[CheckpointVersion]:
        """Return every version of every checkpoint, oldest first."""
        log = await self._records.read(_log(workspace))
        return [_version(number, value) for number, value in log]

    async def standing(self, workspace: str) -> tuple[Standing, ...]:
        """Return the checkpoints in force, by name; while the records are away, those last seen.

        In place of one that cannot be read stands one that asks about every effect.

        Raises:
            StorageAway: The records cannot be read, and the checkpoints have not been seen before.
        """
        try:
            found = tuple(_read(version) for version in _folded(await self.history(workspace)))
        except StorageAway:
            if workspace not in self._known:
                raise
            return self._known[workspace]
        self._known[workspace] = found
        return found

    async def _moved(
        self,
        workspace: str,
        name: str,
        move: Move,
        by: Provenance,
        checkpoint: Checkpoint | None = None,
        team: str = "",
    ) -> CheckpointVersion:
        data = checkpoint.model_dump(mode="json", exclude_defaults=True) if checkpoint else None
        version = CheckpointVersion(name=name, move=move, checkpoint=data, team=team, time=self._clock(), provenance=by)
        if self._audit is not None:
            noted = {"checkpoint": name, "move": move} | ({"hash": digest(data)} if data else {})
            entry = AuditEntry(kind="checkpoint", who=by.who, why=f"{by.writer} {move} the checkpoint", data=noted)
            await self._audit.note(workspace, entry)
        number = await self._records.append(_log(workspace), version.model_dump(mode="json", exclude={"number"}))
        return version.model_copy(update={"number": number})


def unreadable(name: str, why: str) -> Checkpoint:
    """Return the checkpoint that stands in place of one that nobody can read: every effect is asked about."""
    description = f"{why}, so every effect is asked about"
    return Checkpoint(name=name[:100] or "unreadable", description=description, condition="ON_EFFECT")


def parsed_checkpoint(value: Value) -> Checkpoint:
    """Return a checkpoint from its JSON form, or raise `InvalidCheckpoint` naming each mistake."""
    try:
        return Checkpoint.model_validate(value)
    except ValidationError as error:
        msg = f"this is no checkpoint: {mistakes_in(error)}"
        raise InvalidCheckpoint(msg) from error


def _version(number: int, value: Value) -> CheckpointVersion:
    """Return a version; what cannot be read at all counts as a checkpoint that cannot be read."""
    try:
        return CheckpointVersion.model_validate(value | {"number": number})
    except ValidationError:
        nobody = Provenance(writer="import")
        name = f"unreadable-{number}"
        return CheckpointVersion(number=number, name=name, move="added", checkpoint={}, time=0, provenance=nobody)


def _folded(history: Sequence[CheckpointVersion]) -> list[CheckpointVersion]:
    """Return the latest version of each checkpoint that is in force, by name."""
    latest = {version.name: version for version in history}
    return [latest[name] for name in sorted(latest) if latest[name].move == "added"]


def _read(version: CheckpointVersion) -> Standing:
    try:
        return Standing(Checkpoint.model_validate(version.checkpoint), version.team)
    except ValidationError:
        return Standing(unreadable(version.name, "this checkpoint cannot be read"), "", False)


def _refuse_machines(by: Provenance) -> None:
    if not by.trusted:
        msg = f"only a person may put checkpoints in or out of force, not {by.writer!r}"
        raise InvalidCheckpoint(msg)


def _log(workspace: str) -> str:
    return f"memory:checkpoints:{checked_workspace(workspace)}"
