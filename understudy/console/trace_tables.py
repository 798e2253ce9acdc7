"""What a run did and cost, as tables: effects, calls of models, recoveries, errors, questions, the critical path."""

from collections.abc import Sequence
from itertools import groupby

from domain.events import RecoveryChosen, Stamped
from graph.critical_path import CriticalPath
from graph.trace import Trace, TracedCall
from understudy.cli.critical_text import described
from understudy.cli.text import one_line
from understudy.console.markup import Child, Column, Html, badge, dollars, duration, el, table, when
from understudy.console.trace_tree import EFFECT_STATES, decision_words

MAX_CALLS = 200
"""Calls of models that are listed; their sums are of all."""
_MIN_SHARE = 0.005
"""Of the run's time; shorter stretches of the critical path are summed up."""
_RUNGS = {
    "retry": "tried again", "fallback": "given to another specialist", "alternative_tool": "done with another tool",
    "rebind": "bound to something else", "replan": "planned anew", "degrade": "given to the rule-based twin",
    "stop": "stopped",
}  # fmt: skip


def effects_table(trace: Trace) -> Html | None:
    """Return what the run changed outside, in the order of time; None where it changed nothing."""
    if not trace.effects:
        return None
    rows = [
        [
            el("code", effect.tool),
            badge(*EFFECT_STATES[effect.state]),
            effect.step,
            when(effect.at),
            f"{effect.replayed} time(s)" if effect.replayed else "–",
            one_line(effect.kept, 300) or "–",
            el("code", effect.key[:12]),
        ]
        for effect in trace.effects
    ]
    columns = [Column(name) for name in ("tool", "state", "step", "when", "result taken again")]
    return table("Effects", [*columns, Column("why it stays", "long"), Column("key")], rows)


def path_table(trace: Trace, path: CriticalPath) -> Html | None:
    """Return what the wall time went to, one thing after the other."""
    labelled = [(described(s.kind, s.name, s.step), s.seconds) for s in path.segments]
    stretches = [(label, sum(s for _, s in same)) for label, same in groupby(labelled, key=lambda pair: pair[0])]
    long = [(label, seconds) for label, seconds in stretches if seconds >= _MIN_SHARE * trace.seconds]
    rest = sum(seconds for _, seconds in stretches) - sum(seconds for _, seconds in long)
    shown = [*long, *([("shorter stretches", rest)] if rest > 1e-6 else [])]
    if not shown or not trace.seconds:
        return None
    rows = [[label, duration(seconds), f"{seconds / trace.seconds:.0%}"] for label, seconds in shown]
    columns = [Column("what", "long"), Column("took", "number"), Column("share", "number")]
    return table("Critical path, in the order of time", columns, rows, hidden=False)


def calls_table(trace: Trace) -> Html | None:
    """Return the sums of the calls by role and model; None where no model was called."""
    if not trace.calls:
        return None
    by: dict[tuple[str, str], list[TracedCall]] = {}
    for call in trace.calls:
        by.setdefault((call.role, call.model), []).append(call)
    rows: list[list[Child]] = [[role, el("code", model), *_sums(calls)] for (role, model), calls in by.items()]
    rows.append([el("strong", "all"), "", *_sums(trace.calls)])
    numbers = ("calls", "failed", "tokens in", "tokens out", "cost", "time")
    return table("Model calls", [Column("role"), Column("model"), *(Column(n, "number") for n in numbers)], rows)


def single_calls(trace: Trace) -> Html | None:
    """Return the calls one by one, folded."""
    if not trace.calls:
        return None
    rows: list[list[Child]] = [
        [
            duration(call.ended - call.seconds - trace.started), call.role, call.step or "–", el("code", call.model),
            *_sums([call])[2:], one_line(call.failure.message, 200) if call.failure else "–",
        ]
        for call in trace.calls[:MAX_CALLS]
    ]  # fmt: skip
    numbers = ("tokens in", "tokens out", "cost", "time")
    names = [Column("began at", "number"), Column("role"), Column("step"), Column("model")]
    columns = [*names, *(Column(n, "number") for n in numbers), Column("failure", "long")]
    head = f"Each call ({len(trace.calls)})" if len(trace.calls) <= MAX_CALLS else f"The first {MAX_CALLS} calls"
    return el("details", el("summary", head), table("Each model call", columns, rows), class_="folded")


def _sums(calls: Sequence[TracedCall]) -> list[str]:
    prices = [call.dollars for call in calls]
    known = None if None in prices else sum(price or 0.0 for price in prices)
    return [
        str(len(calls)), str(sum(call.failure is not None for call in calls)),
        f"{sum(call.input_tokens for call in calls):,}", f"{sum(call.output_tokens for call in calls):,}",
        dollars(known), duration(sum(call.seconds for call in calls)),
    ]  # fmt: skip


def recovery_table(trace: Trace, events: Sequence[Stamped]) -> Html | None:
    """Return what was done about failures; None where nothing had to be."""
    found = [(s.time, s.event) for s in events if isinstance(s.event, RecoveryChosen)]
    rows: list[list[Child]] = [
        [duration(at - trace.started), event.step or "the plan", _RUNGS[event.rung], one_line(event.why, 400)]
        for at, event in found
    ]
    rows += [["", role, "given to the rule-based twin", one_line(why, 400)] for role, why in trace.degraded.items()]
    rows += [["", "the run", "interrupted", one_line(why, 400)] for why in trace.stops]
    if not rows:
        return None
    return table("Recovery", [Column("at", "number"), Column("what"), Column("was"), Column("because", "long")], rows)


def errors_table(trace: Trace) -> Html | None:
    """Return every failure with where it happened; None without any."""
    found = list(trace.errors)
    if trace.outcome is not None and trace.outcome.failure is not None:
        found.append(("the run", trace.outcome.failure))
    if not found:
        return None
    rows: list[list[Child]] = [
        [where, el("code", failure.code), one_line(failure.message, 600)] for where, failure in found
    ]
    return table("Errors", [Column("where"), Column("code"), Column("message", "long")], rows)


def decisions_list(trace: Trace) -> Html | None:
    """Return what people were asked, with their answers; None where nobody was."""
    if not trace.decisions:
        return None
    return el("ul", *(el("li", decision_words(decision)) for decision in trace.decisions))


def critiques_table(trace: Trace) -> Html | None:
    """Return how the drafts were judged; None where none was."""
    if not trace.critiques:
        return None
    rows = [
        [
            duration(each.at - trace.started), f"{each.score:.2f}", f"{each.threshold:.2f}",
            (each.stopped or "revised").replace("_", " "),
        ]
        for each in trace.critiques
    ]  # fmt: skip
    columns = [Column("at", "number"), Column("score", "number"), Column("wanted", "number"), Column("then")]
    return table("Critiques", columns, rows)
