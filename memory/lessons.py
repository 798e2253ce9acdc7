"""What a workspace has learnt beside its tasks, opened and forgotten together."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from memory.critiques import Critiques
from memory.decisions import Decisions
from memory.episodes import Episode, Episodes
from memory.feedback import FeedbackMemory
from memory.profiles import Profiles
from memory.recipes import Recipes
from memory.records import Records
from memory.tasks import TaskMemory


@dataclass(frozen=True)
class Lessons:
    """Episodes, recipes, critiques, profiles, feedback and decisions."""

    episodes: Episodes
    recipes: Recipes
    critiques: Critiques
    profiles: Profiles
    feedback: FeedbackMemory
    decisions: Decisions
    """What people decided on acts of each kind."""

    @classmethod
    def of(cls, records: Records, tasks: TaskMemory, *, clock: Callable[[], float] = time.time) -> "Lessons":
        """Return all of them on the same records."""
        episodes, recipes = Episodes(records, clock=clock), Recipes(records, clock=clock)
        return cls(
            episodes=episodes,
            recipes=recipes,
            critiques=Critiques(records, clock=clock),
            profiles=Profiles(records),
            feedback=FeedbackMemory(records, episodes, tasks, recipes, clock=clock),
            decisions=Decisions(records),
        )

    async def forget_thread(self, workspace: str, thread: str, runs: Collection[str]) -> list[Episode]:
        """Delete for good what a thread's runs left, those without an episode included, and return the episodes."""
        ids = {e.run for e in await self.episodes.recent(workspace) if e.thread == thread} | set(runs)
        await self.critiques.forget(workspace, ids)
        await self.feedback.forget(workspace, ids)
        await self.decisions.forget(workspace, ids)
        return await self.episodes.forget_thread(workspace, thread)

    async def forget(self, workspace: str, task: str) -> list[Episode]:
        """Delete for good what was learnt from a task, and return the episodes of its runs, which are gone too.

        They go last, because all else is found by them.
        """
        runs = {episode.run for episode in await self.episodes.of_task(workspace, task)}
        await self.recipes.forget(workspace, task)
        await self.critiques.forget(workspace, runs)
        await self.feedback.forget(workspace, runs, task)
        await self.decisions.forget(workspace, runs)
        return await self.episodes.forget(workspace, task)
