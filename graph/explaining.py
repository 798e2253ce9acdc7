"""What is known of a run, put into words for who asks about it."""

from collections.abc import Sequence

from domain.approvals import ActionRequest
from domain.explanations import RunFacts
from domain.outcomes import Usage
from domain.wording import without_stop
from graph.trace import Trace, TracedStep

_SOURCES = 20
_REASONS = ("Why you are asked", "Look closely")


def facts_of(
    trace: Trace, state: str, requests: Sequence[ActionRequest], *, now: float, sources: Sequence[str]
) -> RunFacts:
    """Return what is known of a run.

    Args:
        trace: What happened in it.
        state: How its thread stands.
        requests: What a person is asked.
        now: Unix time in seconds.
        sources: Names of what its steps have read.
    """
    plan = len(trace.plans) - 1
    steps = [step for step in trace.steps if step.plan == plan]
    known = [request.facts for request in requests if request.facts is not None]
    return RunFacts(
        goal=trace.goal,
        state=state,
        route=trace.decision.explanation if trace.decision else "",
        asked=[_asked(request) for request in requests],
        reasons=list(dict.fromkeys(reason for facts in known for reason in facts.why)),
        expected=[text for facts in known for label, text in facts.lines() if label == "expected"],
        estimates=_estimated(trace),
        undo=list(dict.fromkeys(text for facts in known for label, text in facts.lines() if label == "undo")),
        rationale=trace.plans[-1].rationale if trace.plans else "",
        done=[_ended(step) for step in steps if step.status in ("done", "failed", "skipped", "undone")],
        current=[_named(step) for step in steps if _is_at_work(step, state)],
        left=[_named(step) for step in steps if step.status in (None, "held") and not _is_at_work(step, state)],
        changed=[f"{effect.tool} in step {effect.step}" for effect in trace.effects if effect.state == "done"],
        spent=_spent(trace.usage, (trace.ended or now) - trace.started),
        trouble=[f"{where}: {failure.message}" for where, failure in trace.errors],
        sources=list(dict.fromkeys(sources))[:_SOURCES],
        answer=trace.outcome.answer if trace.outcome else "",
    )


def _asked(request: ActionRequest) -> str:
    """Return what is asked without the reasons for it, which are told by themselves."""
    told = [line for line in request.description.splitlines() if line and not line.startswith(_REASONS)]
    return f"{request.name}: {' '.join(told)}"


def _estimated(trace: Trace) -> str:
    estimates = trace.plans[-1].estimates if trace.plans else {}
    units = (("seconds", "seconds"), ("calls", "model calls"), ("dollars", "dollars"))
    return ", ".join(f"{estimates[name]:.4g} {unit}" for name, unit in units if name in estimates)


def _is_at_work(step: TracedStep, state: str) -> bool:
    return state == "running" and step.status is None and step.started is not None


def _named(step: TracedStep) -> str:
    return f"{step.id}, by {step.agent}: {step.task}" if step.task else f"{step.id}, by {step.agent}"


def _ended(step: TracedStep) -> str:
    failure = f": {step.failure.message}" if step.failure else ""
    return f"{without_stop(_named(step))} ({step.status}{failure})"


def _spent(usage: Usage, seconds: float) -> str:
    took = f"{seconds:.0f} seconds" if seconds >= 1 else f"{seconds:.1f} seconds"
    if not usage.calls:
        return f"{took}, no model calls, so no model cost"
    price = "at a price that is not known" if usage.dollars is None else f"${usage.dollars:.4f}"
    return f"{took}, {usage.calls} model calls with {usage.tokens:,} tokens, {price}"
