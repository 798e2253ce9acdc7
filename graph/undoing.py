"""Undoing a run: what its steps changed is taken back, the last effect first.

Undoing is an effect too: it goes through the ledger, so that it happens once and can be carried on after a crash. The
rules are not asked: taking back is nothing new. What a tool cannot or must not take back is kept, with the reason, and
the effects before it are undone all the same. Where nobody knows whether something happened, a person is asked before
anything earlier is touched.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agents.tools.registry import Tool, Toolbox, Verdict
from domain.approvals import ActionRequest
from domain.autonomy import decide_undoing
from domain.effects import EffectCall, KeptEffect, LedgerEffect, settle_request
from domain.errors import EffectUnknown, ToolCrashed, ToolError, ToolTimeout
from domain.events import ActionRuled, EffectUndone, Event
from domain.outcomes import Failure
from graph.audited import EffectNotes
from graph.effects import Decide, found_out, output_of, result_of, said
from memory.effects import EffectLedger, undo_key

_OPPOSITE: dict[str, Any] = {"happened": "did_not_happen", "did_not_happen": "happened", "cannot_tell": "cannot_tell"}


@dataclass
class Undoing:
    """How far the undoing of a run came."""

    steps: set[str] = field(default_factory=set)
    """Ids of the steps whose effects are undone."""
    undone: list[str] = field(default_factory=list)
    """What was undone, the last effect first."""
    kept: list[str] = field(default_factory=list)
    """What was not, each with the reason."""
    question: ActionRequest | None = None
    """What a person must find out before it can go on."""


@dataclass
class Undoer:
    """Undoes the effects of runs."""

    ledger: EffectLedger
    workspace: str
    tools: Toolbox
    decide: Decide
    emit: Callable[[Event], None]
    notes: EffectNotes

    async def undo(self, run: str) -> Undoing:
        """Undo a run's effects as far as can be; doing it again goes on from there."""
        far = Undoing()
        for entry in reversed(await self.ledger.of_run(self.workspace, run)):
            await self._entry(entry, far)
            if far.question is not None:
                break
        return far

    async def _entry(self, entry: LedgerEffect, far: Undoing) -> None:
        effect, tool = entry.effect, self.tools.tools.get(entry.effect.tool)
        if entry.state == "undone":
            return self._note(effect, far)
        if tool is None:
            return self._keep(effect, far, f"there is no tool {effect.tool!r} here")
        if entry.state == "unknown":
            found = await self._looked_into(effect, tool, far)
            if found is None:
                return None
            effect = found
        return await self._undo(effect, entry.undo, tool, far)

    async def _looked_into(self, effect: KeptEffect, tool: Tool, far: Undoing) -> KeptEffect | None:
        """Return an effect of unknown outcome if it turns out that it happened."""
        verdict = await found_out(effect, tool, self.decide)
        if verdict.state == "happened":
            await self.ledger.record(self.workspace, effect.key, result_of(verdict))
            return await self.ledger.get(self.workspace, effect.key)
        if verdict.state == "did_not_happen":
            await self.ledger.release(self.workspace, effect)
        else:
            self._ask(effect, settle_request(effect), far)
        return None

    async def _undo(self, effect: KeptEffect, begun: KeptEffect | None, tool: Tool, far: Undoing) -> None:
        if begun is not None:
            verdict = await self._undo_found_out(effect, begun, tool)
            if verdict.state == "cannot_tell":
                return self._ask(effect, settle_request(begun, undoing=True), far)
            if verdict.state == "happened":
                await self.ledger.record(self.workspace, undo_key(effect.key), result_of(verdict))
                await self.notes.done(undo_key(effect.key), effect)
                return self._told(effect, far)
        self.emit(ActionRuled(step=effect.step, ruling=decide_undoing(effect.tool, effect.args)))
        try:
            await self._once(effect, begun, tool)
        except (ToolTimeout, ToolCrashed, EffectUnknown):
            left = await self.ledger.get(self.workspace, undo_key(effect.key))
            if begun is None and left is not None:
                return await self._undo(effect, left, tool, far)
            return self._ask(effect, settle_request(left or effect, undoing=True), far)
        except ToolError as error:
            return self._keep(effect, far, str(error), error.code)
        return self._told(effect, far)

    async def _undo_found_out(self, effect: KeptEffect, begun: KeptEffect, tool: Tool) -> Verdict:
        """Return whether an undoing that left no result happened: what was undone does not look as if it happened."""
        answer = said(self.decide, settle_request(begun, undoing=True))
        if answer is not None:
            return answer
        return Verdict(_OPPOSITE[(await tool.verified(effect.args, effect.key, effect.before)).state])

    async def _once(self, effect: KeptEffect, begun: KeptEffect | None, tool: Tool) -> None:
        async def act() -> dict[str, Any]:
            output = await tool.undone(effect.args, effect.key, effect.before, output_of(effect.result or {}))
            return {"text": output.text, "data": output.data}

        call = EffectCall(
            run=effect.run,
            step=effect.step,
            tool=effect.tool,
            args=effect.args,
            description=f"undoing {effect.description}",
        )
        await self.notes.once(self.ledger, undo_key(effect.key), call, act, instead=begun)

    def _ask(self, effect: KeptEffect, question: ActionRequest, far: Undoing) -> None:
        if self.decide(question) is None:
            far.question = question
        else:
            self._keep(effect, far, "nobody knows whether it happened, and a person said to stop", EffectUnknown.code)

    def _told(self, effect: KeptEffect, far: Undoing) -> None:
        self._note(effect, far)
        self.emit(EffectUndone(step=effect.step, tool=effect.tool, key=effect.key))

    def _note(self, effect: KeptEffect, far: Undoing) -> None:
        far.steps.add(effect.step)
        far.undone.append(effect.description)

    def _keep(self, effect: KeptEffect, far: Undoing, reason: str, code: str = ToolError.code) -> None:
        far.kept.append(f"{effect.description}: {reason}")
        failure = Failure(code=code, message=reason)
        self.emit(EffectUndone(step=effect.step, tool=effect.tool, key=effect.key, failure=failure))
