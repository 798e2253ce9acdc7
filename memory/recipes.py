"""Semantic memory: patterns seen in what succeeded, and the recipes that they become when they repeat.

A pattern is a frame of goals (`memory.frames`) that one sequence of agents reached. After `MIN_SUCCESSES` successes
with at least two different goals it is a recipe: its plan is reused with the slots filled from a new goal.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cachetools import LRUCache
from pydantic import BaseModel, ConfigDict, Field

from domain.plans import Plan
from domain.routing import REUSE_ABOVE
from memory.episodes import Episode
from memory.frames import Part, Slot, aligned, filled, first_content_word, frame_of, shown, swaps
from memory.lexical import FUNCTION_WORDS
from memory.provenance import Provenance
from memory.records import Records, Value
from memory.rewording import mentions, reworded, stale_arguments
from memory.workspaces import checked_workspace

MIN_SUCCESSES = 3
"""Successes that make a pattern a recipe."""
STREAK_AFTER_FAILURE = 2
"""Successes in a row that promote a recipe again after it failed."""
MAX_PATTERNS = 500
"""Patterns that a workspace keeps; the least useful go first."""
CACHED = 100
"""Recipes of all workspaces that are kept ready in memory."""
EXAMPLES = 8
TTL_SECONDS = 180 * 24 * 3600.0
"""A pattern is forgotten this long after it was last seen."""


class Example(BaseModel):
    """A goal that the pattern was seen in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    """Id of the remembered task."""
    goal: str


class Recipe(BaseModel):
    """A pattern, or the recipe that it has become."""

    model_config = ConfigDict(extra="forbid")

    id: str
    team: str
    sequence: list[str]
    frame: list[Part]
    plan: Plan
    """Of the latest success, made for `example`."""
    example: Example
    examples: list[Example]
    """The latest ones, `example` among them; the last is the newest."""
    successes: int = Field(default=1, ge=0)
    failures: int = Field(default=0, ge=0)
    streak: int = Field(default=1, ge=0)
    """Successes since the last failure."""
    used: int = Field(default=0, ge=0)
    """Times it was adapted to a goal that was then run."""
    quality: float | None = Field(default=None, ge=0, le=1)
    """Of the latest success."""
    seconds: float = 0.0
    """Of the latest success."""
    last_run: str = ""
    created: float
    updated: float
    provenance: Provenance

    @property
    def confidence(self) -> float:
        """P(it succeeds again): the mean of the Beta posterior over its runs, from Jeffreys' prior."""
        return (self.successes + 0.5) / (self.successes + self.failures + 1)

    @property
    def ready(self) -> bool:
        """Whether it may be used: repeated, with different goals, sure enough, and not freshly failed."""
        repeated = self.successes >= MIN_SUCCESSES and len({e.task for e in self.examples}) > 1
        recovered = not self.failures or self.streak >= STREAK_AFTER_FAILURE
        return repeated and recovered and self.confidence > REUSE_ABOVE

    @property
    def name(self) -> str:
        """The frame in words, e.g. `write a blog about {topic}`."""
        return shown(self.frame)


class Adapted(NamedTuple):
    """A recipe made fit for a goal."""

    recipe: Recipe
    plan: Plan
    slots: dict[str, str]
    explanation: str


