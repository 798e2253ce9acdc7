"""The one place where it is decided whether a step may have its effect: facts are gathered, `domain.autonomy` decides.

A ruling is made when a step is about to be asked about, and again right before its effect is claimed: what counts is
what holds then.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from agents.tools.registry import Tool
from domain.approvals import ActionRequest
from domain.audit import AuditEntry
from domain.autonomy import Proposal, Ruling, Tier, call_digest, decide
from domain.errors import StorageError, UnderstudyError
from domain.events import ActionRuled
from domain.notices import acted_notice
from domain.plans import Step
from domain.privacy import SENSITIVE
from domain.standing import covering, kinds_of
from domain.targets import money_in, paths_in, recipients_in
from domain.verdicts import CheckpointVerdict
from graph.consent import missing_consents
from graph.context import Run
from graph.measures import novelty_of
from graph.origins import untrusted
from graph.rules import violations_of
from graph.state import State, plan_of


async def ruled(
    step: Step, tool: Tool, args: Mapping[str, Any], state: State, run: Run, verdicts: Sequence[CheckpointVerdict]
) -> Ruling:
    """Return what is done about a call: whether it is made, told, asked about, escalated or refused.

    Args:
        step: The step that it is made for.
        tool: What is called.
        args: With what, resolved.
        state: The run's state.
        run: The run.
        verdicts: What the checkpoints in front of the step say.
    """
    return decide(await proposal_of(step, tool, args, state, run, verdicts))


async def ruled_question(
    step: Step, request: ActionRequest, question: ActionRequest | None, verdicts: Sequence[CheckpointVerdict],
    state: State, run: Run,
) -> ActionRequest | None:  # fmt: skip
    """Return what a person is asked before a step has its effect, or None where the system may go on by itself.

    Of what is refused nobody is asked: it fails where it would happen. A step without an effect is asked about as the
    checkpoints say.

    Args:
        step: The step, which is about to start.
        request: What it is about to do.
        question: What the checkpoints and the origin of the words ask, with everything that is shown; None: nothing.
        verdicts: What the checkpoints in front of the step say.
        state: The run's state.
        run: The run.
    """
    tool = run.services.tools.tools.get(step.tool or "")
    if tool is None or tool.effect != "write":
        return question
    ruling = await ruled(step, tool, request.args, state, run, verdicts)
    run.emit(ActionRuled(step=step.id, ruling=ruling))
    if ruling.acts:
        return None
    with suppress(StorageError):  # nothing is done; what is done is noted, or is not done
        await note_ruling(ruling, step, run)
    if ruling.action == "refuse":
        return None
    if question is not None:
        return question
    return request.model_copy(update={"description": f"{request.description}\nWhy you are asked: {ruling.reason}."})


async def proposal_of(
    step: Step, tool: Tool, args: Mapping[str, Any], state: State, run: Run, verdicts: Sequence[CheckpointVerdict]
) -> Proposal:
    """Return everything that is known of a call; what cannot be found out counts against it."""
    consents = await missing_consents(step, run, state)
    team, recipients = run.services.team, tuple(dict.fromkeys(recipients_in(args)))
    return Proposal(
        tool=tool.name,
        digest=call_digest(tool.name, args),
        effect=tool.effect,
        confidence=plan_of(state).confidence,
        reversibility="undoable" if tool.undo is not None else "irreversible",
        count=max(1, len(recipients), len(paths_in(args))),
        recipients=recipients,
        money=money_in(args),
        novelty=await _novelty(tool, args, run),
        privacy=step.privacy,
        tier=await _tier(run),
        bounds=team.autonomy,
        violations=tuple(map(str, await violations_of(step, tool, args, state, run))),
        checkpoints=tuple(verdicts),
        consents_refused=tuple(consents.refused),
        consents_missing=tuple(consents.missing),
        untrusted=tuple(await untrusted(step, args, state, run)),
        standing_rule=await _standing_rule(tool, args, run),
        unknown=tuple(verdict.reason for verdict in verdicts if not verdict.evaluated),
    )


async def _tier(run: Run) -> Tier:
    default = run.services.team.autonomy.tier
    memory = run.services.autonomy
    return await memory.trust.tier(run.context.workspace, run.context.user, default) if memory else default


async def _novelty(tool: Tool, args: Mapping[str, Any], run: Run) -> float | None:
    """Return 1 / (1 + n) after n acts of the kind that were approved, or went well; None where nobody can tell."""
    memory, kinds = run.services.autonomy, kinds_of(run.context.user, tool.name, args)
    try:
        acts = await memory.kinds.of_kind(run.context.workspace, kinds[0].hash) if memory and kinds else []
        decided = await novelty_of(tool.name, args, run)
    except StorageError:
        return None
    done = sum(act.outcome == "done" and not act.went_wrong for act in acts)
    return None if decided is None else min(decided, 1 / (1 + done))


async def _standing_rule(tool: Tool, args: Mapping[str, Any], run: Run) -> str:
    """Return the id of the standing rule that covers a call, or nothing."""
    if run.services.autonomy is None:
        return ""
    user, now = run.context.user, run.services.clock()
    rules = await run.services.autonomy.rules.active(run.context.workspace, tool.name, user)
    found = covering(rules, tool.name, args, user=user, now=now)
    return found.id if found else ""


async def note_ruling(ruling: Ruling, step: Step, run: Run) -> None:
    """Note a ruling in the audit, once for the same call of a run.

    Raises:
        StorageError: It cannot be noted.
    """
    if run.services.audit is None:
        return
    entry = AuditEntry(
        kind="ruling",
        who=f"rule:{ruling.standing_rule}" if ruling.rule == "standing_rule" else "controller",
        why=f"{ruling.action}: {ruling.rule}",  # the reason's words may be somebody's own, and stay in the event
        run=run.run,
        thread=run.conversation,
        step=step.id,
        data=ruling.model_dump(
            mode="json", include={"action", "rule", "tool", "digest", "risk", "tier", "standing_rule"}
        ),
    )
    once = f"ruling:{run.run}:{step.id}:{ruling.digest}:{ruling.action}:{ruling.rule}"
    await run.services.audit.note(run.context.workspace, entry, once=once)


async def notify_acted(ruling: Ruling, step: Step, tool: Tool, args: Mapping[str, Any], run: Run) -> None:
    """Tell people that something was done without asking them, where the ruling says so.

    It has happened by then, so a notice that cannot be kept changes nothing.
    """
    if ruling.action != "act_and_notify" or run.services.notify is None:
        return
    to = ", ".join(recipients_in(args)[:5]) or ", ".join(paths_in(args)[:5])
    told = f"{tool.name}{f' → {to}' if to else ''} ({step.task})"
    notice = acted_notice(
        workspace=run.context.workspace,
        run=run.run,
        step=step.id,
        done=f"{tool.name} (with private data)" if step.privacy in SENSITIVE else told,
        why=ruling.reason,
        to=(run.context.user,),
        answer=f"understudy undo {run.run}" if tool.undo is not None else "",
    )
    with suppress(UnderstudyError):
        await run.services.notify(notice)
