"""Working state in four scopes: of the workspace, of a conversation, of one run, of one step.

`global` and `session` state is kept in the records until its time is over; `execution` and `step` state lives in the
process, for what may be lost with it, and ends with its run. What a run must not lose is in the graph's own state.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, get_args
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from domain.errors import InvalidState, StorageBusy
from memory.records import Records, Value
from memory.workspaces import checked_workspace

T = TypeVar("T")
Scope = Literal["global", "session", "execution", "step"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

MAX_BYTES = 256 * 1024
"""Bytes of JSON that one value may have; larger outputs are results of steps."""
MAX_ENTRIES = 1000
"""Values that the running runs of a process may keep together."""
_LIVE = ("execution", "step")
"""Scopes that live in the process."""
_TRIES = 50
_DAY = 86400.0
TTL_SECONDS: Mapping[Scope, float] = {"global": 90 * _DAY, "session": 7 * _DAY}
"""A value is forgotten this long after it was last set."""


@dataclass(frozen=True)
class Slot(Generic[T]):
    """A value that state can hold: its name, its scope and its type."""

    name: str
    scope: Scope
    type: type[T]
    ttl: float | None = None
    """Seconds after which it is forgotten; None: as long as its scope allows."""

    @cached_property
    def adapter(self) -> TypeAdapter[T]:
        """Checks and converts values."""
        return TypeAdapter(self.type)


@dataclass(frozen=True)
class Where:
    """Whose state; each scope needs the ids down to its own."""

    workspace: str
    thread: str = ""
    run: str = ""
    step: str = ""


class Entry(BaseModel):
    """One value as it is shown to people."""

    model_config = ConfigDict(extra="forbid")

    scope: Scope
    owner: str
    """Thread, run or step whose state it is; empty for the workspace's own."""
    name: str
    value: Any
    bytes: int
    updated: float
    """Unix time in seconds."""
    expires: float | None
    """Unix time in seconds; None: with its run."""


