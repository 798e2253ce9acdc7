"""How a step changes the world: through the effect ledger, once for its run and arguments."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from agents.tools.registry import Tool, ToolOutput, Verdict
from domain.approvals import ActionRequest, Decision
from domain.effects import EffectCall, KeptEffect, settle_request, settlement
from domain.errors import ConstraintViolated, EffectUnknown, StorageAway
from domain.events import EffectRecorded
from domain.plans import Step
from graph.context import Run
from graph.gates import decision_for
from graph.rules import permit
from graph.state import State
from memory.effects import effect_key

Decide = Callable[[ActionRequest], Decision | None]
"""Returns what a person has answered to exactly this question, or None."""


async def performed_once(step: Step, tool: Tool, args: Mapping[str, Any], state: State, run: Run) -> ToolOutput:
    """Call a tool that changes the world; where the ledger knows that it happened, return what it gave then.

    An earlier attempt that left no result is looked into first, by a person who has answered, or by the tool. The rules
    are asked for what is about to happen, not for what has happened already.

    Raises:
        InvalidArguments: The arguments do not fit; nothing was claimed.
        ToolError: The tool could not or may not do it and changed nothing.
        EffectUnknown: An earlier attempt began, and nobody knows whether it had its effect.
        EffectUndone: The effect was taken back.
    """
    tool.validated(args)
    ledger, workspace, key = run.services.effects, run.context.workspace, key_of(step, tool, args, run)

    async def act() -> dict[str, Any]:
        output = await tool.call(args, key)
        return {"text": output.text, "data": output.data}

    earlier = await ledger.get(workspace, key)
    if earlier is not None and (earlier.result is not None or await _happened(earlier, tool, state, run)):
        result, replayed = await ledger.recorded(workspace, key), True
    else:
        await _permitted(step, tool, args, state, run, earlier)
        call = await _call(step, tool, args, run)
        result, replayed = await ledger.once(workspace, key, call, act, instead=earlier)
    run.emit(EffectRecorded(step=step.id, tool=tool.name, key=key, replayed=replayed))
    return output_of(result)


def key_of(step: Step, tool: Tool, args: Mapping[str, Any], run: Run) -> str:
    """Return the idempotency key of a call, from what the tool says tells its effects apart."""
    telling = {name: args[name] for name in tool.key if name in args} if tool.key else args
    return effect_key(thread=run.thread, run=run.run, step="" if tool.key else step.id, tool=tool.name, args=telling)


async def _permitted(
    step: Step, tool: Tool, args: Mapping[str, Any], state: State, run: Run, lost: KeptEffect | None
) -> None:
    """Let the effect pass, or raise `ConstraintViolated`; an earlier attempt that had no effect is settled with it."""
    try:
        await permit(step, tool, args, state, run)
    except ConstraintViolated:
        if lost is not None:
            await run.services.effects.release(run.context.workspace, lost)
        raise


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
