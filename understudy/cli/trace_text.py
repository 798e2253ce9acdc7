"""What a trace looks like to a person: a tree of the run, its steps, and what happened in them. Pure."""

from collections.abc import Iterable
from datetime import datetime

from rich.text import Text
from rich.tree import Tree

from domain.effects import EffectState
from domain.outcomes import StepStatus, Usage
from graph.trace import Trace, TracedAttempt, TracedCall, TracedDecision, TracedEffect, TracedStep
from understudy.cli.phrases import mode, way
from understudy.cli.text import call, one_line

_COLOURS: dict[StepStatus | None, str] = {
    "done": "green", "failed": "red", "skipped": "yellow", "held": "yellow", "undone": "yellow", None: "dim",
}  # fmt: skip
_STATES: dict[EffectState, tuple[str, str]] = {
    "done": ("done", "green"),
    "undone": ("undone", "yellow"),
    "unknown": ("unknown: nobody knows whether it happened", "red"),
    "undo_unknown": ("undo unknown: nobody knows whether it was undone", "red"),
}


def trace_tree(trace: Trace) -> Tree:
    """Return the whole trace."""
    status = trace.outcome.status.replace("_", " ") if trace.outcome else "open"
    tree = Tree(_text((f"run {trace.run}", "bold"), (f"  {status}  ", _colour(trace)), one_line(trace.goal, 100)))
    when = datetime.fromtimestamp(trace.started).astimezone().isoformat(" ", "seconds")
    tree.add(_text(f"{when}, {trace.seconds:.2f} s, thread {trace.thread}, team {trace.team}, {mode(trace.mode)}"))
    if trace.decision is not None:
        tree.add(_text(f"route: {way(trace.decision)}"))
    _add_calls(tree, trace.calls)
    for role, reason in trace.degraded.items():
        tree.add(_text((f"degraded {role}: {one_line(reason, 200)}", "yellow")))
    for number in range(max(1, len(trace.plans))):
        _add_plan(tree, trace, number)
    for critique in trace.critiques:
        end = f", {critique.stopped.replace('_', ' ')}" if critique.stopped else ""
        tree.add(_text(f"critique {critique.score:.2f} of {critique.threshold:.2f} wanted{end}"))
    for decision in trace.decisions:
        if not any(decision in step.decisions for step in trace.steps):
            tree.add(_decision(decision))
    for reason in trace.stops:
        tree.add(_text((f"stopped: {one_line(reason, 200)}", "yellow")))
    _add_outcome(tree, trace)
    return tree


def _add_plan(tree: Tree, trace: Trace, number: int) -> None:
    steps = [step for step in trace.steps if step.plan == number]
    if not steps:
        return
    plan = trace.plans[number] if trace.plans else None
    which = f"plan {number + 1} of {len(trace.plans)}" if len(trace.plans) > 1 else "plan"
    label = f"{which}, {plan.strategy}, confidence {plan.confidence:.2f}" if plan else which
    branch = tree.add(_text((label, "bold")))
    for step in steps:
        _add_step(branch, trace, step)


def _add_step(branch: Tree, trace: Trace, step: TracedStep) -> None:
    parts: list[str] = [step.status or ("broken off" if step.started is not None else "not begun")]
    if step.started is not None:
        parts.append(f"at {step.started - trace.started:.2f} s")
    if step.ended is not None:
        parts.append(f"{step.seconds:.2f} s")
    if step.confidence is not None and step.status == "done":
        parts.append(f"confidence {step.confidence:.2f}")
    parts += _used(step.usage)
    if step.degraded:
        parts.append("by the rule-based understudy")
    after = f"  (after {', '.join(step.needs)})" if step.needs else ""
    head = _text((step.id, "bold"), f"  {one_line(step.agent)}  ", (", ".join(parts), _COLOURS[step.status]), after)
    node = branch.add(head)
    if step.failure is not None:
        node.add(_text((f"{step.failure.code}: {one_line(step.failure.message, 300)}", "red")))
    for attempt in step.attempts:
        _add_attempt(node, attempt, alone=len(step.attempts) == 1)
    for effect in step.effects:
        node.add(_effect(effect))
    for decision in step.decisions:
        node.add(_decision(decision))


