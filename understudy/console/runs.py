"""The page of runs: every run of the workspace, found by state and words."""

from nicegui import ui

from understudy.cli.text import one_line
from understudy.console import runs_detail
from understudy.console.frame import address, empty, page
from understudy.console.markup import Child, Column, badge, dollars, duration, el, score, table, when
from understudy.console.markup_view import Field, filters, pages, sheet, show
from understudy.console.parts import box, text
from understudy.console.runs_found import STATES, Page, RunRow, page_of, run_rows
from understudy.console.visits import caller_here
from understudy.service.caller import Caller

__all__ = ["runs", "runs_detail"]

_EVERY = 3.0
"""Seconds after which a list with runs that go on is read again."""
_COLUMNS = (
    Column("goal", "long"), Column("state"), Column("began"), Column("took", "number"), Column("quality", "number"),
    Column("tokens", "number"), Column("cost", "number"), Column("team"),
)  # fmt: skip


@page("/runs", title="Runs", permission="read")
async def runs(caller: Caller, state: str = "", words: str = "", number: int = 1) -> None:
    """Build the list."""
    sheet()
    state = state if state in STATES else ""
    filters("/runs", caller, [Field("words", "Words", words), Field("state", "State", state, STATES)])
    query = {"state": state, "words": words}
    area = box("list")

    async def draw() -> Page:
        here = await caller_here("read")
        entries, episodes = (
            await here.orchestrator.threads(),
            await here.orchestrator.lessons.episodes.recent(here.workspace),
        )
        found = page_of(run_rows(entries, episodes), state=state, text=words, number=number)
        area.clear()
        with area:
            _show(here, found, query)
        return found

    async def again() -> None:
        if not _goes_on(await draw()):
            timer.deactivate()

    timer = ui.timer(_EVERY, again, active=_goes_on(await draw()), immediate=False)


def _goes_on(found: Page) -> bool:
    return any(row.state == "running" for row in found.rows)


def _show(caller: Caller, found: Page, query: dict[str, str]) -> None:
    if not found.rows:
        if any(query.values()):
            empty("No run fits this.", "Take words away, or choose another state.")
        else:
            empty("Nothing has been run here yet.", "Ask for something in the chat; its run appears here.")
        return
    text(f"{found.found:,} run{'s' * (found.found != 1)}", "soft", tag="p")
    show(table("Runs", _COLUMNS, [_row(caller, row) for row in found.rows]))
    pages("/runs", caller, found.number, found.pages, query)


def _row(caller: Caller, row: RunRow) -> list[Child]:
    goal = el("a", one_line(row.goal, 140) or row.run, href=address(f"/runs/{row.run}", caller))
    state = badge(row.state.replace("_", " "), runs_detail.TONES.get(row.state, "plain"))
    # Where no model is configured, every run is a twin's; it is worth saying where models were at work, too.
    twin = badge("a rule-based twin helped out", "warn") if row.degraded and row.calls else None
    return [
        el("span", goal, " ", twin),
        state,
        when(row.at),
        duration(row.seconds),
        score(row.quality),
        f"{row.tokens:,}" if row.calls else "–",
        dollars(row.dollars) if row.calls else "–",
        row.team or "–",
    ]
