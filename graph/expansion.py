"""One step that is several: once for each item of a list, again until a test holds, or the end of a nested plan.

Each instance is a step of its own, called `step#1`, `step#2` and so on, launched from within the step that it belongs
to and in the order of the numbers; so a durable launcher finds the finished ones again whatever ended first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from domain.outcomes import Failure, StepResult, Usage
from domain.plans import ITEM, PREVIOUS, Condition, ForEach, Repeat, Step
from domain.privacy import most_private
from graph.fingerprints import fingerprint
from graph.inputs import holds
from graph.reports import Inputs, StepReport, all_of

Start = Callable[[Step, Inputs], Awaitable[StepReport]]
"""Starts an instance at once and returns something to await its report with."""


def instance_of(step: Step, number: int, note: str = "") -> Step:
    """Return an instance of a step, numbered from 1, as a plain step."""
    task = f"{step.task} ({note})" if note else step.task
    return step.model_copy(update={"id": f"{step.id}#{number}", "task": task, "foreach": None, "repeat": None})


def origin_of(step_id: str) -> str:
    """Return the id of the plan's step that an instance belongs to; any other id as it is."""
    return step_id.partition("#")[0]


async def for_each(step: Step, over: ForEach, inputs: Inputs, start: Start) -> StepReport:
    """Do a step for every item of the list, side by side."""
    source = inputs[over.step]
    items = source.data.get(over.field)
    if not isinstance(items, list):
        given = "nothing" if items is None else type(items).__name__
        return _failed(step, "bad_items", f"{over.step!r} gave {given} as {over.field!r}, which is not a list")
    if len(items) > over.max_items:
        return _failed(step, "too_many_items", f"{len(items)} items; at most {over.max_items} are allowed")
    started = [
        start(instance_of(step, number, f"item {number} of {len(items)}"), {**inputs, ITEM: _as_input(item, source)})
        for number, item in enumerate(items, start=1)
    ]
    return _gathered(step, await all_of(started))


def _as_input(item: Any, source: StepResult) -> StepResult:
    """Return an item as the pseudo-step `item` gives it; its value is data like the output that it comes from."""
    text = item if isinstance(item, str) else repr(item)
    return StepResult(
        step=ITEM, agent=source.agent, text=text, data={"value": item}, sources=source.sources,
        confidence=source.confidence, privacy=source.privacy,
    )  # fmt: skip


def _gathered(step: Step, reports: Sequence[StepReport]) -> StepReport:
    """Return the instances as one result: their texts in order, their data in a list."""
    parts = [report.result for report in reports]
    requests = tuple(request for report in reports for request in report.requests)
    held, failed = _those(parts, "held"), _those(parts, "failed")
    done = _those(parts, "done")
    result = StepResult(
        step=step.id,
        agent=step.agent,
        status="held" if held else "failed" if failed else "done",
        text="\n\n".join(part.text for part in done if part.text),
        data={"items": [part.data for part in done], "texts": [part.text for part in done]},
        sources=list(dict.fromkeys(source for part in done for source in part.sources)),
        confidence=min((part.confidence for part in done), default=0.0 if parts else 1.0),
        degraded=any(part.degraded for part in parts),
        empty=all(part.empty for part in done),
        seconds=sum(part.seconds for part in parts),
        attempts=max((part.attempts for part in parts), default=1),
        usage=sum((part.usage for part in parts), Usage()),
        failure=failed[0].failure if failed and not held else None,
        privacy=most_private(part.privacy for part in parts),
        parts=parts,
    )
    return StepReport(result, requests)


def _those(parts: Sequence[StepResult], status: str) -> list[StepResult]:
    return [part for part in parts if part.status == status]


async def repeated(step: Step, loop: Repeat, inputs: Inputs, start: Start) -> StepReport:
    """Do a step again until its output satisfies the test, it makes no progress, or the cap is reached."""
    parts: list[StepResult] = []
    seen: set[str] = set()
    until = Condition(step=PREVIOUS, field=loop.field, op=loop.op, value=loop.value)
    for number in range(1, loop.max_times + 1):
        if parts and loop.every:
            await asyncio.sleep(loop.every)
        known = {**inputs, PREVIOUS: parts[-1]} if parts else inputs
        report = await start(instance_of(step, number, f"time {number} of at most {loop.max_times}"), known)
        parts.append(report.result)
        if report.result.status != "done":
            return StepReport(_last(step, parts), report.requests)
        if holds(until, {PREVIOUS: report.result}):
            return StepReport(_last(step, parts))
        if (print_ := fingerprint(report.result.text, report.result.data)) in seen and not loop.every:
            return StepReport(_last(step, parts, "no_progress", f"time {number} gave the same again"))
        seen.add(print_)
    return StepReport(_last(step, parts, "not_reached", f"the test did not hold after {loop.max_times} times"))


def _last(step: Step, parts: Sequence[StepResult], code: str = "", message: str = "") -> StepResult:
    """Return the latest instance as the step's result, failed where `code` says why."""
    failed = {"status": "failed", "failure": Failure(code=code, message=message)} if code else {}
    together = {
        "step": step.id,
        "seconds": sum(part.seconds for part in parts),
        "usage": sum((part.usage for part in parts), Usage()),
        "privacy": most_private(part.privacy for part in parts),
        "parts": list(parts),
    }
    return parts[-1].model_copy(update=together | failed)


def joined(step: Step, ends: Sequence[StepResult]) -> StepResult:
    """Return what the last steps of a nested plan gave, as the result of the step that the plan stands for."""
    done = _those(ends, "done")
    single = done[0].data if len(done) == 1 else {"parts": {part.step: part.data for part in done}}
    return StepResult(
        step=step.id,
        agent=step.agent,
        text="\n\n".join(part.text for part in done if part.text),
        data=single,
        sources=list(dict.fromkeys(source for part in done for source in part.sources)),
        confidence=min((part.confidence for part in done), default=0.0),
        degraded=any(part.degraded for part in done),
        empty=all(part.empty for part in done),
        privacy=most_private(part.privacy for part in done),
    )


def _failed(step: Step, code: str, message: str) -> StepReport:
    failure = Failure(code=code, message=message)
    return StepReport(StepResult(step=step.id, agent=step.agent, status="failed", confidence=0, failure=failure))
