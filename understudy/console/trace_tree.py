"""The trace of a run as a tree that is opened where one looks closer: plans, their steps, and what happened in them."""

import json
from collections.abc import Iterator, Sequence

from domain.effects import EffectState
from domain.events import AgentSelected, ResourceBound, Stamped
from domain.outcomes import StepStatus, Usage
from graph.trace import Trace, TracedAttempt, TracedDecision, TracedEffect, TracedStep, TracedTool
from understudy.cli.text import one_line
from understudy.console.markup import Html, Tone, badge, dollars, duration, el, joined, score

STEP_TONES: dict[StepStatus | None, Tone] = {
    "done": "good", "failed": "bad", "skipped": "warn", "held": "warn", "undone": "warn", None: "plain",
}  # fmt: skip
EFFECT_STATES: dict[EffectState, tuple[str, Tone]] = {
    "done": ("done", "good"),
    "undone": ("undone", "warn"),
    "unknown": ("nobody knows whether it happened", "bad"),
    "undo_unknown": ("nobody knows whether it was undone", "bad"),
}
_LONG = 4000
"""Characters of one text that are shown."""


def tree(trace: Trace, events: Sequence[Stamped]) -> Html:
    """Return every plan of a run with its steps.

    Args:
        trace: The run.
        events: What it told, for the choices that the trace does not hold.
    """
    plans = [part for number in range(max(1, len(trace.plans))) if (part := _plan(trace, events, number))]
    return joined(plans)


def step_state(step: TracedStep) -> str:
    """Return how a step stands, in words."""
    return step.status or ("broken off" if step.started is not None else "not begun")


def tokens(usage: Usage) -> str:
    """Return what models consumed, or nothing where none was called."""
    if not usage.calls:
        return ""
    price = "" if usage.dollars is None else f", {dollars(usage.dollars)}"
    return f"{usage.calls} model call(s), {usage.input_tokens:,} + {usage.output_tokens:,} tokens{price}"


def decision_words(decision: TracedDecision) -> str:
    """Return a question to a person with its answer, in words."""
    about = f" ({decision.checkpoint})" if decision.checkpoint else ""
    if decision.decided is None:
        return f"asked: {one_line(decision.name or decision.request)}{about}, open"
    waited = f" after {duration(decision.decided - decision.asked)}" if decision.asked is not None else ""
    by = f" by {one_line(decision.by)}" if decision.by else ""
    said = f": {one_line(decision.message, 200)}" if decision.message else ""
    return f"{one_line(decision.name or decision.request)}{about}: {decision.type}{by}{waited}{said}"


def _plan(trace: Trace, events: Sequence[Stamped], number: int) -> Html | None:
    steps = [step for step in trace.steps if step.plan == number]
    if not steps:
        return None
    plan = trace.plans[number] if trace.plans else None
    which = f"Plan {number + 1} of {len(trace.plans)}" if len(trace.plans) > 1 else "Plan"
    head = f"{which}: {plan.strategy}, confidence {score(plan.confidence)}" if plan else which
    why = el("p", one_line(plan.rationale, 600), class_="soft") if plan and plan.rationale else None
    return el("section", el("h3", head), why, el("ul", *(_step(s, events) for s in steps), class_="tree"))


def _step(step: TracedStep, events: Sequence[Stamped]) -> Html:
    state = badge(step_state(step), STEP_TONES[step.status])
    took = duration(step.seconds) if step.ended is not None else ""
    summary = el(
        "summary", el("strong", step.id), " ", el("span", step.agent, class_="soft"), " ", state, " ",
        el("span", took, class_="soft"), " ", badge("rule-based twin", "warn") if step.degraded else None,
    )  # fmt: skip
    inside = [part for part in _inside(step, events) if part is not None]
    is_open = step.status == "failed" or step.failure is not None
    return el("li", el("details", summary, *inside, open=is_open, id=None))


def _inside(step: TracedStep, events: Sequence[Stamped]) -> Iterator[Html | None]:
    yield el("p", one_line(step.task, _LONG)) if step.task else None
    if step.needs:
        yield el("p", f"after {', '.join(step.needs)}", class_="soft")
    if step.confidence is not None and step.status == "done":
        yield el("p", " · ".join(filter(None, [f"confidence {score(step.confidence)}", tokens(step.usage)])))
    if step.failure is not None:
        yield failure_text(step.failure.code, step.failure.message)
    yield from _choices(step, events)
    for attempt in step.attempts:
        yield _attempt(attempt, alone=len(step.attempts) == 1)
    lists = [*map(_effect, step.effects), *(el("li", decision_words(each)) for each in step.decisions)]
    yield el("ul", *lists) if lists else None


def failure_text(code: str, message: str) -> Html:
    """Return what went wrong."""
    return el("p", el("code", code), " ", one_line(message, _LONG), class_="bad")


def _choices(step: TracedStep, events: Sequence[Stamped]) -> Iterator[Html]:
    """Yield who was chosen for a step and what it was bound to, and why."""
    for event in (stamped.event for stamped in events):
        if isinstance(event, AgentSelected) and event.step == step.id and event.reason:
            yield el("p", f"{event.agent} was chosen: {one_line(event.reason, 400)}", class_="soft")
        elif isinstance(event, ResourceBound) and event.step == step.id:
            yield el("p", f"bound to {event.resource}: {one_line(event.why, 400)}", class_="soft")


def _attempt(attempt: TracedAttempt, *, alone: bool) -> Html | None:
    tools = [_tool(tool) for tool in attempt.tools]
    if alone:
        return el("div", *tools) if tools else None
    took = "broken off" if attempt.ended is None else duration(attempt.ended - attempt.started)
    return el("div", el("h4", f"Attempt {attempt.number} by {attempt.agent}, {took}"), *tools)


def _tool(tool: TracedTool) -> Html:
    took = "no answer" if tool.seconds is None else duration(tool.seconds)
    bad = badge("failed", "bad") if tool.failure else None
    summary = el("summary", el("code", tool.tool), " ", el("span", took, class_="soft"), " ", bad)
    said = failure_text(tool.failure.code, tool.failure.message) if tool.failure else None
    given = json.dumps(tool.args, ensure_ascii=False, indent=2, default=str)
    shown = el("p", one_line(tool.summary, _LONG), class_="soft") if tool.summary else None
    return el("details", summary, el("pre", given[:_LONG], tabindex="0"), shown, said, class_="tool")


def _effect(effect: TracedEffect) -> Html:
    state, tone = EFFECT_STATES[effect.state]
    return el("li", "effect of ", el("code", effect.tool), " ", badge(state, tone))