class Recipes:
    """The patterns of every workspace. One process writes a workspace's patterns."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock
        self._learning = asyncio.Lock()
        self._ready: LRUCache[tuple[str, str], Recipe] = LRUCache(CACHED)

    async def patterns(self, workspace: str) -> list[Recipe]:
        """Return all patterns, the most useful first."""
        values = [value for _, value in await self._records.scan(_key(workspace, ""))]
        return [Recipe.model_validate(value) for value in sorted(values, key=_usefulness, reverse=True)]

    async def adapted(self, workspace: str, team: str, goal: str) -> Adapted | None:
        """Return the most useful recipe of the team that fits the goal, with its plan for it, or None.

        A plan that would still carry names, numbers or fillings of another goal in its arguments is not offered.
        """
        start = first_content_word(goal)
        fitting = [
            value
            for _, value in await self._records.scan(_key(workspace, ""))
            if value["team"] == team and _start(value) == start and filled(_parts(value), goal) is not None
        ]
        recipes = (self._parsed(workspace, value) for value in sorted(fitting, key=_usefulness, reverse=True))
        return next((found for found in (_adapted(r, goal) for r in recipes if r.ready) if found), None)

    async def learn(self, workspace: str, episode: Episode, plan: Plan) -> Recipe | None:
        """Take a finished run into account and return the pattern that it belongs to, if there is one.

        A success joins the pattern it is like, or begins one. A failure counts against the recipe that was used, or
        else against the pattern that the goal fits. The same run counts once.
        """
        checked_workspace(workspace)
        async with self._learning:
            values = [value for _, value in await self._records.scan(_key(workspace, ""))]
            near = [v for v in values if _may_be_of(v, episode)]
            mine = [self._parsed(workspace, v) for v in sorted(near, key=_usefulness, reverse=True)]
            learnt = self._learnt([pattern for pattern in mine if pattern.team == episode.team], episode, plan)
            if learnt:
                await self._store(workspace, learnt)
                await self._evict(workspace, [v for v in values if v["id"] != learnt.id])
            return learnt

    async def demote(self, workspace: str, task: str) -> int:
        """Count a run of this task that was not accepted against the patterns it was seen in; return how many."""
        async with self._learning:
            seen = [p for p in await self.patterns(workspace) if task in {e.task for e in p.examples}]
            for pattern in seen:
                update = {"failures": pattern.failures + 1, "streak": 0, "updated": self._clock()}
                await self._store(workspace, pattern.model_copy(update=update))
        return len(seen)

    async def forget(self, workspace: str, task: str) -> int:
        """Delete a task's words from all patterns for good and return how many it was in.

        A pattern whose plan was made for the task, or that was seen nowhere else, goes as a whole.
        """
        touched = [p for p in await self.patterns(workspace) if task in {e.task for e in [p.example, *p.examples]}]
        for pattern in touched:
            self._ready.pop((workspace, pattern.id), None)
            await self._records.delete(_key(workspace, pattern.id))
            rest = [e for e in pattern.examples if e.task != task]
            frame = _refolded(rest)
            if pattern.example.task != task and frame:
                await self._store(workspace, pattern.model_copy(update={"examples": rest, "frame": frame}))
        return len(touched)

    def _learnt(self, patterns: Sequence[Recipe], episode: Episode, plan: Plan) -> Recipe | None:
        used = next((p for p in patterns if p.id == episode.recipe), None)
        if used and used.sequence != episode.sequence:
            return _failed(used, episode, self._clock())  # its plan was given up for another one
        same = [used] if used else [p for p in patterns if p.sequence == episode.sequence]
        if not episode.success:
            hit = used or next((p for p in same if filled(p.frame, episode.goal) is not None), None)
            return _failed(hit, episode, self._clock()) if hit else None
        for pattern in same:
            fits = filled(pattern.frame, episode.goal) is not None
            if frame := pattern.frame if fits else aligned(pattern.frame, episode.goal):
                return _joined(pattern, frame, episode, plan, self._clock())
        return _begun(episode, plan, self._clock())

    def _parsed(self, workspace: str, value: Value) -> Recipe:
        """Return a recipe from its record; the parsed one is kept until the record changes."""
        known = self._ready.get((workspace, value["id"]))
        if known is None or known.updated != value["updated"]:
            known = self._ready[workspace, value["id"]] = Recipe.model_validate(value)
        return known

    async def _store(self, workspace: str, recipe: Recipe) -> None:
        await self._records.put(_key(workspace, recipe.id), recipe.model_dump(mode="json"), ttl=TTL_SECONDS)
        self._ready.pop((workspace, recipe.id), None)

    async def _evict(self, workspace: str, others: Sequence[Value]) -> None:
        """Delete the least useful patterns so that, with the one just stored, no more than allowed remain."""
        for value in sorted(others, key=_usefulness, reverse=True)[MAX_PATTERNS - 1 :]:
            self._ready.pop((workspace, value["id"]), None)
            await self._records.delete(_key(workspace, value["id"]))


def _adapted(recipe: Recipe, goal: str) -> Adapted | None:
    changed = swaps(recipe.frame, recipe.example.goal, goal)
    if changed is None or any(not new and mentions(recipe.plan, old) for old, new in changed.items()):
        return None  # what stood in an optional slot is part of the plan, and the goal has nothing for it
    plan = reworded(recipe.plan, recipe.example.goal, goal, {old: new for old, new in changed.items() if new})
    if stale_arguments(plan, recipe.example.goal, goal):
        return None
    slots = filled(recipe.frame, goal) or {}
    plan = plan.model_copy(update={"source": "recipe", "confidence": recipe.confidence})
    return Adapted(recipe, plan, slots, _explained(recipe, slots))


def _explained(recipe: Recipe, slots: dict[str, str]) -> str:
    given = ", ".join(f"{name}: {text!r:.60}" for name, text in slots.items() if text) or "nothing to fill in"
    return (
        f"The goal fits the recipe '{recipe.name}' ({given}), which {' → '.join(recipe.sequence)} followed in "
        f"{recipe.successes} of {recipe.successes + recipe.failures} runs with success. A failed run would take it "
        f"out of use until it has worked {STREAK_AFTER_FAILURE} times in a row again."
    )


def _begun(episode: Episode, plan: Plan, now: float) -> Recipe | None:
    frame = frame_of(episode.goal)
    example = Example(task=episode.task, goal=episode.goal)
    key = json.dumps([episode.team, episode.sequence, frame])
    if frame is None:
        return None
    return Recipe(
        id=hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        team=episode.team,
        sequence=episode.sequence,
        frame=frame,
        plan=plan,
        example=example,
        examples=[example],
        quality=episode.quality,
        seconds=episode.seconds,
        last_run=episode.run,
        created=now,
        updated=now,
        provenance=_provenance(episode),
    )


def _joined(pattern: Recipe, frame: list[Part], episode: Episode, plan: Plan, now: float) -> Recipe:
    if pattern.last_run == episode.run:
        return pattern
    example = Example(task=episode.task, goal=episode.goal)
    return pattern.model_copy(
        update={
            "frame": frame,
            "plan": plan,
            "example": example,
            "examples": [*(e for e in pattern.examples if e.task != episode.task), example][-EXAMPLES:],
            "successes": pattern.successes + 1,
            "streak": pattern.streak + 1,
            "used": pattern.used + (episode.recipe == pattern.id),
            "quality": episode.quality,
            "seconds": episode.seconds,
            "last_run": episode.run,
            "updated": now,
            "provenance": _provenance(episode),
        }
    )


def _provenance(episode: Episode) -> Provenance:
    """Return who wrote the plan: agents did, whoever wrote the goal."""
    return episode.provenance.model_copy(update={"writer": "agent"})


def _failed(pattern: Recipe, episode: Episode, now: float) -> Recipe:
    if pattern.last_run == episode.run:
        return pattern
    used = pattern.used + (episode.recipe == pattern.id)
    update = {"failures": pattern.failures + 1, "streak": 0, "used": used, "last_run": episode.run, "updated": now}
    return pattern.model_copy(update=update)


def _refolded(examples: Sequence[Example]) -> list[Part] | None:
    """Return the frame that the examples have in common, or None without any."""
    frame = frame_of(examples[0].goal) if examples else None
    for example in examples[1:]:
        frame = aligned(frame, example.goal) if frame else None
    return frame


def _may_be_of(value: Value, episode: Episode) -> bool:
    """Tell cheaply, from a record as it is stored, whether a run may belong to the pattern."""
    if value["id"] == episode.recipe:
        return True
    return bool(value["sequence"] == episode.sequence and _start(value) == first_content_word(episode.goal))


def _start(value: Value) -> str | None:
    """Return the first common word with a meaning; every goal that fits the frame begins with it."""
    return next((part for part in value["frame"] if isinstance(part, str) and part not in FUNCTION_WORDS), None)


def _usefulness(value: Value) -> tuple[float, float]:
    """Return the order of patterns, from a record as it is stored: what works and is used, then what is recent."""
    return value["successes"] + value["used"] - 2 * value["failures"], value["updated"]


def _parts(value: Value) -> list[Part]:
    return [part if isinstance(part, str) else Slot.model_validate(part) for part in value["frame"]]


def _key(workspace: str, recipe: str) -> str:
    return f"memory:pattern:{checked_workspace(workspace)}:{recipe}"
