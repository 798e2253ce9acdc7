"""The effect ledger: what changes the world outside happens once, although runs are repeated after a crash.

Claim a key, act, record the result. A key that is claimed without a result means that a process died in between:
nobody knows whether the effect happened, so it is not tried again until a person or the tool itself has looked.
"""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple

from domain.errors import EffectUnknown, ToolError, ToolTimeout
from memory.records import Merge, Records, Value
from memory.workspaces import checked_workspace


class Claim(NamedTuple):
    """Answer to a claim: `new` - act now; `done` - take `result`; `unknown` - somebody must look first."""

    state: Literal["new", "done", "unknown"]
    result: Value | None = None
    """What `record` stored; only with `done`."""
    description: str = ""
    """What was to be done, as the first claimant put it."""
    claimed: float = 0.0
    """Unix time of the first claim, in seconds."""


class Once(NamedTuple):
    """Result of an effect that happens once."""

    result: Value
    replayed: bool
    """True when the effect had happened before and its stored result is returned."""


def _first_result(entry: Value | None, done: Value) -> Value:
    if entry and entry["state"] == "done":
        return entry
    return {"description": "", "claimed": done["done"]} | (entry or {}) | done


FIRST_RESULT = Merge("effect_result", _first_result)


def effect_key(*, thread: str, run: str, step: str, tool: str, args: Mapping[str, Any]) -> str:
    """Return the idempotency key of one tool call: the SHA-256 of its canonical JSON."""
    call = {"thread": thread, "run": run, "step": step, "tool": tool, "args": args}
    canonical = json.dumps(call, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


class EffectLedger:
    """Claims and results of external effects, per workspace."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock

    async def claim(self, workspace: str, key: str, description: str) -> Claim:
        """Claim an effect. Of many claimants, only one is ever told `new`."""
        entry: Value = {"state": "claimed", "description": description, "claimed": self._clock()}
        if await self._records.compare_and_set(_place(workspace, key), None, entry):
            return Claim("new", description=description, claimed=entry["claimed"])
        return _claim(await self._records.get(_place(workspace, key)) or entry)

    async def record(self, workspace: str, key: str, result: Value) -> None:
        """Store the result of a claimed effect, also when a person has found out that an unknown one happened."""
        done = {"state": "done", "result": result, "done": self._clock()}
        stored = await self._records.merge(_place(workspace, key), done, FIRST_RESULT)
        if {name: stored[name] for name in done} != done:
            msg = f"the effect {key:.12} already has a result; the first one is kept"
            raise EffectUnknown(msg)

    async def release(self, workspace: str, key: str) -> None:
        """Give up a claim whose effect certainly did not happen, so that it can be claimed anew."""
        place = _place(workspace, key)
        entry = await self._records.get(place)
        if entry is not None and entry["state"] == "claimed":
            await self._records.delete(place)

    async def forget(self, workspace: str, key: str) -> None:
        """Delete an effect's entry for good; only for one whose run can never be repeated."""
        await self._records.delete(_place(workspace, key))

    async def unknown(self, workspace: str) -> list[tuple[str, Claim]]:
        """Return the keys and claims without a result, for a person to look into."""
        prefix = _place(workspace, "")
        entries = await self._records.scan(prefix)
        return [(k.removeprefix(prefix), _claim(v)) for k, v in entries if v["state"] == "claimed"]

    async def once(
        self, workspace: str, key: str, act: Callable[[], Awaitable[Value]], *, description: str = ""
    ) -> Once:
        """Run `act` unless it has run before.

        A `ToolError` from `act` says that nothing was changed: the claim is released and the error goes on. A
        time-out, a cancellation or any other error leaves the outcome unknown.

        Raises:
            EffectUnknown: An earlier attempt claimed the effect and left no result.
        """
        claim = await self.claim(workspace, key, description)
        if claim.state == "done":
            return Once(claim.result or {}, replayed=True)
        if claim.state == "unknown":
            raise EffectUnknown(_unknown_message(key, claim))
        try:
            result = await act()
        except ToolTimeout:
            raise  # it was cut off while it worked: the outcome is unknown
        except ToolError:
            await self._records.delete(_place(workspace, key))  # the claim is ours, so nobody needs to be asked first
            raise
        await self.record(workspace, key, result)
        return Once(result, replayed=False)


def _claim(entry: Value) -> Claim:
    state: Literal["done", "unknown"] = "done" if entry["state"] == "done" else "unknown"
    return Claim(state, entry.get("result"), entry["description"], entry["claimed"])


def _unknown_message(key: str, claim: Claim) -> str:
    what = claim.description or f"the effect {key:.12}"
    return f"{what}: an earlier attempt began and left no result, so it may have happened; look before it is repeated"


def _place(workspace: str, key: str) -> str:
    return f"effects:{checked_workspace(workspace)}:{key}"
