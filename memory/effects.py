"""The effect ledger: what changes the world outside happens once, although runs are repeated after a crash.

Claim a key, act, record the result. A key that is claimed without a result means that a process died in between:
nobody knows whether the effect happened, so it is not tried again until the tool itself or a person has looked. Undoing
an effect is an effect too, with a key of its own. A run's keys are logged in the order of their claims.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from domain.effects import EffectCall, KeptEffect, LedgerEffect
from domain.errors import EffectUndone, EffectUnknown, StorageCorrupt, ToolCrashed, ToolError, ToolTimeout
from memory.records import Merge, Records, Value
from memory.workspaces import checked_workspace

_UNDO = ".undo"


class Once(NamedTuple):
    """Result of an effect that happens once."""

    result: Value
    replayed: bool
    """True when the effect had happened before and its stored result is returned."""


def _first_result(entry: Value | None, done: Value) -> Value:
    """Keep the first result; without an entry, which was lost, the result alone says that the effect happened."""
    if entry and entry.get("result") is not None:
        return entry
    return {"claim": "", "claimed": done["done"]} | (entry or {}) | done


FIRST_RESULT = Merge("effect_result", _first_result)


def effect_key(*, thread: str, run: str, step: str, tool: str, args: Mapping[str, Any]) -> str:
    """Return the idempotency key of one tool call: the SHA-256 of its canonical JSON.

    An empty `step` makes calls of all steps of the run that agree in the rest one effect.
    """
    call = {"thread": thread, "run": run, "step": step, "tool": tool, "args": args}
    canonical = json.dumps(call, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def undo_key(key: str) -> str:
    """Return the key of an effect's undoing."""
    return key + _UNDO


def is_undo(key: str) -> bool:
    """Return whether a key is that of an undoing."""
    return key.endswith(_UNDO)


