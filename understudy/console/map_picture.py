"""The map of remembered tasks as a scatter plot whose points are links."""

from collections.abc import Callable, Sequence

from memory.tasks import TaskRecord
from understudy.cli.text import one_line
from understudy.console.map_points import Plane, Point
from understudy.console.markup import Html, el

_WIDE, _HIGH, _EDGE = 640.0, 420.0, 22.0
_TINTS = 8


def scatter(plane: Plane, link: Callable[[TaskRecord], str]) -> Html:
    """Return the plot: a shape for how a task went, a colour for who did it, a link to the task.

    Args:
        plane: The points.
        link: Returns where a task is shown.
    """
    routes = list(dict.fromkeys(point.task.route for point in plane.points))
    points = (_point(point, routes, link(point.task)) for point in plane.points)
    frame = el("rect", x="0.5", y="0.5", width=_WIDE - 1, height=_HIGH - 1, rx="6", class_="frame")
    return el(
        "svg",
        frame,
        *points,
        role="group",
        aria_label=f"Map of {len(plane.points)} remembered tasks; tasks that ask for like things are near each other",
        viewBox=f"0 0 {_WIDE:g} {_HIGH:g}",
        class_="map",
    )


def legend(plane: Plane) -> Html:
    """Return what shapes and colours mean."""
    routes = list(dict.fromkeys(point.task.route for point in plane.points))
    shapes = [_entry("agent-none", True, "last run succeeded"), _entry("agent-none", False, "last run failed")]
    shown = [_entry(_tint(routes, route), True, route or "no agents") for route in routes[: _TINTS - 1]]
    if len(routes) > _TINTS - 1:
        shown.append(_entry(f"agent-{_TINTS - 1}", True, f"{len(routes) - _TINTS + 1} other sequences"))
    return el("ul", *shapes, *shown, class_="legend", aria_label="Legend")


def _entry(tint: str, succeeded: bool, words: str) -> Html:
    swatch = el("svg", _shape(7, 7, tint, succeeded), width="14", height="14", aria_hidden="true", focusable="false")
    return el("li", swatch, " ", one_line(words, 80))


def _point(point: Point, routes: Sequence[str], href: str) -> Html:
    x, y = _EDGE + point.x * (_WIDE - 2 * _EDGE), _EDGE + (1 - point.y) * (_HIGH - 2 * _EDGE)
    task = point.task
    went = "succeeded" if task.last_success else "failed"
    told = f"{one_line(task.goal, 120)}. {task.route or 'no agents'}, {went}"
    shape = _shape(x, y, _tint(routes, task.route), task.last_success)
    return el("a", el("title", told), shape, href=href, aria_label=told)


def _shape(x: float, y: float, tint: str, succeeded: bool) -> Html:
    """Return a disc for a success and a cross for a failure."""
    if succeeded:
        return el("circle", cx=x, cy=y, r="5.5", class_=tint)
    arm = 4.5
    strokes = (f"M{x - arm:.1f} {y - turn * arm:.1f}L{x + arm:.1f} {y + turn * arm:.1f}" for turn in (1, -1))
    return el("path", d="".join(strokes), class_=f"cross {tint}")


def _tint(routes: Sequence[str], route: str) -> str:
    return f"agent-{min(routes.index(route), _TINTS - 1)}"
