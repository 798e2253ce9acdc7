"""Profiles: how a workspace speaks, to whom, and what it prefers."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from domain.errors import InvalidProfile
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


MAX_CHARS = 2000
"""Characters of an entry: every prompt of the workspace carries it."""
_TEXTS = ("brand_voice", "preferences")
_LIST = "target_profiles"
_NAMES = f"{_LIST}, {', '.join(f'{field}.NAME' for field in _TEXTS)}"


def with_entry(profile: Profile, name: str, value: str, by: Provenance) -> Profile:
    """Return the profile with an entry set.

    Args:
        profile: As it is.
        name: `brand_voice.NAME`, `preferences.NAME` or `target_profiles`.
        value: The text; of `target_profiles` a JSON list of objects.
        by: Who sets it.

    Raises:
        InvalidProfile: There is no such entry, or the value does not fit.
    """
    if not value.strip() or len(value) > MAX_CHARS:
        msg = f"the value of {name} has {len(value):,} characters; it takes 1 to {MAX_CHARS:,}"
        raise InvalidProfile(msg)
    field, key = _place(name)
    found: object = _profiles_in(value) if key is None else getattr(profile, field) | {key: value.strip()}
    return profile.model_copy(update={field: found, "provenance": by})


def without_entry(profile: Profile, name: str, by: Provenance) -> Profile:
    """Return the profile without an entry, or raise `InvalidProfile` where it has none of this name."""
    field, key = _place(name)
    known = getattr(profile, field)
    if not known if key is None else key not in known:
        msg = f"the profile has no {name}"
        raise InvalidProfile(msg)
    left: object = [] if key is None else {k: v for k, v in known.items() if k != key}
    return profile.model_copy(update={field: left, "provenance": by})


def _place(name: str) -> tuple[str, str | None]:
    """Return the field and the key that an entry's name means."""
    field, _, key = name.partition(".")
    if name == _LIST:
        return name, None
    if field not in _TEXTS or not re.fullmatch(r"[\w-]{1,60}", key):
        msg = f"a profile has no entry {name!r:.80}; it has {_NAMES}"
        raise InvalidProfile(msg)
    return field, key


def _profiles_in(value: str) -> list[dict[str, Any]]:
    try:
        return TypeAdapter(list[dict[str, Any]]).validate_json(value)
    except ValidationError as error:
        msg = f'{_LIST} takes a JSON list of objects, e.g. [{{"name": "teachers", "needs": "short texts"}}]'
        raise InvalidProfile(msg) from error


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
