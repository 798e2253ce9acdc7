"""What a workspace has learnt beside its tasks, opened and forgotten together."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from memory.critiques import Critiques
from memory.episodes import Episode, Episodes
from memory.feedback import FeedbackMemory
from memory.profiles import Profiles
from memory.recipes import Recipes
from memory.records import Records
from memory.tasks import TaskMemory


@dataclass(frozen=True)
class Lessons:
    """Episodes, recipes, critiques, profiles and feedback."""

    episodes: Episodes
    recipes: Recipes
    critiques: Critiques
    profiles: Profiles
    feedback: FeedbackMemory

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
        )

    async def forget(self, workspace: str, task: str) -> list[Episode]:
        """Delete for good what was learnt from a task, and return the episodes of its runs, which are gone too."""
        episodes = await self.episodes.forget(workspace, task)
        runs = {episode.run for episode in episodes}
        await self.recipes.forget(workspace, task)
        await self.critiques.forget(workspace, runs)
        await self.feedback.forget(workspace, runs)
        return episodes
