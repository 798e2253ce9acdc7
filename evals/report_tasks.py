"""The part of a report that shows one task: its turns with what was done for them, its scores, its drifts."""

from collections.abc import Iterator
from html import escape

from evals.report_parts import Column, anchor, diff, figure, folded, listed, mark, named, table, toned
from evals.results import PromptDrift, TaskResult, TurnScores
from evals.scoring.expectations import Score
from evals.turn_traces import StepTrace, TurnTrace

_SCORES = (Column("score", "name"), Column("value", "n"), Column("right"), Column("why", "why"))


def task_section(result: TaskResult) -> str:
    """Return a task, open where it failed."""
    epoch = toned(f" epoch {result.epoch}", "dim") if result.epoch > 1 else ""
    cost = toned(f" {result.calls} calls, {result.tokens:,} tokens", "dim")
    drifted = toned(" drifted", "some") if result.drifts or result.changed_output else ""
    summary = f"{mark(result.passed)} {escape(result.task)}{epoch}{cost}{drifted}"
    place = anchor(result.suite, result.task, result.epoch)
    # The name stands inside, since following a link opens what is folded around its target.
    inner = f"<div class='at' id='{place}'>\n{''.join(_inside(result))}</div>"
    return folded(summary, inner, opened=not result.passed)


def drift_block(drift: PromptDrift, where: str = "") -> str:
    """Return a drift, folded; where it is from stands before it, as HTML."""
    step = f" for step {drift.step}" if drift.step else ""
    answered = "answered as recorded in its place" if drift.answered else "not answered"
    what = where or toned("Prompt drift:", "some")
    summary = f"{what} call {drift.position} of {escape(drift.role)}{escape(step)}, {answered}"
    return folded(summary, diff(drift.diff))


def _inside(result: TaskResult) -> Iterator[str]:
    if result.error:
        yield f"<pre class='bad'>{escape(result.error)}</pre>"
    yield listed(result.faults)
    traces = {trace.turn: trace for trace in result.traces}
    scores = {turn.turn: turn for turn in result.turns}
    for number in sorted(traces.keys() | scores.keys()):
        yield f"<h3>Turn {number}</h3>"
        yield from _turn(traces.get(number))
        yield _scores(scores.get(number))
    yield "".join(map(drift_block, result.drifts))
    if result.unused_calls:
        yield f"<p class='some'>{result.unused_calls} recorded calls were not made.</p>"
    if result.changed_output:
        yield "<p class='some'>Output drift: an answer is not the recorded one.</p>"


def _turn(trace: TurnTrace | None) -> Iterator[str]:
    if trace is None:
        return
    yield f"<div class='said'>{escape(trace.said)}</div>"
    yield listed(trace.run)
    yield "".join(map(_step, trace.steps))
    if trace.questions:
        yield f"<p class='dim small'>Questions to a person</p>{listed(trace.questions)}"
    yield f"<p>{toned('Ended:', 'dim')} {escape(trace.status or 'it waits for a person')}</p>"
    if trace.answer:
        yield folded("Answer", f"<pre>{escape(trace.answer)}</pre>")


def _step(step: StepTrace) -> str:
    tone = {"done": "good", "failed": "bad"}.get(step.status, "some")
    head = f"{escape(step.step)} {toned('by', 'dim')} {escape(step.agent)}: {toned(step.status or 'no result', tone)}"
    task = f"<p class='small dim'>{escape(step.task)}</p>" if step.task else ""
    return f"<p>{head}</p>{task}{listed(step.lines)}"


def _scores(turn: TurnScores | None) -> str:
    if turn is None or not turn.scores:
        return ""
    wrong_first = sorted(turn.scores, key=lambda score: (score.passed, score.kind != "correctness"))
    return table(_SCORES, map(_score, wrong_first))


def _score(score: Score) -> list[str]:
    right = mark(score.passed) if score.kind == "correctness" else ""
    return [named(score.name), figure(score.value), right, escape(score.detail)]
