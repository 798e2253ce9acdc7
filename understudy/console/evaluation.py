"""The page of evaluations: results of recorded tasks, each as a report, and two of them compared."""

import asyncio
import shlex
from pathlib import Path

from nicegui import ui

from evals.comparison import PASSED
from evals.report_parts import between, figure
from understudy.cli.text import one_line
from understudy.console import evaluation_files as files
from understudy.console.frame import address, empty, page
from understudy.console.markup import Child, Column, Html, Tone, badge, el, share_bar, table, when
from understudy.console.markup_view import Field, filters, may, pages, sheet, show
from understudy.console.parts import heading, link, text
from understudy.service.caller import Caller

_SIZE = 10
"""Files of a page, since each is read to say what is in it."""
_TONES: dict[str, Tone] = {"better": "good", "worse": "bad", "unclear": "warn", "same": "plain"}


@page("/evaluation", title="Evaluation", permission="read")
async def evaluation(caller: Caller, number: int = 1) -> None:
    """Build the list of results."""
    sheet()
    folders = _folders(caller)
    found = await asyncio.to_thread(files.results_in, folders)
    if not found:
        # Where it lies on the machine concerns those who run it.
        folder = shlex.quote(str(next(iter(folders.values())))) if may(caller, "manage") else "FOLDER"
        empty(
            "There are no results of evaluations yet.",
            f"Play the recorded tasks into a folder that is looked into: mkdir -p {folder}; "
            f"understudy eval run --json > {folder}/results.json",
        )
        return
    count = -(-len(found) // _SIZE)
    number = min(max(1, number), count)
    shown = [await asyncio.to_thread(files.summed, file) for file in found[(number - 1) * _SIZE : number * _SIZE]]
    unreadable = {each.file.name for each in shown if each.problem}
    names = tuple(file.name for file in found if file.name not in unreadable)
    if len(names) > 1:
        heading("Compare two")
        fields = [
            Field("before", "First", names[1], names, needed=True),
            Field("after", "Compared with it", names[0], names, needed=True),
        ]
        filters("/evaluation/compare", caller, fields, go="Compare")
    heading("Results")
    rows = [_row(caller, each) for each in shown]
    columns = [Column("results", "long"), Column("written"), Column("tasks", "number"), Column("passed")]
    show(table("Results", [*columns, Column("", "plot"), Column("size", "number")], rows))
    pages("/evaluation", caller, number, count, {})


def _folders(caller: Caller) -> dict[str, Path]:
    settings = caller.installation.settings
    return files.folders_of(settings, settings.workspace, caller.workspace)


def _row(caller: Caller, found: files.Summed) -> list[Child]:
    file, size = found.file, f"{found.file.bytes / 1024:,.0f} KB"
    if found.problem:
        problem = el("p", one_line(found.problem, 200), class_="bad")
        return [el("span", file.name, problem), when(file.changed), "–", "–", "", size]
    share = found.passed / found.tasks if found.tasks else 0.0
    told = f"{found.passed} of {found.tasks}"
    reached = el("a", file.name, href=address("/evaluation/report", caller, name=file.name))
    return [reached, when(file.changed), str(found.tasks), told, share_bar(share, f"{told} passed"), size]


@page("/evaluation/report", title="Evaluation", permission="read")
async def one_report(caller: Caller, name: str = "") -> None:
    """Build one report."""
    sheet()
    link("All results", address("/evaluation", caller), "button plain")
    file = await asyncio.to_thread(files.named, _folders(caller), name)
    _framed(await asyncio.to_thread(files.report, file), f"Report of {file.name}")


@page("/evaluation/compare", title="Evaluation", permission="read")
async def two_compared(caller: Caller, before: str = "", after: str = "") -> None:
    """Build a comparison."""
    sheet()
    link("All results", address("/evaluation", caller), "button plain")
    folders = _folders(caller)
    one, other = [await asyncio.to_thread(files.named, folders, name) for name in (before, after)]
    found, drawn = await asyncio.to_thread(files.compared_report, one, other)
    passed = next(metric for metric in found.metrics if metric.metric == PASSED)
    text(f"{other.name} against {one.name}", "lead", tag="p")
    show(_verdict(passed.verdict, f"{figure(passed.change, signed=True)}, {between(passed.interval)}"))
    _framed(drawn, f"Comparison of {one.name} and {other.name}")


def _verdict(verdict: str, change: str) -> Html:
    return el("p", "Tasks that pass: ", badge(verdict, _TONES.get(verdict, "plain")), f" {one_line(change)}")


def _framed(drawn: str, title: str) -> None:
    """Show a report in a frame that may run nothing, load nothing and reach nothing of this page."""
    frame = ui.element("iframe").classes("report")
    frame.props["sandbox"] = ""
    frame.props["srcdoc"] = drawn
    frame.props["title"] = title
