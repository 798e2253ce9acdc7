"""The checkpoints of a team and of its workspace as a person looks at them and sets them."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from domain.checkpoints import Checkpoint
from domain.errors import InvalidCheckpoint, UnknownCheckpoint
from domain.verdicts import STRICTEST, CheckpointVerdict
from graph.checkpoints import Posted, usable, verdict_of
from graph.context import Context
from memory.checkpoints import CheckpointVersion
from memory.provenance import Provenance
from understudy.wiring import House


class Listed(NamedTuple):
    """A checkpoint and who has set it."""

    posted: Posted
    origin: Literal["team", "workspace"]


class CheckpointDesk:
    """The checkpoints of the configured team and workspace."""

    def __init__(self, house: House, context: Context) -> None:
        self._house, self._context = house, context

    async def listed(self) -> list[Listed]:
        """Return every checkpoint that stands for the team: its own, then those of the workspace."""
        team = await self._house.team(self._context.team)
        standing = await self._house.checkpoints.standing(self._context.workspace)
        own = [Listed(Posted(checkpoint), "team") for checkpoint in team.checkpoints]
        return own + [
            Listed(each, "workspace") for each in usable(standing, team.name, [s.name for s in team.specialists])
        ]

    async def named(self, name: str) -> list[Listed]:
        """Return the checkpoints of a name: the team's, the workspace's, or both, which then stand both.

        Raises:
            UnknownCheckpoint: There is none.
        """
        everything = await self.listed()
        found = [each for each in everything if each.posted.checkpoint.name == name]
        if not found:
            known = ", ".join(dict.fromkeys(each.posted.checkpoint.name for each in everything)) or "none"
            msg = f"there is no checkpoint {name!r:.100}; there is {known}"
            raise UnknownCheckpoint(msg)
        return found

    async def history(self) -> list[CheckpointVersion]:
        """Return every version of every checkpoint of the workspace, oldest first."""
        return await self._house.checkpoints.history(self._context.workspace)

    async def add(self, checkpoint: Checkpoint, by: Provenance, *, every_team: bool = False) -> CheckpointVersion:
        """Put a checkpoint of the workspace in force; one of the same name is replaced.

        Args:
            checkpoint: What stands from now on.
            by: Who says so.
            every_team: Whether it stands for every team, and not only for the configured one.

        Raises:
            InvalidCheckpoint: The team lacks what it names, or the clock may approve what cannot be undone.
        """
        team = await self._house.team(self._context.team)
        known = [specialist.name for specialist in team.specialists]
        if checkpoint.specialist not in (None, *known):
            msg = f"the team {team.name!r} has no {checkpoint.stage!r} to stand at; it has {', '.join(known)}"
            raise InvalidCheckpoint(msg)
        if checkpoint.on_timeout == "approve" and (lasting := await self._lasting()):
            msg = f"the clock may not approve where {', '.join(lasting)} may follow, which cannot be undone"
            raise InvalidCheckpoint(msg)
        only = "" if every_team and checkpoint.specialist is None else team.name
        return await self._house.checkpoints.add(self._context.workspace, checkpoint, by, team=only)

    async def remove(self, name: str, by: Provenance) -> CheckpointVersion:
        """Put a checkpoint of the workspace out of force.

        Raises:
            UnknownCheckpoint: The workspace has none of this name; the team's are changed in its file.
        """
        return await self._house.checkpoints.remove(self._context.workspace, name, by)

    async def evaluate(self, name: str, data: Mapping[str, Any]) -> CheckpointVerdict:
        """Return what a checkpoint says about measured values; of two of one name the stricter verdict.

        Raises:
            UnknownCheckpoint: There is none.
        """
        verdicts = [verdict_of(each.posted, data, self._context.user) for each in await self.named(name)]
        return min(verdicts, key=lambda verdict: STRICTEST.index(verdict.status))

    async def _lasting(self) -> list[str]:
        """Return the team's tools whose effects cannot be undone."""
        team = await self._house.team(self._context.team)
        tools = (await self._house.toolbox(self._context)).tools
        names = {name for specialist in team.specialists for name in specialist.tools if name in tools}
        return sorted(name for name in names if tools[name].effect == "write" and tools[name].undo is None)
