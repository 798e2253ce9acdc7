"""Profiles: how a workspace speaks, to whom, and what it prefers."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from memory.provenance import Provenance
from memory.records import Records
from memory.workspaces import checked_workspace


class Profile(BaseModel):
    """What every agent of a workspace is told about it; it goes before what the team file says."""

    model_config = ConfigDict(extra="forbid")

    brand_voice: dict[str, str] = Field(default_factory=dict)
    target_profiles: list[dict[str, Any]] = Field(default_factory=list)
    preferences: dict[str, str] = Field(default_factory=dict)
    provenance: Provenance = Provenance(writer="person")


class Profiles:
    """One profile a workspace."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def get(self, workspace: str) -> Profile:
        """Return the workspace's profile; an empty one where none was set."""
        value = await self._records.get(_key(workspace))
        return Profile.model_validate(value) if value else Profile()

    async def put(self, workspace: str, profile: Profile) -> None:
        """Replace the workspace's profile."""
        await self._records.put(_key(workspace), profile.model_dump(mode="json"))

    async def prefer(self, workspace: str, preferences: Mapping[str, str], by: Provenance) -> Profile:
        """Add preferences, replacing those of the same name, and return the profile."""
        known = await self.get(workspace)
        update = {"preferences": known.preferences | dict(preferences), "provenance": by}
        profile = known.model_copy(update=update)
        await self.put(workspace, profile)
        return profile

    async def forget(self, workspace: str) -> bool:
        """Delete the workspace's profile for good; return whether there was one."""
        return await self._records.delete(_key(workspace))


def _key(workspace: str) -> str:
    return f"memory:profile:{checked_workspace(workspace)}"
