"""The page of the map: remembered tasks on a plane, near each other where they ask for like things."""

import asyncio
from collections.abc import Callable

from memory.tasks import TaskRecord
from understudy.cli.text import one_line
from understudy.console.frame import address, empty, page
from understudy.console.map_picture import legend, scatter
from understudy.console.map_points import MAX_POINTS, Plane, plane_of
from understudy.console.markup import Child, Column, Html, badge, el, table
from understudy.console.markup_view import show
from understudy.console.memory_tabs import memory_tabs
from understudy.console.parts import box, heading, link, text
from understudy.service.caller import Caller

_LEAST = 3
"""Tasks below which a map says nothing."""


@page("/memory/map", title="Memory", permission="read")
async def memory_map(caller: Caller) -> None:
    """Build the page."""
    memory_tabs("/memory/map", caller)
    memory = caller.orchestrator.memory
    records = (await memory.list(caller.workspace))[:MAX_POINTS]
    if len(records) < _LEAST:
        empty("There is too little to draw a map of.", f"It takes {_LEAST} remembered tasks; there are {len(records)}.")
        return
    vectors = await memory.vectors(caller.workspace, [record.id for record in records])
    plane = await asyncio.to_thread(plane_of, records, vectors)

    def place(task: TaskRecord) -> str:
        return address(f"/memory/tasks/{task.id}", caller)

    text(
        f"{len(records)} tasks along the two directions in which they differ most; these show {plane.shown:.0%} of "
        "what sets them apart. Each point leads to its task, by mouse or with Tab.",
        "soft",
        tag="p",
    )
    link("Skip the points", "#map-table", "skip-inline")
    with box("map-and-table"):
        with box("map-side"):
            show(scatter(plane, place))
            show(legend(plane))
        with box("map-list", id="map-table", tabindex="-1"):
            heading("The same as a table")
            show(_table(plane, place))


def _table(plane: Plane, place: Callable[[TaskRecord], str]) -> Html:
    ordered = sorted(plane.points, key=lambda point: (point.x, point.y))
    rows: list[list[Child]] = [
        [
            el("a", one_line(point.task.goal, 100) or point.task.id[:12], href=place(point.task)),
            point.task.route or "–",
            badge("succeeded", "good") if point.task.last_success else badge("failed", "bad"),
            f"{point.x:.2f}, {point.y:.2f}",
        ]
        for point in ordered
    ]
    columns = [Column("goal", "long"), Column("sequence"), Column("last run"), Column("place", "number")]
    return table("Points of the map, from left to right", columns, rows)
