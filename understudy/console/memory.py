"""The page of remembered tasks: the latest, or those nearest to some words and how sure their reuse would be."""

from domain.goals import checked_goal
from domain.routing import Recall
from memory.tasks import TaskRecord
from understudy.cli.text import one_line
from understudy.console import memory_map, memory_recipes, memory_rules, memory_state, memory_task
from understudy.console.frame import address, empty, page
from understudy.console.markup import (
    Child,
    Column,
    Html,
    Tone,
    badge,
    duration,
    el,
    joined,
    score,
    share_bar,
    table,
    when,
)
from understudy.console.markup_view import Field, filters, pages, section, show
from understudy.console.memory_tabs import memory_tabs
from understudy.console.parts import text
from understudy.service.caller import Caller

__all__ = ["memory", "memory_map", "memory_recipes", "memory_rules", "memory_state", "memory_task"]

_SIZE = 25
_NEAREST = 12
_BANDS: dict[str, tuple[str, Tone]] = {
    "reuse": ("sure enough to be reused", "good"),
    "hint": ("a hint for the planner", "warn"),
    "plan": ("too unsure: it would be planned anew", "plain"),
}


@page("/memory", title="Memory", permission="read")
async def memory(caller: Caller, words: str = "", number: int = 1) -> None:
    """Build the list, or what was found."""
    memory_tabs("/memory", caller)
    filters("/memory", caller, [Field("words", "A goal, in any words", words)], go="Search")
    if words.strip():
        await _searched(caller, words)
    else:
        await _latest(caller, number)


async def _latest(caller: Caller, number: int) -> None:
    records = await caller.orchestrator.memory.list(caller.workspace)
    if not records:
        empty("Nothing is remembered yet.", "What was asked and done in the chat is remembered when it ends.")
        return
    count = -(-len(records) // _SIZE)
    number = min(max(1, number), count)
    text(f"{len(records):,} task{'s' * (len(records) != 1)}, the latest first", "soft", tag="p")
    shown = records[(number - 1) * _SIZE : number * _SIZE]
    show(task_table("Remembered tasks", caller, shown))
    pages("/memory", caller, number, count, {})


def task_table(caption: str, caller: Caller, records: list[TaskRecord]) -> Html:
    """Return tasks as a table."""
    columns = [Column("goal", "long"), Column("sequence"), Column("succeeded", "number"), Column("quality", "number")]
    rows = [
        [
            task_link(caller, r.id, r.goal), r.route or "–", f"{r.successes} of {r.successes + r.failures}",
            score(r.quality), duration(r.seconds), r.team, when(r.updated),
        ]
        for r in records
    ]  # fmt: skip
    return table(caption, [*columns, Column("took", "number"), Column("team"), Column("last run")], rows)


def task_link(caller: Caller, task: str, goal: str) -> Html:
    """Return the way to a task."""
    return el("a", one_line(goal, 140) or task[:12], href=address(f"/memory/tasks/{task}", caller))


async def _searched(caller: Caller, words: str) -> None:
    orchestrator, goal = caller.orchestrator, checked_goal(words)
    near = await orchestrator.memory.search(caller.workspace, goal, limit=_NEAREST)
    if not near:
        empty("Nothing is remembered yet, so nothing is near.", "Tasks appear here once they have been run.")
        return
    team = (await caller.installation.house.team(orchestrator.context.team)).name
    section("What would be recalled", _recall(await orchestrator.memory.recall(caller.workspace, team, goal)))
    columns = [Column("goal", "long"), Column("similarity", "number"), Column("", "plot"), Column("sequence")]
    rows: list[list[Child]] = [
        [
            task_link(caller, n.task, n.goal), f"{n.similarity:.2f}",
            share_bar(n.similarity, f"similarity {n.similarity:.2f}"), " → ".join(n.sequence) or "–",
            badge("succeeded", "good") if n.success else badge("failed", "bad"), score(n.quality),
            f"{n.age_days:.0f}",
        ]
        for n in near
    ]  # fmt: skip
    rest = [Column("last run"), Column("quality", "number"), Column("days old", "number")]
    section("Nearest tasks", table("Nearest tasks, nearest first", [*columns, *rest], rows))


def _recall(recall: Recall) -> Html:
    words, tone = _BANDS[recall.band]
    sure = share_bar(recall.confidence, f"confidence {recall.confidence:.2f}")
    best = " → ".join(recall.sequence) or "no sequence"
    head = el("p", el("strong", best), " with confidence ", el("strong", f"{recall.confidence:.2f}"), " ")
    why = el("p", one_line(recall.explanation, 800), class_="soft") if recall.explanation else None
    return joined([head, sure, el("p", badge(words, tone)), why])
