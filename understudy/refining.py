"""Refining: a text is criticised and revised until it is good enough, or until another revision is not worth it.

It is the loop that ends every run (`graph/nodes/critic.py`), for a text that somebody brings along, or for a goal that
needs nothing looked up. Nothing of it is a run: there is no thread, and nothing is remembered but what was not good
enough.
"""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.budget import Account, spending
from agents.contracts import Cast, CompositionRequest, CritiqueRequest, RevisionRequest
from agents.team import Quality, Team
from domain.briefings import Briefing
from domain.errors import InvalidGoal, LimitReached, StorageAway
from domain.events import Event
from domain.goals import MAX_TEXT_CHARS, checked_goal
from domain.outcomes import Critique, CritiqueStop, Draft, StepResult, Usage
from domain.plans import Plan, Step
from graph.context import Context, Run, Services
from graph.nodes.critic import stop_reason
from graph.privacy import briefing_for, cast_for
from memory.critiques import content_id
from memory.profiles import Profile

_GIVEN = "given"
_TITLE = 200
"""Characters of a text's beginning that stand for its goal where none is named."""


class Attempt(BaseModel):
    """One version of the text and what the critic said of it."""

    model_config = ConfigDict(extra="forbid")

    iteration: int
    """0 is the first draft, or the text as it came."""
    by: str
    text: str
    critique: Critique


class Refined(BaseModel):
    """What refining came to."""

    model_config = ConfigDict(extra="forbid")

    text: str
    """The best version."""
    iterations: int
    """Revisions that were made."""
    attempts: list[Attempt]
    final_quality_score: float = Field(ge=0, le=1)
    """Of the best version."""
    threshold_met: bool
    stopped: CritiqueStop | Literal["budget_exceeded"]
    """Why it ended."""
    degraded: bool
    """Whether a rule-based twin had a hand in it."""
    usage: Usage


async def refined(
    services: Services, context: Context, *, text: str = "", goal: str = "", content_type: str = "", quality: Quality
) -> Refined:
    """Criticise and revise a text, or a first draft for a goal, until it is good enough.

    Args:
        services: What it is done with.
        context: Who asks.
        text: What is refined; empty: a draft for the goal.
        goal: What the text is for; empty: what it begins with says it.
        content_type: What kind of text it is, in words; empty: any.
        quality: When it is good enough, and when to stop.

    Raises:
        InvalidGoal: There is neither a text nor a goal, or it is too long.
        LimitReached: A budget does not allow the first critique.
    """
    refining = await _Refining.begun(services, context, text, goal, content_type, quality)
    with spending(refining.run.purses, services.prices):
        return await refining.done()


