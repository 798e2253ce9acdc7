"""Feedback: what a person thought of a run, the reward that follows, and what it does to the remembered task."""

import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.briefings import Correction
from domain.errors import InvalidFeedback, UnknownRun
from domain.routing import Neighbour
from memory.episodes import Episode, Episodes
from memory.provenance import Provenance
from memory.recipes import Recipes
from memory.records import Records
from memory.tasks import TaskMemory
from memory.workspaces import checked_workspace

TTL_SECONDS = 90 * 24 * 3600.0
OUTCOME_WEIGHT = 0.7
FEEDBACK_WEIGHT = 0.3
MIN_SAMPLES = 10
"""Feedback of a workspace up to which only outcomes are rewarded: a few opinions are noise."""
ACCEPTED_FROM = 3
"""Rating from which a run counts as accepted."""
CORRECTED_FROM = 4
"""The same for a run that the person had to correct."""
MAX_CORRECTION = 20_000
SHOWN_CORRECTIONS = 3
SHOWN_CHARS = 800
"""Corrections, and characters of each, that later runs of similar goals are told."""
SIMILAR_FROM = 0.4
"""Cosine from which a goal is similar enough for a correction to be told. With the default encoder, pairs of goals
about one thing had 0.42 to 0.94, about different things up to 0.22."""


class Feedback(BaseModel):
    """A person's judgement of one run."""

    model_config = ConfigDict(extra="forbid")

    run: str
    task: str
    rating: int | None = Field(default=None, ge=1, le=5)
    correction: str = ""
    """The text as it should have been, or what was wrong; agents are told it as guidance that permits nothing."""
    override: bool = False
    """Whether the person changed or refused something, while the run went on or now."""
    time: float
    """Unix time in seconds."""
    provenance: Provenance

    @property
    def score(self) -> float:
        """The judgement, 0-1; a correction without a rating says that it was not good."""
        return 0.0 if self.rating is None else (self.rating - 1) / 4

    @property
    def accepted(self) -> bool:
        """Whether the run counts as a success for the person."""
        return (self.rating or 0) >= (CORRECTED_FROM if self.correction else ACCEPTED_FROM)


class Received(NamedTuple):
    """What feedback led to."""

    feedback: Feedback
    reward: float
    samples: int
    """Feedback of the workspace so far."""
    successes: int
    failures: int
    """Of the task, after the feedback; both 0 where it is no longer remembered."""


def reward(outcome: float, feedback: float, samples: int) -> float:
    """Return the reward of a run, 0-1: 0.7 outcome + 0.3 feedback above `MIN_SAMPLES`, else the outcome alone."""
    return outcome if samples <= MIN_SAMPLES else OUTCOME_WEIGHT * outcome + FEEDBACK_WEIGHT * feedback