def _add_attempt(node: Tree, attempt: TracedAttempt, *, alone: bool) -> None:
    if not alone:
        took = "broken off" if attempt.ended is None else f"{attempt.ended - attempt.started:.2f} s"
        node = node.add(_text(f"attempt {attempt.number} by {one_line(attempt.agent)}, {took}"))
    for tool in attempt.tools:
        took = "no answer" if tool.seconds is None else f"{tool.seconds:.2f} s"
        said = f"could not: {one_line(tool.failure.message, 200)}" if tool.failure else one_line(tool.summary, 80)
        node.add(_text(f"{call(tool.tool, tool.args)}  {took}  ", (said, "red" if tool.failure else "dim")))


def _effect(effect: TracedEffect) -> Text:
    state, colour = _STATES[effect.state]
    replayed = f", recorded result taken {effect.replayed} time(s)" if effect.replayed else ""
    kept = f", kept: {one_line(effect.kept, 200)}" if effect.kept and effect.state == "done" else ""
    return _text(f"effect {one_line(effect.tool)}  ", (state, colour), f"{replayed}{kept}  key {effect.key}")


def _decision(decision: TracedDecision) -> Text:
    about = f" ({decision.checkpoint})" if decision.checkpoint else ""
    if decision.decided is None:
        return _text((f"asked: {one_line(decision.request)}{about}, open", "yellow"))
    waited = f" after {decision.decided - decision.asked:.1f} s" if decision.asked is not None else ""
    by = f" by {one_line(decision.by)}" if decision.by else ""
    said = f": {one_line(decision.message, 200)}" if decision.message else ""
    return _text(f"decided: {one_line(decision.request)}{about}: {decision.type}{by}{waited}{said}")


def _add_calls(tree: Tree, calls: Iterable[TracedCall]) -> None:
    by_role: dict[tuple[str, str], list[TracedCall]] = {}
    for made in calls:
        by_role.setdefault((made.role, made.model), []).append(made)
    for (role, model), made_by in by_role.items():
        usages = (
            Usage(calls=1, input_tokens=c.input_tokens, output_tokens=c.output_tokens, dollars=c.dollars)
            for c in made_by
        )
        used = ", ".join(_used(sum(usages, Usage())))
        failed = sum(c.failure is not None for c in made_by)
        bad = (f", {failed} failed", "red") if failed else ("", "")
        tree.add(_text(f"{role}: {one_line(model)}  {used}, {sum(c.seconds for c in made_by):.2f} s", bad))


def _add_outcome(tree: Tree, trace: Trace) -> None:
    if trace.outcome is None:
        return
    total = ", ".join([f"{trace.seconds:.2f} s", f"confidence {trace.outcome.confidence:.2f}", *_used(trace.usage)])
    node = tree.add(_text(("result", "bold"), f"  {trace.outcome.status.replace('_', ' ')}, {total}"))
    if trace.outcome.failure is not None:
        failure = trace.outcome.failure
        node.add(_text((f"{failure.code}: {one_line(failure.message, 300)}", "red")))
    for what in trace.outcome.undone:
        node.add(_text((f"undone: {one_line(what, 300)}", "yellow")))
    for what in trace.outcome.kept:
        node.add(_text((f"stays: {one_line(what, 300)}", "yellow")))


def _used(usage: Usage) -> list[str]:
    if not usage.calls:
        return []
    cost = "" if usage.dollars is None else f", ${usage.dollars:.4f}"
    return [f"{usage.calls} model call(s), {usage.input_tokens:,} + {usage.output_tokens:,} tokens{cost}"]


def _colour(trace: Trace) -> str:
    return "yellow" if trace.outcome is None or not trace.outcome.success else "green"


def _text(*parts: str | tuple[str, str]) -> Text:
    return Text.assemble(*parts)
