"""The phrases that the terminal repeats: routes, plans, outcomes and questions. Pure, and safe to print."""

from collections.abc import Iterable

from rich.text import Text

from domain.approvals import ActionRequest
from domain.outcomes import Outcome
from domain.plans import Plan, Step
from domain.routing import Neighbour, RouteDecision, RouteSource
from understudy.cli.text import clean, excerpt, one_line, shown_value

NO_MODEL = "no model configured: rule-based understudies are playing"

_FACT = 300
"""Characters of one fact that are shown."""
LABEL_WIDTH = 10
"""Columns that labels take; texts start beyond them."""
_FROM: dict[RouteSource, str] = {
    "memory": "from memory",
    "recipe": "from a recipe",
    "planner": "newly planned",
    "reply": "answered directly",
    "ask": "asks back",
    "refuse": "refused",
}


def line(label: str, text: str, style: str = "") -> Text:
    """Return one labelled line; the label column lines up over all events."""
    return Text.assemble((f"{label:<{LABEL_WIDTH}}", "bold cyan"), (clean(text), style))


def mode(name: str) -> str:
    """Return who plays, in words: the leading model, or that there is none."""
    return NO_MODEL if name == "rules" else f"model {one_line(name)}"


def remembered(tasks: int | None) -> str:
    """Return how many tasks are remembered, in words; None: nobody knows now."""
    return "memory is away" if tasks is None else f"{tasks} remembered task(s)"


def way(decision: RouteDecision) -> str:
    """Return how a goal was routed."""
    # A goal that nothing is remembered for has no confidence worth telling, nor one that memory has no say in.
    if not decision.confidence or decision.source not in ("memory", "recipe", "planner"):
        return _FROM[decision.source]
    whose = "memory's confidence" if decision.source == "planner" else "confidence"
    return f"{_FROM[decision.source]}, {whose} {decision.confidence:.2f}"


def why(decision: RouteDecision) -> str:
    """Return how a goal was routed and why, on one line."""
    reason = one_line(decision.explanation or decision.message, 800)
    return f"{way(decision)} — {reason}" if reason else way(decision)


def neighbours_text(neighbours: Iterable[Neighbour]) -> Text:
    """Return the remembered tasks behind a decision, nearest first, one line each."""
    lines = [
        f"{n.similarity:5.2f}  {'success' if n.success else 'failure'}{_quality(n.quality)}  "
        f"{' → '.join(n.sequence)}  {one_line(n.goal, 70)!r}  ({n.age_days:.0f} days old, {n.task})"
        for n in neighbours
    ]
    return Text("\n").join(line("neighbour" if i == 0 else "", text) for i, text in enumerate(lines))


def plan_text(plan: Plan) -> Text:
    """Return a plan: where it came from and why, then one line per step with what it waits for."""
    reason = f" — {one_line(plan.rationale, 200)}" if plan.rationale else ""
    head = line("plan", f"{_FROM[plan.source]}, {plan.strategy}, confidence {plan.confidence:.2f}{reason}")
    width = max(len(step.id) for step in plan.steps)
    return Text("\n").join([head, *(_planned(step, width) for step in plan.steps)])


def _planned(step: Step, width: int) -> Text:
    does = one_line(f"{step.agent}: {step.task}") + (f" [{one_line(step.tool)}]" if step.tool else "")
    after = f" (after {', '.join(sorted(step.inputs()))})" if step.inputs() else ""
    writes = (" writes", "bold yellow") if step.effect == "write" else ("", "")
    return Text.assemble(" " * LABEL_WIDTH, (f"{step.id:<{width}}", "bold"), f"  {does}", writes, (after, "dim"))


def outcome_text(outcome: Outcome) -> Text:
    """Return how a run ended: its measures, and what failed."""
    parts = [outcome.status.replace("_", " "), f"confidence {outcome.confidence:.2f}"]
    if outcome.quality is not None:
        parts.append(f"quality {outcome.quality:.2f}")
    if outcome.stopped:
        parts.append(f"{outcome.iterations} critique(s), ended by {outcome.stopped.replace('_', ' ')}")
    if outcome.usage.calls:
        used = outcome.usage
        price = "price unknown" if used.dollars is None else f"${used.dollars:.4f}"
        parts.append(f"{used.calls} model calls, {used.input_tokens:,} + {used.output_tokens:,} tokens, {price}")
    if outcome.degraded:
        parts.append("rule-based understudies had a part in it")
    lines = [line("result", " · ".join(parts), "green" if outcome.success else "yellow")]
    if outcome.failure is not None:
        lines.append(line("", f"{outcome.failure.code}: {one_line(outcome.failure.message, 300)}", "red"))
    lines += [line("undone" if i == 0 else "", one_line(what, 300)) for i, what in enumerate(outcome.undone)]
    lines += [line("stays" if i == 0 else "", one_line(what, 300), "yellow") for i, what in enumerate(outcome.kept)]
    return Text("\n").join(lines)


def request_text(request: ActionRequest, *, whole: bool = False) -> Text:
    """Return a question to a person: what happens, why, what is known about it, and the arguments.

    Args:
        request: The question.
        whole: Whether long facts and arguments are shown to their end.
    """
    parts = [line("decide", one_line(request.name), "bold yellow"), Text(_indented(clean(request.description)))]
    for label, told in request.facts.lines() if request.facts else ():
        fact = one_line(told, len(told) if whole else _FACT)
        parts.append(Text.assemble((_indented(f"{label}: "), "dim"), fact))
    for name, value in request.args.items():
        text = shown_value(value)
        hidden = " (contains control characters, which are not shown)" if clean(text) != text else ""
        body = _argument(clean(text) if whole else excerpt(text))
        parts.append(Text.assemble((_indented(f"{one_line(name)}:"), "bold"), (hidden, "red"), body))
    return Text("\n").join(parts)


def _argument(body: str) -> str:
    return f" {body}" if "\n" not in body else "\n" + _indented(body, LABEL_WIDTH + 2)


def _indented(text: str, by: int = LABEL_WIDTH) -> str:
    return "\n".join(" " * by + part for part in text.splitlines())


def _quality(quality: float | None) -> str:
    return "" if quality is None else f" {quality:.2f}"


def decision_text(decision: RouteDecision) -> Text:
    """Return a routing decision with its sequence and the remembered tasks behind it."""
    parts = [line("route:", why(decision)), line("band", decision.band)]
    if decision.sequence:
        parts.append(line("sequence", " → ".join(decision.sequence)))
    if decision.message:
        parts.append(line("message", one_line(decision.message, 300)))
    if decision.neighbours:
        parts.append(neighbours_text(decision.neighbours))
    return Text("\n").join(parts)