class FeedbackMemory:
    """The feedback of every workspace."""

    def __init__(
        self,
        records: Records,
        episodes: Episodes,
        tasks: TaskMemory,
        recipes: Recipes,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._episodes = episodes
        self._tasks = tasks
        self._recipes = recipes
        self._clock = clock

    async def give(
        self, workspace: str, run: str, by: Provenance, *, rating: int | None = None, correction: str = ""
    ) -> Received:
        """Keep a person's judgement of a run and let its task's evidence follow; giving it again replaces it.

        Args:
            workspace: Where the run was.
            run: Its id, or the name of its thread, which means the latest run there.
            by: Who judges.
            rating: 1 (useless) to 5 (just right).
            correction: The text as it should have been.

        Raises:
            UnknownRun: The workspace remembers no such run.
            InvalidFeedback: There is neither a rating from 1 to 5 nor a correction, or it is too long.
        """
        episode = await self._episode(workspace, run)
        feedback = Feedback(
            run=episode.run,
            task=episode.task,
            rating=_checked_rating(rating, correction),
            correction=correction.strip(),
            override=bool(correction.strip()) or episode.overrides > 0,
            time=self._clock(),
            provenance=by,
        )
        earlier = await self.get(workspace, episode.run)
        await self._records.put(_key(workspace, episode.run), feedback.model_dump(mode="json"), ttl=TTL_SECONDS)
        samples = len(await self.recent(workspace))
        earned = reward(outcome_of(episode), feedback.score, samples)
        task = await self._tasks.rated(
            workspace, episode.task, episode.run,
            accepted=feedback.accepted, reward=earned, succeeded=episode.success, quality=episode.quality,
        )  # fmt: skip
        if not feedback.accepted and (earlier is None or earlier.accepted) and episode.success:
            await self._recipes.demote(workspace, episode.task)
        return Received(feedback, earned, samples, task.successes if task else 0, task.failures if task else 0)

    async def retract(self, workspace: str, run: str) -> None:
        """Let a run whose effects were undone be a success no more; doing it again changes nothing."""
        episode = await self._episodes.of_run(workspace, run)
        if episode is None or not episode.success:
            return
        earlier = await self.get(workspace, run)
        await self._tasks.rated(
            workspace, episode.task, run, accepted=False, reward=0.0, succeeded=True, quality=episode.quality
        )
        if earlier is None or earlier.accepted:
            await self._recipes.demote(workspace, episode.task)
        await self._episodes.add(workspace, episode.model_copy(update={"status": "undone", "success": False}))

    async def get(self, workspace: str, run: str) -> Feedback | None:
        """Return the feedback on a run, or None."""
        value = await self._records.get(_key(workspace, run))
        return Feedback.model_validate(value) if value else None

    async def recent(self, workspace: str) -> list[Feedback]:
        """Return all feedback, the latest first."""
        found = [Feedback.model_validate(value) for _, value in await self._records.scan(_key(workspace, ""))]
        return sorted(found, key=lambda feedback: -feedback.time)

    async def corrections(self, workspace: str, near: Sequence[Neighbour]) -> list[Correction]:
        """Return what people corrected in the results of similar tasks, the latest first; few, and cut to be short."""
        tasks = {n.task: n for n in near if n.similarity >= SIMILAR_FROM}
        found = await self.recent(workspace) if tasks else []
        told = [f for f in found if f.task in tasks and f.correction and f.provenance.trusted]
        return [
            Correction(goal=tasks[f.task].goal, text=_cut(f.correction), privacy=tasks[f.task].privacy)
            for f in told[:SHOWN_CORRECTIONS]
        ]

    async def override_rate(self, workspace: str) -> float | None:
        """Return the share of judged runs in which a person changed or refused something, 0-1; None without any."""
        found = await self.recent(workspace)
        return sum(feedback.override for feedback in found) / len(found) if found else None

    async def forget(self, workspace: str, runs: Collection[str], task: str | None = None) -> None:
        """Delete the feedback on these runs for good, and all that on a task, whose runs may be older than episodes."""
        of_task = [f.run for f in await self.recent(workspace) if f.task == task] if task else []
        for run in {*runs, *of_task}:
            await self._records.delete(_key(workspace, run))

    async def _episode(self, workspace: str, run: str) -> Episode:
        for episode in await self._episodes.recent(workspace):
            if run and run in (episode.run, episode.thread):
                return episode
        msg = f"workspace {workspace!r} remembers no run {run!r:.60}"
        raise UnknownRun(msg)


def outcome_of(episode: Episode) -> float:
    """Return how well a run went by itself, 0-1: its quality, 1 for an uncriticised success, 0 for a failure."""
    if not episode.success:
        return 0.0
    return 1.0 if episode.quality is None else episode.quality


def _cut(correction: str) -> str:
    return correction if len(correction) <= SHOWN_CHARS else f"{correction[:SHOWN_CHARS]} [...]"


def _checked_rating(rating: int | None, correction: str) -> int | None:
    if rating is None and not correction.strip():
        msg = "feedback is a rating from 1 to 5, a correction, or both"
        raise InvalidFeedback(msg)
    if rating is not None and not 1 <= rating <= 5:
        msg = f"a rating is a number from 1 to 5, not {rating}"
        raise InvalidFeedback(msg)
    if len(correction) > MAX_CORRECTION:
        msg = f"the correction has {len(correction):,} characters; at most {MAX_CORRECTION:,} fit"
        raise InvalidFeedback(msg)
    return rating


def _key(workspace: str, run: str) -> str:
    return f"memory:feedback:{checked_workspace(workspace)}:{run}"
