"""The experience that people have, in numbers: how calm it is, how fast, and how far it is to be trusted.

Everything is worked out from what is stored for other reasons; what nobody measures is None, never guessed.
"""

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.audit import Noted
from domain.events import MemoryRecalled, PlanProposed, RouteDecided, RunFinished, RunStarted, Stamped
from graph.bottlenecks import quantile
from memory.audit import Audit
from memory.feedback import Feedback
from memory.friction import MAX_DIALOGS, MAX_TAPS, FrictionWeek
from memory.success import analysed
from understudy.runs import Runs
from understudy.wiring import House

Group = Literal["friction", "speed", "trust", "proactivity"]
SCORE_TARGET = 0.85
"""Score from which the experience is as it should be."""
MOST_RUNS, MOST_NOTES = 100, 5000
"""Latest runs, and entries of the audit, that are looked at."""
_SLOW = 0.95
"""Times are told as the one that this share of the runs keeps within."""


class Figure(BaseModel):
    """One number of the experience."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Group
    name: str
    value: float | None
    """None where nothing was measured."""
    target: float | None
    """None where there is none."""
    at_most: bool
    """Whether the value may not be above the target; else not below it."""
    samples: int
    """What the value was worked out from."""
    how: str
    """What is measured, in words."""

    @property
    def met(self) -> bool | None:
        """Whether it is as it should be; None where it was not measured, or has no target."""
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def degree(self) -> float | None:
        """How far it is as it should be, 0-1."""
        if self.met is None or self.value is None or self.target is None:
            return None
        if self.met:
            return 1.0
        return self.target / self.value if self.at_most else self.value / self.target


class Experience(BaseModel):
    """The experience of a workspace's people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    figures: list[Figure]
    score: float | None = Field(ge=0, le=1)
    """Mean degree to which what was measured is as it should be; None where nothing was."""
    target: float = SCORE_TARGET
    unmet: list[str]
    """Names of the figures that are not as they should be, the furthest off first."""
    weeks: list[FrictionWeek]


class _Seen(NamedTuple):
    """What the figures are worked out from."""

    weeks: Sequence[FrictionWeek]
    span: int
    """Weeks that were looked at."""
    runs: Sequence[Sequence[Stamped]]
    noted: Sequence[Noted]
    """Of the audit, oldest first."""
    judged: Sequence[Feedback]
    override_rate: float | None
    answers: int


async def experience_of(house: House, runs: Runs, workspace: str, *, weeks: int = 4) -> Experience:
    """Return the experience of a workspace's people.

    Args:
        house: What is open.
        runs: The threads.
        workspace: Whose.
        weeks: Of friction.

    Raises:
        StorageAway: It cannot be read now.
    """
    episodes = await house.lessons.episodes.recent(workspace)
    seen = _Seen(
        weeks=await house.friction.weeks(workspace, count=weeks),
        span=weeks,
        runs=await _latest_runs(runs, workspace),
        noted=await _latest_notes(house.audit, workspace),
        judged=await house.lessons.feedback.recent(workspace),
        override_rate=analysed(episodes).override_rate,
        answers=sum(episode.approvals for episode in episodes),
    )
    return summed_up([*_friction(seen), *_speed(seen.runs), *_trust(seen), *_UNMEASURED], seen.weeks)


def summed_up(figures: Sequence[Figure], weeks: Sequence[FrictionWeek]) -> Experience:
    """Return the experience that figures come to."""
    degrees = {figure.name: figure.degree for figure in figures}
    known = {name: degree for name, degree in degrees.items() if degree is not None}
    unmet = [figure.name for figure in figures if figure.met is False]
    return Experience(
        figures=list(figures),
        score=fmean(known.values()) if known else None,
        unmet=sorted(unmet, key=lambda name: known[name]),
        weeks=list(weeks),
    )


def _friction(seen: _Seen) -> list[Figure]:
    """Return how often the most bothered user is bothered a week; nobody's weeks say nothing before the first run."""
    users = {week.user for week in seen.weeks}

    def worst(count: Callable[[FrictionWeek], int]) -> float | None:
        sums = [sum(count(week) for week in seen.weeks if week.user == user) for user in users]
        return max(sums, default=0) / seen.span if seen.runs else None

    def figure(name: str, value: float | None, target: float | None, samples: int, how: str) -> Figure:
        return Figure(group="friction", name=name, value=value, target=target, at_most=True, samples=samples, how=how)

    count = len(seen.weeks)
    taps, dialogs = worst(lambda week: week.taps), worst(lambda week: week.dialogs)
    nags = worst(lambda week: week.nags)
    return [
        figure("taps_per_week", taps, MAX_TAPS, count, "decisions that the most asked user gave"),
        figure("dialogs_per_week", dialogs, MAX_DIALOGS, count, "questions opened to the most asked user"),
        figure("nags_per_week", nags, None, count, "reminders and notices that nobody asked for"),
        figure("setup_steps", None, 3, 0, "steps until the first run; not measured"),
        figure(
            "override_rate", seen.override_rate, None, seen.answers, "share of answers that changed what was proposed"
        ),
    ]