class _Refining:
    """One text on its way."""

    def __init__(self, run: Run, goal: str, given: str, briefing: Briefing, quality: Quality) -> None:
        self.run, self._goal, self._given, self._briefing, self._quality = run, goal, given, briefing, quality
        self._attempts: list[Attempt] = []

    @classmethod
    async def begun(
        cls, services: Services, context: Context, text: str, goal: str, content_type: str, quality: Quality
    ) -> "_Refining":
        """Return it before the first draft."""
        if len(text) > MAX_TEXT_CHARS:
            msg = f"the text has {len(text):,} characters; at most {MAX_TEXT_CHARS:,} can be refined"
            raise InvalidGoal(msg)
        if not text.strip() and not goal.strip():
            msg = "say what is to be refined: a text, or a goal that one is to be written for"
            raise InvalidGoal(msg)
        wanted = checked_goal(goal if goal.strip() else _beginning(text))
        wanted = f"{wanted} ({content_type})" if content_type else wanted
        budget = services.budgets.run
        run = Run(
            services, context, thread="", run=str(uuid.uuid4()), publish=_unheard, account=Account("request", budget)
        )
        return cls(run, wanted, text.strip(), briefing_for(await _briefed(run), run), quality)

    async def done(self) -> Refined:
        """Return what it came to."""
        draft = Draft(text=self._given, by="person") if self._given else await self._composed()
        stopped: CritiqueStop | Literal["budget_exceeded"] | None = None
        while stopped is None:
            try:
                critique = await self._criticised(draft)
            except LimitReached:
                if not self._attempts:
                    raise
                stopped = "budget_exceeded"
                break
            number = len(self._attempts)
            self._attempts.append(Attempt(iteration=number, by=draft.by, text=draft.text, critique=critique))
            stopped = stop_reason([attempt.critique.score for attempt in self._attempts], self._quality)
            if stopped is None:
                draft, stopped = await self._next(draft, critique)
        return self._result(stopped)

    async def _next(
        self, draft: Draft, critique: Critique
    ) -> tuple[Draft, Literal["repeat", "budget_exceeded"] | None]:
        """Return the next version, or why there is none."""
        try:
            revised = await self._cast.reviser(
                RevisionRequest(
                    goal=self._goal, briefing=self._briefing, team=self._team, emit=self.run.emit, draft=draft,
                    critique=critique, results=self._results,
                )
            )  # fmt: skip
        except LimitReached:
            return draft, "budget_exceeded"
        seen = {content_id(attempt.text) for attempt in self._attempts}
        return revised, "repeat" if content_id(revised.text) in seen else None

    async def _composed(self) -> Draft:
        return await self._cast.composer(
            CompositionRequest(
                goal=self._goal, briefing=self._briefing, team=self._team, emit=self.run.emit, kind="creation",
                results=[],
            )
        )  # fmt: skip

    async def _criticised(self, draft: Draft) -> Critique:
        critique = await self._cast.critic(
            CritiqueRequest(
                goal=self._goal, briefing=self._briefing, team=self._team, emit=self.run.emit, draft=draft,
                results=self._results, quality=self._quality,
            )
        )  # fmt: skip
        if critique.score < self._quality.min_quality_score and self._quality.store_failures:
            with suppress(StorageAway):
                await self.run.services.lessons.critiques.add(
                    self.run.context.workspace, self.run.run, draft.text, critique
                )
        return critique

    def _result(self, stopped: CritiqueStop | Literal["budget_exceeded"]) -> Refined:
        best = max(self._attempts, key=lambda attempt: attempt.critique.score)
        return Refined(
            text=best.text,
            iterations=len(self._attempts) - 1,
            attempts=self._attempts,
            final_quality_score=best.critique.score,
            threshold_met=best.critique.score >= self._quality.min_quality_score,
            stopped=stopped,
            degraded=self.run.degraded or any(attempt.critique.degraded for attempt in self._attempts),
            usage=self.run.usage,
        )

    @property
    def _team(self) -> Team:
        return self.run.services.team

    @property
    def _cast(self) -> Cast:
        """Who plays: twins, where the models may not see what people bring along."""
        return cast_for(self._plan, [StepResult(step=_GIVEN, agent="person", privacy="internal")], self.run)

    @property
    def _plan(self) -> Plan:
        first = self.run.services.team.specialists[0]
        return Plan(steps=[Step(id=_GIVEN, agent=first.name, task=self._goal)])

    @property
    def _results(self) -> Sequence[StepResult]:
        """What the text is held against: its own figures, where somebody brought it along."""
        if not self._given:
            return []
        # As data, since the text of a step that a draft was taken from supports none of its figures.
        data = {"given": self._given}
        return [StepResult(step=_GIVEN, agent="person", text=self._given, data=data, origin="person")]


def _beginning(text: str) -> str:
    lines = (line.strip("#*_ \t") for line in text.splitlines())
    return next((line for line in lines if line), text)[:_TITLE]


async def _briefed(run: Run) -> Briefing:
    team, profile = run.services.team, Profile()
    with suppress(StorageAway):
        profile = await run.services.lessons.profiles.get(run.context.workspace)
    return Briefing(
        workspace=run.context.workspace,
        user=run.context.user,
        correlation_id=run.run,
        today=datetime.fromtimestamp(run.services.clock(), tz=UTC).date().isoformat(),
        brand_voice=team.brand_voice | profile.brand_voice,
        target_profiles=profile.target_profiles,
        preferences=profile.preferences,
    )


def _unheard(event: Event) -> None:
    """Tell nobody: there is no thread that anybody could follow."""
