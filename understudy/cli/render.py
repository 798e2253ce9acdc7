"""What an event looks like to a person. Pure: events go in, styled text comes out; nothing in them is obeyed."""

from typing import assert_never

from rich.text import Text

from domain.autonomy import Action
from domain.events import (
    ActionRuled,
    AgentSelected,
    AnswerNoted,
    ApprovalDecided,
    ApprovalRequested,
    CheckpointPassed,
    DraftComposed,
    DraftCriticised,
    EffectRecorded,
    EffectUndone,
    Event,
    Explained,
    MemoryRecalled,
    ModelCalled,
    OutcomeRemembered,
    PlanCriticised,
    PlanProposed,
    RecoveryChosen,
    ResourceBound,
    RoleDegraded,
    RouteDecided,
    RuleProposed,
    RunFinished,
    Rung,
    RunStarted,
    RunStopped,
    StepFinished,
    StepHeld,
    StepStarted,
    ToolCalled,
    ToolReturned,
    TrialAssigned,
    UnknownEvent,
)
from understudy.cli.phrases import line, mode, outcome_text, plan_text, way
from understudy.cli.text import call, clean, one_line


def rendered(event: Event) -> Text | None:  # noqa: C901 - one case for each event of the closed union
    """Return what a person sees of an event while a run goes on, or None for one that is not worth a line."""
    match event:
        case RunStarted():
            return line("team", f"{event.team} · {mode(event.mode)}")
        case MemoryRecalled():
            return _recalled(event)
        case RouteDecided():
            return line("route", way(event.decision))
        case PlanProposed():
            return plan_text(event.plan)
        case PlanCriticised():
            return _plan_criticised(event)
        case TrialAssigned() | AgentSelected() | ResourceBound():
            return _decided(event)
        case StepStarted() | StepFinished():
            return _step(event)
        case RecoveryChosen():
            return _recovery(event)
        case ActionRuled():
            return _ruled(event)
        case StepHeld():
            return line("waits", f"{event.request.name} needs your decision; the other steps go on", "yellow")
        case ToolCalled() | ToolReturned() | EffectRecorded() | EffectUndone():
            return _tool_event(event)
        case ModelCalled():
            return _model_called(event)
        case RoleDegraded():
            return line("degraded", f"{event.role}: {one_line(event.reason, 200)}", "yellow")
        case DraftComposed():
            return _draft_composed(event)
        case DraftCriticised():
            return _draft_criticised(event)
        case CheckpointPassed():
            return line("passed", f"checkpoint {event.checkpoint}: {one_line(event.reason, 200)}", "dim")
        case ApprovalRequested():
            return _asked(event)
        case AnswerNoted():
            return line("noted", f"the answer of {one_line(event.by)}; still wanted: {one_line(event.wants)}", "yellow")
        case ApprovalDecided():
            return _approval_decided(event)
        case RuleProposed() | Explained():
            return _offered(event) if isinstance(event, RuleProposed) else line("answer", clean(event.answer))
        case OutcomeRemembered() | UnknownEvent():
            return _by_the_way(event)
        case RunFinished():
            return outcome_text(event.outcome)
        case RunStopped():
            return line("stopped", one_line(event.reason, 200), "yellow")
        case _:
            assert_never(event)


def _by_the_way(event: OutcomeRemembered | UnknownEvent) -> Text:
    if isinstance(event, OutcomeRemembered):
        return line("memory", f"remembered as {event.task}", "dim")
    return line("", f"something that this version does not know: {one_line(event.kind, 60)}", "dim")


def _asked(event: ApprovalRequested) -> Text:
    names = ", ".join(request.name for request in event.requests)
    return line("waits", f"your decision is needed: {one_line(names)}", "yellow")


def _offered(event: RuleProposed) -> Text:
    accept = f"understudy rules accept {event.rule}"
    return line("offer", f"{one_line(event.words, 200)}? {one_line(event.evidence, 200)}. Accept: {accept}", "bold")


_RULED: dict[Action, str] = {
    "act": "does it", "act_and_notify": "does it and tells you", "ask": "asks you first",
    "escalate": "asks whoever is next", "refuse": "does not do it",
}  # fmt: skip


def _ruled(event: ActionRuled) -> Text:
    ruling = event.ruling
    style = "dim" if ruling.acts else "yellow"
    return line("ruling", f"{event.step}: {_RULED[ruling.action]} — {one_line(ruling.reason, 200)}", style)


_RUNGS: dict[Rung, str] = {
    "retry": "tries again", "fallback": "somebody else takes over", "alternative_tool": "takes another tool",
    "rebind": "takes another resource", "replan": "makes another plan", "degrade": "goes on by rules, without a model",
    "stop": "stops with what is done",
}  # fmt: skip