def _speed(runs: Sequence[Sequence[Stamped]]) -> list[Figure]:
    """Return how long people wait before any work: for the recall, for the way to go, and for the plan."""

    def figure(name: str, target: float, what: type[MemoryRecalled | RouteDecided | PlanProposed], how: str) -> Figure:
        waits = [wait for run in runs if (wait := _wait(run, what)) is not None]
        value = 1000 * quantile(sorted(waits), _SLOW) if waits else None
        return Figure(
            group="speed", name=name, value=value, target=target, at_most=True, samples=len(waits),
            how=f"milliseconds {how}, within which {_SLOW:.0%} of the latest runs were",
        )  # fmt: skip

    return [
        figure("context_query_ms", 50, MemoryRecalled, "from the goal to what memory knows of it"),
        figure("reaction_ms", 150, RouteDecided, "from the goal to the way that it goes"),
        figure("plan_preview_ms", 800, PlanProposed, "from the goal to its plan"),
    ]


def _wait(run: Sequence[Stamped], what: type[MemoryRecalled | RouteDecided | PlanProposed]) -> float | None:
    began = next((stamped.time for stamped in run if isinstance(stamped.event, RunStarted)), None)
    came = next((stamped.time for stamped in run if isinstance(stamped.event, what)), None)
    return None if began is None or came is None else max(0.0, came - began)


def _trust(seen: _Seen) -> list[Figure]:
    explained = [told for run in seen.runs for told in _explained(run)]
    allowed, defaults = _allowed(seen.noted), _harmless(seen.noted)
    complaints = [not feedback.accepted for feedback in seen.judged]

    def figure(name: str, found: Sequence[bool], target: float | None, how: str, *, at_most: bool = False) -> Figure:
        return Figure(
            group="trust", name=name, value=fmean(found) if found else None, target=target, at_most=at_most,
            samples=len(found), how=how,
        )  # fmt: skip

    return [
        figure("explanation", explained, 0.8, "share of routes and plans that say why they were chosen"),
        figure("consent", allowed, 0.95, "share of effects that a ruling or a person's decision had allowed before"),
        figure("safe_defaults", defaults, 0.9, "share of questions left unanswered from which nothing followed"),
        figure("complaint_rate", complaints, None, "share of judged runs that displeased", at_most=True),
    ]


def _explained(run: Iterable[Stamped]) -> Iterable[bool]:
    for stamped in run:
        if isinstance(stamped.event, RouteDecided):
            yield bool(stamped.event.decision.explanation.strip() or stamped.event.decision.message.strip())
        elif isinstance(stamped.event, PlanProposed):
            yield bool(stamped.event.plan.rationale.strip())


def _allowed(noted: Iterable[Noted]) -> list[bool]:
    """Return for each effect that began whether it had been ruled or decided on, in the order of the audit."""
    known, found = set[tuple[str, str]](), list[bool]()
    for each in noted:
        entry = each.entry
        if entry.kind in ("ruling", "decision"):
            known.add((entry.run, entry.step))
        elif entry.kind == "effect" and entry.data.get("state") == "begun":
            found.append((entry.run, entry.step) in known)
    return found


def _harmless(noted: Iterable[Noted]) -> list[bool]:
    """Return for each time-out whether the clock approved nothing."""
    timeouts = (each.entry for each in noted if each.entry.kind == "timeout")
    return [entry.data.get("what") != "approve" for entry in timeouts]


async def _latest_runs(runs: Runs, workspace: str) -> list[list[Stamped]]:
    """Return the events of the latest runs that have ended, those of the thread that was touched last first."""
    found: list[list[Stamped]] = []
    for entry in await runs.entries(workspace):
        by_run: dict[str, list[Stamped]] = {}
        for stamped in await runs.events(workspace, entry.thread):
            by_run.setdefault(stamped.run, []).append(stamped)
        found += [events for events in by_run.values() if any(isinstance(s.event, RunFinished) for s in events)]
        if len(found) >= MOST_RUNS:
            break
    return found[:MOST_RUNS]


async def _latest_notes(audit: Audit, workspace: str) -> list[Noted]:
    """Return the latest entries of the audit, oldest first."""
    found: list[Noted] = []
    async for page in audit.pages(workspace, latest_first=True):
        found += page
        if len(found) >= MOST_NOTES:
            break
    return sorted(found, key=lambda noted: noted.seq)


def _unmeasured(name: str, target: float, *, at_most: bool) -> Figure:
    return Figure(
        group="proactivity", name=name, value=None, target=target, at_most=at_most, samples=0,
        how="nothing is suggested unasked, so it is not measured",
    )  # fmt: skip


_UNMEASURED = (
    _unmeasured("false_suggestions_per_week", 1, at_most=True),
    _unmeasured("suggestion_accuracy", 0.9, at_most=False),
    _unmeasured("suggestion_context", 0.8, at_most=False),
)
