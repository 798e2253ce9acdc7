"""The page of the audit: what was decided and done, by whom and why, and whether the record of it is untouched."""

import time

from nicegui import ui

from domain.audit import parsed_anchor
from understudy.console.audit_view import KINDS, MOST, STEP, entries_table, verdict, wanted_of
from understudy.console.frame import address, empty, page
from understudy.console.markup_view import Field, filters, sheet, show
from understudy.console.parts import box, button, heading, link, text
from understudy.console.visits import caller_here, visit_of
from understudy.service.caller import Caller


@page("/audit", title="Audit", permission="audit")
async def audit(
    caller: Caller, kind: str = "", who: str = "", run: str = "", thread: str = "", since: str = "", limit: int = STEP
) -> None:
    """Build the page."""
    sheet()
    _verify_part(caller)
    fields = [
        Field("kind", "Kind", kind if kind in KINDS else "", KINDS), Field("who", "Who", who), Field("run", "Run", run),
        Field("thread", "Conversation", thread), Field("since", "Since (2h, 3d, a date)", since),
    ]  # fmt: skip
    heading("Entries")
    filters("/audit", caller, fields)
    wanted = wanted_of(run=run, thread=thread, kind=kind, who=who, since=since, limit=limit, now=time.time())
    found = await caller.orchestrator.audit.shown(wanted)
    if not found:
        asked = any((kind, who, run, thread, since))
        words, hint = (
            ("No entry fits this.", "Take filters away, or go further back.")
            if asked
            else ("Nothing was noted yet.", "Decisions, effects and exports are noted here as they happen.")
        )
        empty(words, hint)
        return
    show(entries_table(found))
    if len(found) == wanted.limit < MOST:
        query = {"kind": kind, "who": who, "run": run, "thread": thread, "since": since}
        more = address("/audit", caller, **query, limit=str(wanted.limit + STEP))
        link("Show older ones, too", more, "button plain")
    elif len(found) == MOST:
        text(f"The latest {MOST:,} are shown; the filters find older ones.", "soft", tag="p")


def _verify_part(caller: Caller) -> None:
    """Draw the check of the chain, and the export."""
    with box("panel", tag="section"):
        heading("Is it untouched?")
        text(
            "Each entry holds the hash of the one before it. Who can write the records could write all of it anew, so "
            "keep the last number and hash elsewhere and give them here.",
            "soft",
            tag="p",
        )
        with box("filters"):
            with box("field grow"):
                text("A place that was kept, SEQ:HASH (may be empty)", tag="label", for_="anchor")
                box("input", tag="input", type="text", maxlength="100", autocomplete="off", id="anchor")
            button("Verify", look="main", id="verify").on("click", lambda: verify(), args=[])
            _export(caller)
        outcome = box("outcome", role="status", aria_live="polite")

    async def verify() -> None:
        here = await caller_here("audit")
        given = str(await ui.run_javascript("document.getElementById('anchor').value")).strip()
        checked = await here.orchestrator.audit.verified([parsed_anchor(given)] if given else [])
        outcome.clear()
        with outcome:
            show(verdict(checked))


def _export(caller: Caller) -> None:
    csrf = visit_of(ui.context.client.request.scope).csrf
    with box(tag="form", method="post", action=address("/audit/export", caller)):
        box(tag="input", type="hidden", name="csrf", value=csrf)
        button("Export", type="submit")
