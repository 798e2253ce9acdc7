"""Runs of the past: found again by id or thread, traced, and undone."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.approvals import ActionRequest, Decision
from domain.effects import LedgerEffect
from domain.errors import UnknownRun, UnknownThread
from domain.events import EffectUndone, Event, RunFinished, Stamped
from domain.outcomes import Outcome
from graph.acts import judge
from graph.audited import EffectNotes
from graph.trace import Trace
from graph.tracing import traced
from graph.undoing import Undoer, Undoing
from understudy.runs import Runs
from understudy.stored import context_of
from understudy.threads import ThreadEntry
from understudy.wiring import House


class Undone(BaseModel):
    """What undoing a run led to."""

    model_config = ConfigDict(extra="forbid")

    run: str
    thread: str
    undone: list[str] = Field(default_factory=list)
    """What was taken back, the last effect first."""
    kept: list[str] = Field(default_factory=list)
    """What was not, each with the reason."""
    question: ActionRequest | None = None
    """What a person must find out before it can go on."""


class _Past(NamedTuple):
    entry: ThreadEntry
    """Of the thread, with the run's id."""
    events: list[Stamped]
    """Of the run."""
    latest: bool
    """Whether it is the thread's latest run."""


async def trace_run(house: House, runs: Runs, workspace: str, run: str) -> Trace:
    """Return the trace of a run, by its id or the name of its thread, which means the latest run there.

    Raises:
        UnknownRun: The workspace has no such run.
    """
    past = await _found(house, runs, workspace, run)
    return traced(past.events, await house.effects.of_run(workspace, past.entry.run))


async def recent_traces(house: House, runs: Runs, workspace: str, most: int) -> list[Trace]:
    """Return the traces of the workspace's latest runs that have ended, the latest first."""
    found: list[Trace] = []
    for entry in await runs.entries(workspace):
        by_run: dict[str, list[Stamped]] = {}
        for stamped in await runs.events(workspace, entry.thread):
            by_run.setdefault(stamped.run, []).append(stamped)
        ended = [traced(events, await house.effects.of_run(workspace, run)) for run, events in by_run.items()]
        found += [trace for trace in ended if trace.ended is not None]
        if len(found) >= most:  # threads come with the last touched first
            break
    return sorted(found, key=lambda trace: trace.started, reverse=True)[:most]


async def undo_run(
    house: House, runs: Runs, workspace: str, run: str, answers: Mapping[str, Decision], *, by: str
) -> Undone:
    """Take back what a run changed, the last effect first; doing it again goes on where it stopped.

    A run that waits or was interrupted is given up with it. One that changed nothing is left alone.

    Args:
        house: What is open.
        runs: The threads.
        workspace: Where the run was.
        run: Its id, or the name of its thread, which means the latest run there.
        answers: What a person found out, by the id of the question.
        by: The user who wants it, for the audit.

    Raises:
        UnknownRun: The workspace has no such run.
        ThreadBusy: A run of the thread goes on now, or somebody else undoes or forgets it.
    """
    thread = (await _found(house, runs, workspace, run)).entry.thread
    async with runs.held(workspace, thread):
        return await _undone(house, runs, await _found(house, runs, workspace, run), answers, by)


async def _undone(house: House, runs: Runs, past: _Past, answers: Mapping[str, Decision], by: str) -> Undone:
    workspace = past.entry.context["workspace"]
    effects = await house.effects.of_run(workspace, past.entry.run)
    if not effects:
        return Undone(run=past.entry.run, thread=past.entry.thread)
    if past.latest and past.entry.state != "ended":
        await runs.give_up(past.entry)
    told: list[Event] = []
    undoer = Undoer(
        ledger=house.effects,
        workspace=workspace,
        tools=(await house.services_for(context_of(past.entry.context))).tools,
        decide=lambda request: answers.get(request.id),
        emit=told.append,
        notes=EffectNotes(house.audit, workspace, by, thread=past.entry.thread),
    )
    far = await undoer.undo(past.entry.run)
    for event in told:
        await runs.tell(past.entry, event)
    await _judged(house, past.entry, effects, told)
    await house.lessons.decisions.undone(workspace, past.entry.run, far.steps)
    if far.question is None:
        await _conclude(house, runs, past, far)
    return Undone(run=past.entry.run, thread=past.entry.thread, undone=far.undone, kept=far.kept, question=far.question)


async def _judged(house: House, entry: ThreadEntry, effects: Sequence[LedgerEffect], told: Sequence[Event]) -> None:
    """Let acts of the kinds that a person took back be asked about again."""
    gone = {event.key for event in told if isinstance(event, EffectUndone) and event.failure is None}
    undone = [each.effect for each in effects if each.effect.key in gone]
    workspace, user = entry.context["workspace"], entry.context["user"]
    await judge(house.autonomy, workspace, user, undone, "undone", now=house.clock())


async def _conclude(house: House, runs: Runs, past: _Past, far: Undoing) -> None:
    """Let the run's outcome say what was undone, and memory count it as no success."""
    before = next((s.event.outcome for s in reversed(past.events) if isinstance(s.event, RunFinished)), None)
    ended = before or Outcome(status="undone")
    status = "undone" if ended.success and far.undone else ended.status
    after = ended.model_copy(update={"status": status, "undone": far.undone, "kept": far.kept})
    if after != before:
        await runs.revise(past.entry, after)
    if far.undone:
        await house.lessons.feedback.retract(past.entry.context["workspace"], past.entry.run)


async def _found(house: House, runs: Runs, workspace: str, run: str) -> _Past:
    entry = await _entry(house, runs, workspace, run)
    wanted = entry.run if entry and run == entry.thread else run
    events = [s for s in await runs.events(workspace, entry.thread) if s.run == wanted] if entry else []
    if entry is None or not events:
        msg = f"workspace {workspace!r} has no run {run!r:.60}"
        raise UnknownRun(msg)
    return _Past(entry.model_copy(update={"run": wanted}), events, latest=entry.run == wanted)


async def _entry(house: House, runs: Runs, workspace: str, run: str) -> ThreadEntry | None:
    """Return the thread that a run is in, or None."""
    thread = run
    if episode := await house.lessons.episodes.of_run(workspace, run):
        thread = episode.thread
    try:
        return await runs.entry(workspace, thread)
    except UnknownThread:
        entries = await runs.entries(workspace)
        latest = next((entry for entry in entries if entry.run == run), None)
        return latest or await _with_older(runs, entries, run)


async def _with_older(runs: Runs, entries: Sequence[ThreadEntry], run: str) -> ThreadEntry | None:
    """Return the thread whose events tell of a run that was left unfinished when the next one began."""
    for entry in entries:
        if any(stamped.run == run for stamped in await runs.events(entry.context["workspace"], entry.thread)):
            return entry
    return None
