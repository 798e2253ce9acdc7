"""How a step changes the world: through the effect ledger, once for its run and arguments."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from agents.tools.registry import Tool, ToolOutput, Verdict
from domain.approvals import ActionRequest, Decision
from domain.autonomy import DecidingRule, Ruling, call_digest
from domain.effects import EffectCall, KeptEffect, settle_request, settlement
from domain.errors import (
    ActionRefused,
    ApprovalNeeded,
    ConstraintViolated,
    EffectUnknown,
    StorageAway,
    ToolCrashed,
    ToolError,
    ToolTimeout,
)
from domain.events import EffectRecorded
from domain.plans import Step
from domain.voting import may_decide
from domain.waiting import Patience
from graph.acts import note_outcome
from graph.audited import EffectNotes
from graph.checkpoints import before_step
from graph.consent import require_consent, scopes_of
from graph.context import Run
from graph.gates import decision_for
from graph.rules import permit
from graph.ruling import note_ruling, notify_acted, ruled
from graph.state import State
from graph.voices import CLOCK
from memory.effects import effect_key

_BY_CLOCK: frozenset[DecidingRule] = frozenset({"checkpoint", "tier"})
"""What may be answered by the clock: the rest needs a person."""
Decide = Callable[[ActionRequest], Decision | None]
"""Returns what a person has answered to exactly this question, or None."""


async def performed_once(
    step: Step, tool: Tool, args: Mapping[str, Any], state: State, run: Run, *, shown: ActionRequest | None = None
) -> ToolOutput:
    """Call a tool that changes the world; where the ledger knows that it happened, return what it gave then.

    An earlier attempt that left no result is looked into first, by a person who has answered, or by the tool. What is
    about to happen, not what has happened already, needs a ruling that lets it pass now, or a person who has allowed
    exactly this; and no rule may forbid it right before it is claimed.

    Args:
        step: The step that it is done for.
        tool: What is called.
        args: With what, resolved and approved.
        state: The run's state, with the decisions of people.
        run: The run.
        shown: What a person was, or would have been, asked about the step; None: nobody can have decided.

    Raises:
        ConstraintViolated: A rule forbids it.
        ActionRefused: A refused consent or a checkpoint forbids it.
        ConsentNeeded: A consent that it needs was not given.
        ApprovalNeeded: A person must be asked first.
        InvalidArguments: The arguments do not fit; nothing was claimed.
        ToolError: The tool could not or may not do it and changed nothing.
        EffectUnknown: An earlier attempt began, and nobody knows whether it had its effect.
        EffectUndone: The effect was taken back.
    """
    tool.validated(args)
    ledger, workspace, key = run.services.effects, run.context.workspace, key_of(step, tool, args, run)

    async def act() -> dict[str, Any]:
        await run.guard()  # a process may have been paused since its claim
        output = await tool.call(args, key)
        return {"text": output.text, "data": output.data}

    notes = EffectNotes(run.services.audit, workspace, run.context.user, thread=run.conversation)
    earlier = await ledger.get(workspace, key)
    if earlier is not None and (earlier.result is not None or await _happened(earlier, tool, state, run)):
        result, replayed = await ledger.recorded(workspace, key), True
        await notes.done(key, EffectCall(run=run.run, step=step.id, tool=tool.name))
    else:
        ruling = await _allowed(step, tool, args, state, run, shown, earlier)
        call = await _call(step, tool, args, run)
        await permit(step, tool, args, state, run)
        await run.guard_effect()
        try:
            result, replayed = await notes.once(ledger, key, call, act, instead=earlier)
        except ToolError as error:
            if not isinstance(error, ToolTimeout | ToolCrashed):  # those leave open what it changed
                await note_outcome(step, tool, args, "failed", run)
            raise
        await notify_acted(ruling, step, tool, args, run)
    await note_outcome(step, tool, args, "done", run)
    run.emit(EffectRecorded(step=step.id, tool=tool.name, key=key, replayed=replayed))
    return output_of(result)


def key_of(step: Step, tool: Tool, args: Mapping[str, Any], run: Run) -> str:
    """Return the idempotency key of a call, from what the tool says tells its effects apart."""
    telling = {name: args[name] for name in tool.key if name in args} if tool.key else args
    return effect_key(thread=run.thread, run=run.run, step="" if tool.key else step.id, tool=tool.name, args=telling)


async def _allowed(
    step: Step, tool: Tool, args: Mapping[str, Any], state: State, run: Run,
    shown: ActionRequest | None, lost: KeptEffect | None,
) -> Ruling:  # fmt: skip
    """Return the ruling under which the effect may happen; an earlier attempt that had none is settled with a refusal.

    What is forbidden stays so whoever has approved it.
    """
    heard = await before_step(step, args, state, run)
    ruling = await ruled(step, tool, args, state, run, heard.verdicts)
    await note_ruling(ruling, step, run)
    if ruling.action == "refuse":
        if lost is not None:
            await run.services.effects.release(run.context.workspace, lost)
        kind = ConstraintViolated if ruling.rule == "constraint" else ActionRefused
        raise kind(ruling.reason)
    await require_consent(scopes_of(step, run), run, state)
    if not ruling.acts and not (
        approved(tool, args, shown, state, by_clock=ruling.rule in _BY_CLOCK)
        and _by_whom_it_takes(heard.patience(undoable=tool.undo is not None), shown, state)
    ):
        msg = f"{tool.name} needs a person's approval: {ruling.reason}"
        raise ApprovalNeeded(msg)
    return ruling


def approved(
    tool: Tool, args: Mapping[str, Any], shown: ActionRequest | None, state: State, *, by_clock: bool = True
) -> bool:
    """Return whether somebody has decided that exactly this call is made.

    The clock may decide it only where it can be undone, and where `by_clock` says that it needs no person.
    """
    decision = decision_for(shown, state) if shown is not None else None
    if shown is None or decision is None or shown.name != tool.name or decision.type not in ("approve", "edit"):
        return False
    if decision.by == CLOCK and (tool.undo is None or not by_clock):
        return False
    meant = shown.args if decision.args is None else decision.args
    return call_digest(tool.name, meant) == call_digest(tool.name, args)


def _by_whom_it_takes(patience: Patience | None, shown: ActionRequest | None, state: State) -> bool:
    """Return whether those have decided who may for what the checkpoints say now; an edit may have called in others."""
    decision = decision_for(shown, state) if shown is not None else None
    return decision is not None and may_decide(patience, decision)


async def _call(step: Step, tool: Tool, args: Mapping[str, Any], run: Run) -> EffectCall:
    return EffectCall(
        run=run.run,
        step=step.id,
        tool=tool.name,
        args=dict(args),
        before=await tool.prepared(args),
        description=f"{tool.name} for step {step.id!r}: {step.task}",
    )


async def begun(step: Step, args: Mapping[str, Any], run: Run) -> bool:
    """Return whether an attempt at a writing step was begun before: then it is too late to ask about it."""
    tool = run.services.tools.tools.get(step.tool or "")
    if tool is None or tool.effect != "write":
        return False
    return await _kept(step, tool, args, run) is not None


async def unsettled(step: Step, args: Mapping[str, Any], run: Run) -> ActionRequest | None:
    """Return the question whether a step's effect happened, or None where that is known."""
    tool = run.services.tools.get(step.tool or "")
    effect = await _kept(step, tool, args, run)
    return settle_request(effect) if effect is not None and effect.result is None else None


