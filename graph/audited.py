"""What is noted of effects: that one is about to begin, and what came of it.

The first note comes before the claim in the ledger, so nothing happens that is not noted; where it cannot be noted, the
effect does not begin. The second follows the ledger's result, and is made good when a crash came between the two.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

from domain.audit import AuditEntry
from domain.effects import EffectCall, KeptEffect
from domain.errors import StorageError, ToolCrashed, ToolError, ToolTimeout
from memory.audit import Audit
from memory.effects import EffectLedger, Once, is_undo
from memory.records import Value

EffectNote = Literal["begun", "done", "failed", "unknown"]
"""`failed`: it certainly changed nothing; `unknown`: it began and left no result."""
_REASONS: Mapping[EffectNote, str] = {
    "begun": "it is about to begin",
    "done": "the ledger has its result",
    "failed": "it failed and changed nothing",
    "unknown": "it was cut off or broke down while it worked",
}


class EffectNotes:
    """Notes effects, and their undoing, of one workspace."""

    def __init__(self, audit: Audit | None, workspace: str, who: str, *, thread: str = "") -> None:
        """Set up the notes.

        Args:
            audit: Where they go; None notes nothing.
            workspace: Whose audit.
            who: The user for whom it is done.
            thread: In which conversation.
        """
        self._audit, self._workspace, self._who, self._thread = audit, workspace, who, thread

    async def once(
        self,
        ledger: EffectLedger,
        key: str,
        call: EffectCall,
        act: Callable[[], Awaitable[Value]],
        *,
        instead: KeptEffect | None = None,
    ) -> Once:
        """Run `act` through the ledger, as `EffectLedger.once` does, with a note before and after.

        Raises:
            StorageError: It cannot be noted, so it has not begun; or its end cannot be noted, which a repetition does.
        """
        await self._note("begun", key, call)
        try:
            once = await ledger.once(self._workspace, key, call, act, instead=instead)
        except ToolError as error:
            cut_off = isinstance(error, ToolTimeout | ToolCrashed)
            with suppress(StorageError):  # that it had begun is noted, and the ledger tells how it stands
                await self._note("unknown" if cut_off else "failed", key, call, code=error.code)
            raise
        await self.done(key, call)
        return once

    async def done(self, key: str, call: EffectCall) -> None:
        """Note that an effect has its result; once, however often it is found out."""
        await self._note("done", key, call, once=f"effect:{key}:done")

    async def _note(self, state: EffectNote, key: str, call: EffectCall, *, code: str = "", once: str = "") -> None:
        if self._audit is None:
            return
        data: dict[str, Any] = {"state": state, "key": key, "tool": call.tool} | ({"code": code} if code else {})
        entry = AuditEntry(
            kind="undo" if is_undo(key) else "effect",
            who=self._who,
            why=_REASONS[state],
            run=call.run,
            thread=self._thread,
            step=call.step,
            data=data,
        )
        await self._audit.note(self._workspace, entry, once=once)
