"""What an event looks like to a person. Pure: events go in, styled text comes out; nothing in them is obeyed."""

from typing import assert_never

from rich.text import Text

from domain.events import (
    ApprovalDecided,
    ApprovalRequested,
    CheckpointPassed,
    DraftComposed,
    DraftCriticised,
    EffectRecorded,
    Event,
    MemoryRecalled,
    ModelCalled,
    OutcomeRemembered,
    PlanCriticised,
    PlanProposed,
    RoleDegraded,
    RouteDecided,
    RunFinished,
    RunStarted,
    RunStopped,
    StepFinished,
    StepHeld,
    StepStarted,
    ToolCalled,
    ToolReturned,
)
from understudy.cli.phrases import line, mode, outcome_text, plan_text, way
from understudy.cli.text import call, one_line


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
        case StepStarted():
            return _step_started(event)
        case StepFinished():
            return _step_finished(event)
        case StepHeld():
            return line("waits", f"{event.request.name} needs your decision; the other steps go on", "yellow")
        case ToolCalled():
            return line("", f"· {call(event.tool, event.args)}", "dim")
        case ToolReturned():
            return _tool_returned(event)
        case EffectRecorded():
            return _effect_recorded(event)
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
            names = ", ".join(request.name for request in event.requests)
            return line("waits", f"your decision is needed: {one_line(names)}", "yellow")
        case ApprovalDecided():
            return _approval_decided(event)
        case OutcomeRemembered():
            return line("memory", f"remembered as {event.task}", "dim")
        case RunFinished():
            return outcome_text(event.outcome)
        case RunStopped():
            return line("stopped", one_line(event.reason, 200), "yellow")
        case _:
            assert_never(event)


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


def _tool_returned(event: ToolReturned) -> Text:
    if event.failure:
        return line("", f"· {event.tool} could not: {one_line(event.failure.message, 200)}", "yellow")
    summary = f" — {one_line(event.summary, 60)}" if event.summary else ""
    return line("", f"· {event.tool} took {event.seconds:.2f} s{summary}", "dim")


def _effect_recorded(event: EffectRecorded) -> Text | None:
    if not event.replayed:
        return None
    return line("", f"· {event.tool} had been done before; its recorded result was taken", "dim")


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
