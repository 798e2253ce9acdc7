"""Answers about what is remembered."""

from domain.plans import Plan
from domain.routing import Neighbour
from memory.frames import Part
from memory.recipes import Example
from memory.task_record import TaskRecord
from understudy.service.bodies.base import Shown


class TasksShown(Shown):
    """A page of the remembered tasks, or those nearest to a text."""

    tasks: list[TaskRecord]
    """The latest first; empty where a text was searched for."""
    near: list[Neighbour]
    """The nearest first; empty where no text was searched for."""
    total: int
    """How many tasks the workspace remembers."""
    next: int | None
    """Offset of the next page; null on the last one."""


class ForgottenShown(Shown):
    """What forgetting did."""

    there: bool
    tasks: list[str]
    threads: list[str]
    """Conversations that went as a whole."""
    kept: list[str]
    """Conversations that still hold a goal."""
    notes: list[str]
    """What of the storage could not be cleared now, in words."""


class RecipeShown(Shown):
    """A pattern of goals, or the recipe that it has become."""

    id: str
    name: str
    team: str
    sequence: list[str]
    frame: list[Part]
    plan: Plan
    examples: list[Example]
    successes: int
    failures: int
    used: int
    quality: float | None
    seconds: float
    confidence: float
    ready: bool
    """Whether it may be used."""
    created: float
    updated: float


class PlaceShown(Shown):
    """A remembered task in a picture in which similar goals are near to each other."""

    task: str
    goal: str
    team: str
    sequence: list[str]
    success: bool
    """Of the latest run."""
    runs: int
    quality: float | None
    updated: float
    x: float
    """Within -1..1, as is y."""
    y: float


class ImportedShown(Shown):
    """What became of the tasks of an import."""

    taken: int
    known: int
    outlived: int
    """Last run so long ago that they would be forgotten by now."""