class EffectLedger:
    """Claims and results of external effects, per workspace. While the records are away no claim is given."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock

    async def get(self, workspace: str, key: str) -> KeptEffect | None:
        """Return what is kept of an effect, or None where it was never begun or was given up."""
        place = _place(workspace, key)
        value = await self._records.get(place)
        return None if value is None else _parsed(place, value)

    async def claim(
        self, workspace: str, key: str, call: EffectCall, *, instead: KeptEffect | None = None
    ) -> KeptEffect | None:
        """Claim an effect and return the claim; None where somebody else has it. Of many claimants one wins.

        Args:
            workspace: Whose ledger.
            key: The effect.
            call: What is going to be done.
            instead: An earlier claim that certainly had no effect, and whose place is taken.
        """
        claim = KeptEffect(**call.model_dump(), key=key, claim=uuid.uuid4().hex, claimed=self._clock())
        if instead is None and await self._records.get(_place(workspace, key)) is not None:
            return None
        # The log comes first: a claim without an entry there could never be undone with its run.
        await self._records.append(_log(workspace, call.run), {"key": key})
        expected = _stored(instead) if instead else None
        taken = await self._records.compare_and_set(_place(workspace, key), expected, _stored(claim))
        return claim if taken else None

    async def record(self, workspace: str, key: str, result: Value) -> None:
        """Store the result of a claimed effect, also when it was found out that an unknown one happened.

        Raises:
            EffectUnknown: The effect has another result already, which is kept.
        """
        done = {"result": result, "done": self._clock()}
        stored = await self._records.merge(_place(workspace, key), {"key": key} | done, FIRST_RESULT)
        if stored["result"] != result:
            msg = f"the effect {key:.12} already has a result; the first one is kept"
            raise EffectUnknown(msg)

    async def release(self, workspace: str, effect: KeptEffect) -> None:
        """Give up a claim whose effect certainly did not happen, so that it can be claimed anew."""
        place = _place(workspace, effect.key)
        if await self._records.get(place) == _stored(effect):
            await self._records.delete(place)

    async def of_run(self, workspace: str, run: str) -> list[LedgerEffect]:
        """Return a run's effects in the order in which they were claimed."""
        logged = [entry["key"] for _, entry in await self._records.read(_log(workspace, run))]
        # A key that was claimed again stands at its last place.
        keys = [key for key in dict.fromkeys(reversed(logged)) if not key.endswith(_UNDO)]
        found = [(await self.get(workspace, key), await self.get(workspace, undo_key(key))) for key in reversed(keys)]
        return [LedgerEffect(effect=effect, undo=undo) for effect, undo in found if effect is not None]

    async def forget(self, workspace: str, run: str) -> None:
        """Delete a run's effects for good; only for one that can never be repeated."""
        for _, entry in await self._records.read(_log(workspace, run)):
            await self._records.delete(_place(workspace, entry["key"]))
        await self._records.drop(_log(workspace, run))

    async def unknown(self, workspace: str) -> list[KeptEffect]:
        """Return the claims without a result, of effects and of their undoing."""
        entries = await self._records.scan(_place(workspace, ""))
        effects = [_parsed(place, value) for place, value in entries]
        return [effect for effect in effects if effect.result is None]

    async def once(
        self,
        workspace: str,
        key: str,
        call: EffectCall,
        act: Callable[[], Awaitable[Value]],
        *,
        instead: KeptEffect | None = None,
    ) -> Once:
        """Run `act` unless it has run before.

        A `ToolError` from `act` says that nothing was changed: the claim is released and the error goes on. A
        time-out, a cancellation or any other error leaves the outcome unknown.

        Args:
            workspace: Whose ledger.
            key: The effect.
            call: What `act` does, for those who look into it later.
            act: Does it.
            instead: An earlier claim that certainly had no effect.

        Raises:
            EffectUnknown: An earlier attempt claimed the effect and left no result.
            EffectUndone: The effect happened and was undone.
            StorageAway: The ledger cannot be reached; nothing was done.
        """
        claim = await self.claim(workspace, key, call, instead=instead)
        if claim is None:
            return Once(await self.recorded(workspace, key), replayed=True)
        try:
            result = await act()
        except (ToolTimeout, ToolCrashed):
            raise  # it was cut off or broke down while it worked: the outcome is unknown
        except ToolError:
            await self._records.delete(_place(workspace, key))  # the claim is ours, so nobody needs to be asked first
            raise
        await self.record(workspace, key, result)
        return Once(result, replayed=False)

    async def recorded(self, workspace: str, key: str) -> Value:
        """Return the recorded result of an effect that was begun before.

        Raises:
            EffectUnknown: There is none.
            EffectUndone: The effect was undone, or its undoing was begun.
        """
        effect = await self.get(workspace, key)
        if effect is None or effect.result is None:
            raise EffectUnknown(_unknown_message(key, effect))
        if not key.endswith(_UNDO) and await self.get(workspace, undo_key(key)):
            msg = f"{effect.description or key[:12]}: it was done and then undone; start the task anew to have it again"
            raise EffectUndone(msg)
        return effect.result


def _parsed(place: str, value: Value) -> KeptEffect:
    try:
        return KeptEffect.model_validate({"key": place.rpartition(":")[2]} | value)
    except ValidationError as error:
        msg = f"the ledger's entry {place!r} cannot be read, so nobody knows whether its effect happened"
        raise StorageCorrupt(msg) from error


def _stored(effect: KeptEffect) -> Value:
    return effect.model_dump(mode="json")


def _unknown_message(key: str, effect: KeptEffect | None) -> str:
    what = (effect and effect.description) or f"the effect {key:.12}"
    return f"{what}: an earlier attempt began and left no result, so it may have happened; look before it is repeated"


def _place(workspace: str, key: str) -> str:
    return f"effects:{checked_workspace(workspace)}:{key}"


def _log(workspace: str, run: str) -> str:
    return f"effects:{checked_workspace(workspace)}:{run}"
