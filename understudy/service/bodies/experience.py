"""Answers about the experience that people have."""

from understudy.experience import Experience, Group
from understudy.service.bodies.base import Shown


class FigureShown(Shown):
    """One number of the experience."""

    group: Group
    name: str
    value: float | None
    """Null where nothing was measured."""
    target: float | None
    """Null where there is none."""
    at_most: bool
    """Whether the value may not be above the target; else not below it."""
    met: bool | None
    samples: int
    how: str


class WeekShown(Shown):
    """How one user was bothered in one week."""

    week: str
    user: str
    taps: int
    dialogs: int
    nags: int
    edits: int
    overrides: int
    median_seconds: float | None
    """From the question to the decision."""
    is_within_targets: bool


class ExperienceShown(Shown):
    """The experience of a workspace's people."""

    score: float | None
    """Mean degree to which what was measured is as it should be, 0-1; null where nothing was."""
    target: float
    met: bool | None
    unmet: list[str]
    """The figures that are not as they should be, the furthest off first."""
    figures: list[FigureShown]
    weeks: list[WeekShown]

    @classmethod
    def shown(cls, experience: Experience) -> "ExperienceShown":
        """Return what is shown of an experience."""
        return cls(
            score=experience.score,
            target=experience.target,
            met=None if experience.score is None else experience.score >= experience.target,
            unmet=experience.unmet,
            figures=[FigureShown.of(figure) for figure in experience.figures],
            weeks=[WeekShown.of(week) for week in experience.weeks],
        )
