"""What becomes of acts, noted by their kind, and what follows: a rule is proposed, or put out of force at once."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from agents.autonomy.earning import proposal_for
from agents.tools.registry import Tool
from domain.approvals import ActionRequest, Decision
from domain.autonomy import call_digest
from domain.effects import KeptEffect
from domain.errors import InvalidRule, StorageError, UnderstudyError
from domain.events import RuleProposed
from domain.notices import Notice
from domain.plans import Step
from domain.standing import StandingRule, kinds_of, not_covered
from graph.context import Run
from memory.autonomy import AutonomyMemory
from memory.decision_kinds import ActOutcome, NotedAct, noted_act
from memory.provenance import Provenance


def _act_id(run: str, step: str, tool: str, args: Mapping[str, Any]) -> str:
    return f"{run}:{step}:{call_digest(tool, args)[:32]}"


async def note_heard(pairs: Sequence[tuple[ActionRequest, Decision]], run: Run) -> None:
    """Note what was decided on acts; one that was changed or refused puts the rules of its kind out of force at once.

    Noting it again changes nothing.
    """
    memory, tools = run.services.autonomy, run.services.tools.tools
    if memory is None:
        return
    for request, decision in pairs:
        tool = tools.get(request.name)
        if tool is None or tool.effect != "write":
            continue
        act = _noted(request.id, request.name, request.args, run, decision=decision)
        with suppress(StorageError):  # it only counts for less
            await memory.kinds.note(run.context.workspace, act, request.args)
        if act.went_wrong:
            why = {"edit": "edited", "reject": "rejected"}.get(decision.type, "sent back")
            await demote(
                memory, run.context.workspace, run.context.user, request.name, request.args, f"{why} by a person"
            )


async def note_outcome(step: Step, tool: Tool, args: Mapping[str, Any], outcome: ActOutcome, run: Run) -> None:
    """Note what came of an act; while the records are away it only counts for less."""
    memory = run.services.autonomy
    if memory is None:
        return
    with suppress(StorageError):
        await memory.kinds.note(run.context.workspace, _noted(step.id, tool.name, args, run, outcome=outcome), args)


def _noted(
    step: str, tool: str, args: Mapping[str, Any], run: Run, *, decision: Decision | None = None,
    outcome: ActOutcome = "open",
) -> NotedAct:  # fmt: skip
    return noted_act(
        tool, args, id=_act_id(run.run, step, tool, args), user=run.context.user, time=run.services.clock(),
        decided=decision.type if decision else None, by=decision.by if decision else "", outcome=outcome,
        run=run.run, thread=run.thread,
    )  # fmt: skip


async def judge(
    memory: AutonomyMemory, workspace: str, user: str, effects: Iterable[KeptEffect], outcome: ActOutcome, *, now: float
) -> None:
    """Note that a person was not content with effects, and put the rules of their kinds out of force at once.

    Args:
        memory: What is remembered.
        workspace: Where the run was.
        user: For whom it worked.
        effects: What it did.
        outcome: `undone` or `complained`.
        now: Unix time in seconds.
    """
    for effect in effects:
        act = noted_act(
            effect.tool, effect.args, id=_act_id(effect.run, effect.step, effect.tool, effect.args),
            user=user, time=now, outcome=outcome, run=effect.run,
        )  # fmt: skip
        await memory.kinds.note(workspace, act, effect.args)
        why = "undone by a person" if outcome == "undone" else "a person was not content with it"
        await demote(memory, workspace, user, effect.tool, effect.args, why)


async def demote(
    memory: AutonomyMemory, workspace: str, user: str, tool: str, args: Mapping[str, Any], why: str
) -> list[str]:
    """Put every rule out of force, or off the table, that covers a call or is of its kind; return their ids."""
    kinds = {kind.hash for kind in kinds_of(user, tool, args)}
    by = Provenance(writer="agent", user=user)
    gone = []
    for standing in await memory.rules.listed(workspace):
        rule = standing.rule
        touched = rule.kind in kinds or not not_covered(rule, tool, args, user=user, now=rule.expires - 1)
        if touched and await memory.rules.demote(workspace, rule.id, by, why):
            gone.append(rule.id)
    return gone


async def propose_earned(effects: Iterable[KeptEffect], run: Run) -> list[StandingRule]:
    """Propose the standing rules that the kinds of a run's effects have earned, and tell the user of them."""
    memory, workspace, user = run.services.autonomy, run.context.workspace, run.context.user
    if memory is None:
        return []
    kinds = {kind for effect in effects for kind in kinds_of(user, effect.tool, effect.args)}
    found = []
    for kind in sorted(kinds, key=lambda kind: kind.reach, reverse=True):  # the exact ones first
        with suppress(StorageError, InvalidRule):  # a rule of this id is there, and cannot be read or came meanwhile
            rule = proposal_for(
                kind,
                await memory.kinds.of_kind(workspace, kind.hash),
                await memory.rules.of_kinds(workspace, [kind.hash]),
                earn_from=run.services.team.autonomy.earn_from,
                now=run.services.clock(),
            )
            if rule is not None:
                await memory.rules.propose(workspace, rule, Provenance(writer="agent", run=run.run, user=user))
                found.append(rule)
                run.emit(RuleProposed(rule=rule.id, words=rule.words, evidence=rule.evidence))
                await _tell(rule, run)
    return found


async def _tell(rule: StandingRule, run: Run) -> None:
    if run.services.notify is None:
        return
    notice = Notice(
        id=f"{run.context.workspace}:proposal:{rule.id}",
        kind="proposal",
        workspace=run.context.workspace,
        to=(rule.user,),
        title=f"May I {rule.scope.tool} without asking?",
        body=f"Proposed rule {rule.id}: {rule.words}.\nWhy: {rule.evidence}. It would end after 90 days.",
        answer=f"understudy rules accept {rule.id}",
    )
    with suppress(UnderstudyError):
        await run.services.notify(notice)
