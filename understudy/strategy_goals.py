"""Strategic goals of one workspace, each with how far it has come, measured anew whenever somebody looks."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.delegation.standings import Standing
from domain.errors import InvalidRequest
from domain.mistakes import mistakes_in
from memory.episodes import Episode
from memory.friction import Friction, FrictionWeek
from memory.goals import Direction, GoalMeasure, StrategicGoal, StrategicGoals
from memory.lessons import Lessons
from memory.provenance import Provenance
from memory.success import Analysis, analysed
from understudy.wiring import House

_REUSED = ("memory", "recipe")
"""Sources of plans that were made before."""


class Progress(BaseModel):
    """A goal and how far it has come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goal: StrategicGoal
    value: float | None
    """The measure now; None where nothing was measured."""
    met: bool | None
    """None where nothing was measured."""
    done: float | None = Field(ge=0, le=1)
    """Part of the way from the baseline to the target; None where either end is unknown."""
    overdue: bool
    """Whether it was due and is not met."""


@dataclass(frozen=True)
class WorkspaceGoals:
    """What one user may do with the goals of a workspace."""

    goals: StrategicGoals
    lessons: Lessons
    friction: Friction
    standings: Sequence[Standing]
    """Of the team's agents."""
    workspace: str
    person: Provenance
    clock: Callable[[], float]
    """Unix time in seconds."""

    async def create(
        self,
        name: str,
        measure: GoalMeasure,
        target: float,
        direction: Direction,
        *,
        agent: str = "",
        due: float | None = None,
    ) -> Progress:
        """Set a goal, and keep what its measure is now as the baseline.

        Args:
            name: What it is called.
            measure: What is measured.
            target: What the measure is to reach.
            direction: From which side.
            agent: Whose measure; empty: that of all runs.
            due: Unix time in seconds; None: whenever.

        Raises:
            InvalidRequest: The measure is none of an agent, or the workspace has as many goals as it may.
        """
        figures = await self._figures(agent)
        try:
            goal = StrategicGoal(
                id=secrets.token_hex(6), name=name, measure=measure, agent=agent, target=target, direction=direction,
                due=due, baseline=figures.get(measure), created=self.clock(), provenance=self.person,
            )  # fmt: skip
        except ValidationError as error:
            msg = f"this is no goal: {mistakes_in(error, 'goal')}"
            raise InvalidRequest(msg) from error
        await self.goals.add(self.workspace, goal)
        return progress(goal, figures.get(measure), now=self.clock())

    async def listed(self) -> list[Progress]:
        """Return every goal with how far it has come, the oldest first."""
        goals = await self.goals.listed(self.workspace)
        figures = {agent: await self._figures(agent) for agent in {goal.agent for goal in goals}}
        return [progress(goal, figures[goal.agent].get(goal.measure), now=self.clock()) for goal in goals]

    async def get(self, goal: str) -> Progress:
        """Return a goal with how far it has come, or raise `UnknownGoal`."""
        found = await self.goals.get(self.workspace, goal)
        return progress(found, (await self._figures(found.agent)).get(found.measure), now=self.clock())

    async def delete(self, goal: str) -> None:
        """Delete a goal, or raise `UnknownGoal`."""
        await self.goals.delete(self.workspace, goal)

    async def _figures(self, agent: str) -> Mapping[GoalMeasure, float]:
        if agent:
            return figures_of_agent([standing for standing in self.standings if standing.agent == agent])
        episodes = await self.lessons.episodes.recent(self.workspace)
        judged = await self.lessons.feedback.recent(self.workspace)
        accepted = [feedback.accepted for feedback in judged]
        return figures_of_runs(episodes, accepted, await self.friction.weeks(self.workspace, count=1))


async def goals_of(house: House, team: str, workspace: str, person: Provenance) -> WorkspaceGoals:
    """Return the goals of a workspace, as a person sees and sets them."""
    standings = await (await house.playing(team)).delegator.standings(workspace)
    return WorkspaceGoals(
        StrategicGoals(house.records), house.lessons, house.friction, standings, workspace, person, house.clock
    )


def progress(goal: StrategicGoal, value: float | None, *, now: float) -> Progress:
    """Return how far a goal has come with a value of its measure."""
    met = None if value is None else _meets(value, goal)
    overdue = goal.due is not None and now >= goal.due and not met
    return Progress(goal=goal, value=value, met=met, done=_part_of_way(goal, value), overdue=overdue)


def figures_of_runs(
    episodes: Sequence[Episode], accepted: Sequence[bool], weeks: Sequence[FrictionWeek]
) -> Mapping[GoalMeasure, float]:
    """Return the measures of all runs, without those that nothing was measured of.

    Args:
        episodes: The latest runs.
        accepted: Whether people were content with the runs that they judged.
        weeks: How people were bothered this week.
    """
    analysis: Analysis = analysed(episodes)
    dollars = [episode.usage.dollars for episode in episodes if episode.usage.dollars is not None]
    found: dict[GoalMeasure, float | None] = {
        "runs": float(len(episodes)),
        "success_rate": analysis.overall.rate if episodes else None,
        "quality": analysis.overall.quality,
        "seconds": analysis.overall.seconds if episodes else None,
        "cost": fmean(dollars) if dollars else None,
        "trend": analysis.trend,
        "override_rate": analysis.override_rate,
        "complaint_rate": accepted.count(False) / len(accepted) if accepted else None,
        "reuse_rate": fmean(episode.source in _REUSED for episode in episodes) if episodes else None,
        "taps": float(max((week.taps for week in weeks), default=0)),
        "dialogs": float(max((week.dialogs for week in weeks), default=0)),
    }
    return {measure: value for measure, value in found.items() if value is not None}


def figures_of_agent(standings: Sequence[Standing]) -> Mapping[GoalMeasure, float]:
    """Return the measures of one agent from its standings at all kinds of steps."""
    tasks = sum(standing.tasks for standing in standings)
    if not tasks:
        return {"runs": 0.0}
    return {
        "runs": float(tasks),
        "success_rate": sum(standing.successes for standing in standings) / tasks,
        "quality": sum(standing.quality * standing.tasks for standing in standings) / tasks,
        "seconds": sum(standing.seconds * standing.tasks for standing in standings) / tasks,
        "cost": sum(standing.cost * standing.tasks for standing in standings) / tasks,
    }


def _meets(value: float, goal: StrategicGoal) -> bool:
    return value >= goal.target if goal.direction == "at_least" else value <= goal.target


def _part_of_way(goal: StrategicGoal, value: float | None) -> float | None:
    if value is None:
        return None
    if _meets(value, goal):
        return 1.0
    if goal.baseline is None:
        return None
    if _meets(goal.baseline, goal):
        return 0.0  # it was reached when it was set, and is lost
    return max(0.0, min(1.0, (value - goal.baseline) / (goal.target - goal.baseline)))
