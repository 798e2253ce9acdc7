"""The page of working state: what the workspace and its conversations keep between steps."""

import json

from memory.scopes import Entry
from understudy.console.frame import empty, page
from understudy.console.markup import Child, Column, Html, el, table, when
from understudy.console.markup_view import Field, filters, pages, show
from understudy.console.memory_tabs import memory_tabs
from understudy.service.caller import Caller

_SIZE = 50
_LETTERS = 4000
"""Of one value that are shown."""


@page("/memory/state", title="Memory", permission="read")
async def state(caller: Caller, thread: str = "", number: int = 1) -> None:
    """Build the page."""
    memory_tabs("/memory/state", caller)
    filters("/memory/state", caller, [Field("thread", "Conversation (all of the workspace without)", thread)])
    entries = await caller.orchestrator.state(thread or None)
    if not entries:
        empty(
            "No state is kept.",
            "Tools and specialists put values here while they work; they go when their time is over.",
        )
        return
    count = -(-len(entries) // _SIZE)
    number = min(max(1, number), count)
    show(_table(entries[(number - 1) * _SIZE : number * _SIZE]))
    pages("/memory/state", caller, number, count, {"thread": thread})


def _table(entries: list[Entry]) -> Html:
    columns = [Column("scope"), Column("of"), Column("name"), Column("value", "long"), Column("bytes", "number")]
    rows: list[list[Child]] = [
        [e.scope, e.owner or "the workspace", el("code", e.name), _value(e), f"{e.bytes:,}", when(e.updated),
         when(e.expires) or "its run ends"]
        for e in entries
    ]  # fmt: skip
    return table("Working state", [*columns, Column("set"), Column("kept until")], rows)


def _value(entry: Entry) -> Html:
    text = json.dumps(entry.value, ensure_ascii=False, indent=2, default=str)
    if len(text) <= 80:
        return el("code", text)
    cut = "" if len(text) <= _LETTERS else f"\n… {len(text):,} characters"
    return el("details", el("summary", "show"), el("pre", text[:_LETTERS] + cut, tabindex="0"), class_="small-fold")
