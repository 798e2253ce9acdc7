"""The page of one remembered task: its plan, its runs, and the way to forget it."""

from domain.errors import UnknownTask
from memory.episodes import Episode
from memory.tasks import TaskRecord
from understudy.cli.text import clean, one_line
from understudy.console.frame import address, page, toast
from understudy.console.markup import Child, Column, Html, badge, duration, el, facts, score, table, when
from understudy.console.markup_view import confirmed, may, section, show
from understudy.console.memory_tabs import memory_tabs
from understudy.console.parts import box, link, text
from understudy.console.runs_detail import TONES
from understudy.console.visits import caller_here
from understudy.forgetting import Forgotten
from understudy.service.caller import Caller

_RUNS = 50
"""Runs that are listed, the latest."""


@page("/memory/tasks/{task}", title="Task", permission="read")
async def task_page(caller: Caller, task: str) -> None:
    """Build the page."""
    memory_tabs("", caller)
    record = await caller.orchestrator.memory.get(caller.workspace, task)
    if record is None:
        msg = f"nothing is remembered of a task {task!r:.60}; it may have been forgotten"
        raise UnknownTask(msg)
    runs = await caller.orchestrator.lessons.episodes.of_task(caller.workspace, task)
    area = box("task")
    with area:
        _show(caller, record, runs)
        if may(caller, "manage"):
            question = "Forget this task for good, with what was learnt from it and the conversations it was done in?"

            async def forget() -> None:
                here = await caller_here("manage")
                done = await here.orchestrator.forget(task)
                area.clear()
                with area:
                    _told(here, done)
                toast("forgotten", "good")

            confirmed("Forget this task", question, forget)


def _show(caller: Caller, record: TaskRecord, runs: list[Episode]) -> None:
    text(clean(record.goal), "lead", tag="p")
    went = badge("succeeded", "good") if record.last_success else badge("failed", "bad")
    values: dict[str, Child] = {
        "last run": el("span", went, " ", when(record.updated)),
        "sequence": record.route,
        "succeeded": f"{record.successes} of {record.successes + record.failures}",
        "quality": score(record.quality),
        "took": duration(record.seconds),
        "error": one_line(record.error, 400),
        "by": "rule-based twins" if record.degraded else None,
        "team": record.team,
        "data": record.privacy,
        "came from": "an import" if record.origin == "import" else None,
        "first run": when(record.created),
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(record.versions.items())),
        "rated": ", ".join("accepted" if r.accepted else "not accepted" for r in record.ratings.values()),
        "id": el("code", record.id),
    }
    show(facts(values))
    section("Plan", _plan(record), absent="No plan is kept of it.")
    section("Runs", _runs(caller, runs), absent="Its runs are not remembered any more.")


def _plan(record: TaskRecord) -> Html | None:
    if record.plan is None:
        return None
    rows: list[list[Child]] = [
        [
            el("strong", step.id), step.agent, one_line(step.task, 300),
            el("code", step.tool) if step.tool else "–", ", ".join(sorted(step.inputs())) or "–",
            badge("writes", "warn") if step.effect == "write" else step.effect,
        ]
        for step in record.plan.steps
    ]  # fmt: skip
    columns = [Column("step"), Column("agent"), Column("task", "long"), Column("tool"), Column("after")]
    return table("Plan", [*columns, Column("effect")], rows)


def _runs(caller: Caller, runs: list[Episode]) -> Html | None:
    if not runs:
        return None
    rows: list[list[Child]] = [
        [
            el("a", el("code", run.run[:12]), href=address(f"/runs/{run.run}", caller)), when(run.started),
            badge(run.status.replace("_", " "), TONES.get(run.status, "plain")), score(run.quality),
            duration(run.seconds), run.source,
        ]
        for run in runs[:_RUNS]
    ]  # fmt: skip
    columns = [Column("run"), Column("began"), Column("state"), Column("quality", "number"), Column("took", "number")]
    return table("Runs", [*columns, Column("plan from")], rows)


def _told(caller: Caller, done: Forgotten) -> None:
    """Say what is gone and what is not."""
    with box("panel", role="status"):
        text("It is forgotten." if done.there else "It was forgotten before.", tag="p")
        if done.threads:
            text(f"Conversations that went with it: {', '.join(done.threads)}", tag="p")
        if done.kept:
            text(f"Conversations that still hold a goal like it: {', '.join(done.kept)}", tag="p")
        for note in done.notes:
            text(clean(note), "soft", tag="p")
        link("Back to the tasks", address("/memory", caller), "button plain")
