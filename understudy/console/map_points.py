"""The remembered tasks on a plane: principal components of their vectors, the same for the same tasks."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from memory.encoders import Vectors
from memory.picture import pictured
from memory.tasks import TaskRecord

MAX_POINTS = 300
"""Tasks that are drawn, the latest; each is reached by the keyboard, so that more would be a burden."""
_RING = 0.02
"""Of the plane; tasks at the same place stand around it."""


class Point(NamedTuple):
    """A task with its place, both coordinates from 0 to 1."""

    task: TaskRecord
    x: float
    y: float


class Plane(NamedTuple):
    """The points, and how much of what sets the tasks apart they show."""

    points: list[Point]
    shown: float
    """Share of the variance along the two axes, 0-1."""


def plane_of(tasks: Sequence[TaskRecord], vectors: Vectors) -> Plane:
    """Return the tasks along the two directions in which they differ most.

    Args:
        tasks: In any order; the plane does not depend on it.
        vectors: Theirs, shape [tasks, dimension].
    """
    order = sorted(range(len(tasks)), key=lambda place: tasks[place].id)
    ordered = [tasks[place] for place in order]
    picture = pictured(vectors[order] if order else vectors)
    places = [((float(x) + 1) / 2, (float(y) + 1) / 2) for x, y in picture.places]
    return Plane(_apart([Point(task, x, y) for task, (x, y) in zip(ordered, places, strict=True)]), picture.shown)


def _apart(points: Sequence[Point]) -> list[Point]:
    """Return the points, those at the same place on a small ring around it."""
    places: dict[tuple[float, float], list[Point]] = defaultdict(list)
    for point in points:
        places[round(point.x, 3), round(point.y, 3)].append(point)
    return [moved for together in places.values() for moved in _ring(together)]


def _ring(together: Sequence[Point]) -> list[Point]:
    if len(together) == 1:
        return list(together)
    turns = [2 * math.pi * place / len(together) for place in range(len(together))]
    return [
        point._replace(x=point.x + _RING * math.cos(turn), y=point.y + _RING * math.sin(turn))
        for point, turn in zip(together, turns, strict=True)
    ]
