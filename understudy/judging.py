"""How well things go: what the Orchestrator tells of its runs and people's experience, and what it makes of a text."""

from collections.abc import Sequence

from agents.delegation.standings import Standing
from graph.bottlenecks import Bottlenecks, bottlenecks
from graph.context import Context
from memory.friction import FrictionWeek
from memory.provenance import Provenance
from memory.signals import Signals
from memory.success import Analysis, analysed
from understudy.experience import Experience, experience_of
from understudy.past import recent_traces
from understudy.refining import Refined, refined
from understudy.runs import Runs
from understudy.signals import WorkspaceSignals
from understudy.strategy_goals import WorkspaceGoals, goals_of
from understudy.summaries import ExecutionSummary, execution_summary
from understudy.wiring import House


class Judging:
    """What the Orchestrator lets people know of how well their workspace does."""

    _house: House
    _runs: Runs
    _context: Context

    async def bottlenecks(self, *, runs: int = 200) -> Bottlenecks:
        """Return where the time of the workspace's latest runs went, and of the slowest of them.

        Args:
            runs: How many at most, of those that have ended.
        """
        return bottlenecks(await recent_traces(self._house, self._runs, self._context.workspace, runs))

    async def performance(self) -> Analysis:
        """Return how the workspace's latest runs went, by sequence, agent and kind."""
        return analysed(await self._house.lessons.episodes.recent(self._context.workspace))

    async def summary(self) -> ExecutionSummary:
        """Return how often the workspace's latest runs succeeded, and which errors keep coming back."""
        return execution_summary(await self._house.lessons.episodes.recent(self._context.workspace))

    async def standings(self) -> list[Standing]:
        """Return how each agent of the team did at each kind of step in the workspace."""
        playing = await self._house.playing(self._context.team)
        return await playing.delegator.standings(self._context.workspace)

    async def friction(self, *, weeks: int = 4) -> list[FrictionWeek]:
        """Return how often people were bothered, by user and week, the latest first."""
        return await self._house.friction.weeks(self._context.workspace, count=weeks)

    async def experience(self, *, weeks: int = 4) -> Experience:
        """Return the experience of the workspace's people in numbers, each with its target."""
        return await experience_of(self._house, self._runs, self._context.workspace, weeks=weeks)

    async def goals(self) -> WorkspaceGoals:
        """Return what the workspace wants to reach, each goal with how far it has come."""
        person = Provenance(writer="person", user=self._context.user)
        return await goals_of(self._house, self._context.team, self._context.workspace, person)

    @property
    def signals(self) -> WorkspaceSignals:
        """What sources say of the world."""
        house, context = self._house, self._context
        return WorkspaceSignals(
            Signals(house.records), house.consents, context.workspace, context.user, house.clock
        )  # fmt: skip

    async def refine(
        self,
        *,
        text: str = "",
        goal: str = "",
        content_type: str = "",
        criteria: Sequence[str] | None = None,
        max_iterations: int | None = None,
        min_quality_score: float | None = None,
    ) -> Refined:
        """Criticise and revise a text, or a draft for a goal, until it is good enough or no revision helps any more.

        Args:
            text: What is refined; empty: a draft for the goal.
            goal: What the text is for; empty: what it begins with says it.
            content_type: What kind of text it is, in words.
            criteria: Aspects that it is judged by; None, here and below: as the team says.
            max_iterations: Revisions at most.
            min_quality_score: Score that is good enough, 0-1.

        Raises:
            InvalidGoal: There is neither a text nor a goal, or it is too long.
            LimitReached: A budget does not allow the first critique.
        """
        services = await self._house.services_for(self._context)
        wanted = {
            "critique_aspects": tuple(dict.fromkeys(criteria)) if criteria else None,
            "max_iterations": max_iterations,
            "min_quality_score": min_quality_score,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        quality = services.team.quality.model_copy(update=given)
        return await refined(
            services, self._context, text=text, goal=goal, content_type=content_type, quality=quality
        )  # fmt: skip