async def _kept(step: Step, tool: Tool, args: Mapping[str, Any], run: Run) -> KeptEffect | None:
    """Return what the ledger keeps; nothing while it is away, when nothing can happen either."""
    with suppress(StorageAway):
        return await run.services.effects.get(run.context.workspace, key_of(step, tool, args, run))
    return None


async def found_out(effect: KeptEffect, tool: Tool, decide: Decide) -> Verdict:
    """Return what a person said of an attempt that left no result, or else what the tool finds."""
    request = settle_request(effect)
    return said(decide, request) or await tool.verified(effect.args, effect.key, effect.before)


def said(decide: Decide, request: ActionRequest) -> Verdict | None:
    """Return what a person found out, or None where nobody has answered."""
    decision = decide(request)
    if decision is None:
        return None
    found = settlement(decision, request)
    return Verdict("cannot_tell" if found == "stop" else found)


def result_of(verdict: Verdict) -> dict[str, Any]:
    """Return what the ledger keeps as the result of an effect that was found to have happened."""
    output = verdict.output or ToolOutput("a person found that it had happened")
    return {"text": output.text, "data": output.data}


def output_of(result: Mapping[str, Any]) -> ToolOutput:
    """Return what a tool gave, from what the ledger keeps of it."""
    return ToolOutput(text=result["text"], data=result["data"])


async def _happened(effect: KeptEffect, tool: Tool, state: State, run: Run) -> bool:
    verdict = await found_out(effect, tool, lambda request: decision_for(request, state))
    match verdict.state:
        case "happened":
            await run.services.effects.record(run.context.workspace, effect.key, result_of(verdict))
            return True
        case "did_not_happen":
            return False
        case "cannot_tell":
            msg = f"{effect.description}: an earlier attempt left no result, and nobody knows whether it happened"
            raise EffectUnknown(msg)