def _recovery(event: RecoveryChosen) -> Text:
    where = f"{event.step}: " if event.step else ""
    wait = f" in {event.wait:.1f} s" if event.wait else ""
    return line("recover", f"{where}{_RUNGS[event.rung]}{wait} — {one_line(event.why, 200)}", "yellow")


def _recalled(event: MemoryRecalled) -> Text:
    count, recall = len(event.recall.neighbours), event.recall
    if not count:
        return line("memory", "nothing similar yet", "dim")
    return line("memory", f"{count} similar task(s), confidence {recall.confidence:.2f} ({recall.band})")


def _plan_criticised(event: PlanCriticised) -> Text:
    if not event.problems:
        return line("", "the plan critic found nothing wrong", "dim")
    problems = (line("", f"plan problem: {one_line(str(problem), 200)}", "yellow") for problem in event.problems)
    return Text("\n").join(problems)


def _decided(event: TrialAssigned | AgentSelected | ResourceBound) -> Text:
    if isinstance(event, ResourceBound):
        return line("", f"{event.step} on {event.resource} ({event.placement})", "dim")
    if isinstance(event, TrialAssigned):
        return line("trial", f"{event.trial}: {event.variant} ({one_line(event.reason, 200)})")
    return line("chosen", f"{event.step}: {event.agent} — {one_line(event.reason, 200)}")


def _step(event: StepStarted | StepFinished) -> Text:
    return _step_started(event) if isinstance(event, StepStarted) else _step_finished(event)


def _step_started(event: StepStarted) -> Text:
    again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    return line("start", f"{event.step}: {event.agent}{again} — {one_line(event.task, 80)}")


def _step_finished(event: StepFinished) -> Text:
    result = event.result
    if result.status == "done":
        degraded = ", by the rule-based understudy" if result.degraded else ""
        measures = f"{result.seconds:.1f} s, confidence {result.confidence:.2f}{degraded}"
        return line("done", f"{result.step}: {measures}", "green")
    reason = f": {one_line(result.failure.message, 200)}" if result.failure else ""
    return line(result.status, f"{result.step}{reason}", "red" if result.status == "failed" else "yellow")


def _tool_event(event: ToolCalled | ToolReturned | EffectRecorded | EffectUndone) -> Text | None:
    match event:
        case ToolCalled():
            return line("", f"· {call(event.tool, event.args)}", "dim")
        case ToolReturned():
            return _tool_returned(event)
        case EffectRecorded():
            return _effect_recorded(event)
        case EffectUndone():
            return _effect_undone(event)


def _tool_returned(event: ToolReturned) -> Text:
    if event.failure:
        return line("", f"· {event.tool} could not: {one_line(event.failure.message, 200)}", "yellow")
    summary = f" — {one_line(event.summary, 60)}" if event.summary else ""
    return line("", f"· {event.tool} took {event.seconds:.2f} s{summary}", "dim")


def _effect_recorded(event: EffectRecorded) -> Text | None:
    if not event.replayed:
        return None
    return line("", f"· {event.tool} had been done before; its recorded result was taken", "dim")


def _effect_undone(event: EffectUndone) -> Text:
    if event.failure is None:
        return line("undone", f"{event.step}: {event.tool}", "yellow")
    return line("kept", f"{event.step}: {event.tool}: {one_line(event.failure.message, 200)}", "red")


def _model_called(event: ModelCalled) -> Text | None:
    if event.failure is None:
        return None
    return line("", f"· {event.role}: {event.model} failed: {one_line(event.failure.message, 200)}", "yellow")


def _draft_composed(event: DraftComposed) -> Text:
    name = f"revision {event.iteration}" if event.iteration else "draft"
    return line("draft", f"{name} by {event.by}, {len(event.text.splitlines())} lines")


def _draft_criticised(event: DraftCriticised) -> Text:
    critique = event.critique
    aspects = ", ".join(f"{name} {score:.2f}" for name, score in critique.aspects.items())
    end = f", {event.stopped.replace('_', ' ')}" if event.stopped else ", goes to revision"
    detail = f" ({aspects})" if aspects else ""
    head = line("critique", f"{critique.score:.2f} of {event.threshold:.2f} wanted{end}{detail}")
    return Text("\n").join([head, *(line("", f"- {one_line(issue, 200)}", "dim") for issue in critique.issues)])


def _approval_decided(event: ApprovalDecided) -> Text:
    said = f": {one_line(event.decision.message, 200)}" if event.decision.message else ""
    by = f" by {event.decision.by}" if event.decision.by else ""
    return line("decided", f"{event.request}: {event.decision.type}{by}{said}")