class ScopedState:
    """The working state of all workspaces."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time) -> None:
        self._records, self._clock = records, clock
        self._live: dict[str, Value] = {}

    async def get(self, slot: Slot[T], where: Where) -> T | None:
        """Return a value, or None where none is set.

        Raises:
            InvalidState: What is stored is not of the slot's type, or `where` lacks an id that the scope needs.
        """
        key = _key(slot.scope, slot.name, where)
        return _read(slot, self._alive(key) if slot.scope in _LIVE else await self._records.get(key))

    async def set(self, slot: Slot[T], where: Where, value: T) -> None:
        """Set a value.

        Raises:
            InvalidState: It is too large or not of the slot's type, or too much is kept already.
        """
        entry, ttl = self._entry(slot, value)
        key = _key(slot.scope, slot.name, where)
        if slot.scope in _LIVE:
            self._keep(key, entry)
        else:
            await self._records.put(key, entry, ttl=ttl)

    async def update(self, slot: Slot[T], where: Where, change: Callable[[T | None], T]) -> None:
        """Set a value to what `change` makes of the present one (None: none is set); of several at once none is lost.

        Raises:
            InvalidState: As for `get` and `set`.
            StorageBusy: Too many others change the value at this moment.
        """
        key = _key(slot.scope, slot.name, where)
        if slot.scope in _LIVE:
            self._keep(key, self._entry(slot, change(_read(slot, self._alive(key))))[0])
            return
        for _ in range(_TRIES):
            present = await self._records.get(key)
            entry, ttl = self._entry(slot, change(_read(slot, present)))
            if await self._records.compare_and_set(key, present, entry, ttl=ttl):
                return
        raise StorageBusy(f"{slot.scope} state {slot.name!r} is changed by too many at once")

    async def delete(self, slot: Slot[Any], where: Where) -> bool:
        """Delete a value for good; return whether it was there."""
        key = _key(slot.scope, slot.name, where)
        if slot.scope in _LIVE:
            return self._live.pop(key, None) is not None
        return await self._records.delete(key)

    async def entries(self, workspace: str, *, thread: str | None = None) -> list[Entry]:
        """Return everything a workspace holds now, or only what belongs to one thread, outermost scope first."""
        self._expire()
        prefix = f"state:{checked_workspace(workspace)}:"
        stored = [*await self._records.scan(prefix), *self._live.items()]
        found = [_shown(key, value) for key, value in stored if key.startswith(prefix)]
        mine = [entry for entry, of in found if thread is None or of == thread]
        return sorted(mine, key=lambda e: (SCOPES.index(e.scope), e.owner, e.name))

    def end(self, workspace: str, thread: str, run: str) -> None:
        """Forget the state of a run and of its steps."""
        for key in self._under(f"{_place('execution', Where(workspace, thread, run))}:"):
            del self._live[key]

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete the state of a conversation and of its runs for good."""
        place = f"{_place('session', Where(workspace, thread))}:"
        stored = [*await self._records.scan(place), *((key, self._live[key]) for key in self._under(place))]
        # A conversation may be called `global`, as the part of a key is under which the workspace's own state stands.
        for key in [key for key, value in stored if _shown(key, value)[1] == thread]:
            if self._live.pop(key, None) is None:
                await self._records.delete(key)

    def _entry(self, slot: Slot[T], value: T) -> tuple[Value, float | None]:
        try:
            plain = slot.adapter.dump_python(slot.adapter.validate_python(value, strict=True), mode="json")
            size = len(json.dumps(plain, allow_nan=False).encode("utf-8", "surrogatepass"))
        except (ValidationError, ValueError) as error:
            raise InvalidState(f"{slot.scope} state {slot.name!r} takes a {slot.type}: {error}") from error
        if size > MAX_BYTES:
            raise InvalidState(f"{slot.scope} state {slot.name!r} has {size} bytes; at most {MAX_BYTES} are kept")
        ttl, now = slot.ttl or TTL_SECONDS.get(slot.scope), self._clock()
        return {"value": plain, "bytes": size, "updated": now, "expires": now + ttl if ttl else None}, ttl

    def _keep(self, key: str, entry: Value) -> None:
        self._expire()
        if key not in self._live and len(self._live) >= MAX_ENTRIES:
            raise InvalidState(f"the running runs keep {MAX_ENTRIES} values already")
        self._live[key] = entry

    def _alive(self, key: str) -> Value | None:
        self._expire()
        return self._live.get(key)

    def _expire(self) -> None:
        now = self._clock()
        for key in [k for k, v in self._live.items() if v["expires"] is not None and v["expires"] <= now]:
            del self._live[key]

    def _under(self, place: str) -> list[str]:
        return [key for key in self._live if key.startswith(place)]


def _read(slot: Slot[T], entry: Value | None) -> T | None:
    if entry is None:
        return None
    try:
        return slot.adapter.validate_python(entry["value"])
    except ValidationError as error:
        raise InvalidState(f"{slot.scope} state {slot.name!r} does not hold a {slot.type}: {error}") from error


def _key(scope: Scope, name: str, where: Where) -> str:
    if not name or not name.isprintable():
        raise InvalidState(f"{name!r:.60} cannot name a value")
    return f"{_place(scope, where)}:{scope}:{quote(name, safe='')}"


def _place(scope: Scope, where: Where) -> str:
    """Return where a scope's values stand: under the ids from the workspace down to its own."""
    ids = (where.thread, where.run, where.step)[: SCOPES.index(scope)]
    if not all(ids):
        raise InvalidState(f"{scope} state needs the ids of {', '.join(('thread', 'run', 'step')[: len(ids)])}")
    return ":".join(["state", checked_workspace(where.workspace), *(quote(i, safe="") for i in ids)])


def _shown(key: str, value: Value) -> tuple[Entry, str]:
    """Return a stored value as an entry, and the thread that it belongs to (empty: none)."""
    _, _, *ids, scope, name = key.split(":")
    owners = [unquote(i) for i in ids]
    entry = Entry.model_validate(
        {"scope": scope, "owner": owners[-1] if owners else "", "name": unquote(name), **value}
    )
    return entry, owners[0] if owners else ""
