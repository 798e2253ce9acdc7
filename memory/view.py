"""A workspace's tasks as recall compares them, kept in memory beside the index: goals, teams, how they ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice, takewhile
from sys import intern
from typing import NamedTuple

import numpy as np

from memory.changes import Seen
from memory.confidence import Closeness, History
from memory.encoders import Vectors
from memory.index import Hit
from memory.learnt import Example, Learnt
from memory.lexical import Lexicon, ask_of
from memory.plan_ranker import PlanRanker
from memory.task_record import TaskRecord, normalised

_SAMPLE = 10_000
"""Goals whose words are counted when a workspace is opened; they stand for the others."""


class _Goal(NamedTuple):
    team: str
    text: str
    route: str
    successes: int
    failures: int
    updated: float


class View:
    """The tasks of one workspace by id. A task's goal never changes but for case and spaces: its words never get old.

    `memory.views` keeps it true to the records.
    """

    def __init__(self) -> None:
        self._goals: dict[str, _Goal] = {}  # the longest not run first
        self._routes: dict[str, tuple[str, ...]] = {}
        self._sizes: Counter[str] = Counter()
        self._histories: dict[tuple[str, str], History] = {}
        self._lexicon = Lexicon()
        self.learnt: dict[str, Learnt] = {}
        """What each team's memory has learnt from its tasks."""
        self.plans: dict[str, PlanRanker] = {}
        """What it has learnt from their plans."""
        self.seen = Seen()
        """Which of the changes that other processes noted it knows."""

    def __contains__(self, task: str) -> bool:
        return task in self._goals

    def team(self, task: str) -> str:
        """Return the team of a task in view."""
        return self._goals[task].team

    def goal(self, task: str) -> str:
        """Return the goal of a task in view."""
        return self._goals[task].text

    @property
    def goals(self) -> Mapping[str, str]:
        """The goals by task."""
        return {task: goal.text for task, goal in self._goals.items()}

    def tasks(self, team: str | None = None) -> list[str]:
        """Return the ids of a team's tasks, or of all, the longest not run first."""
        return [task for task, goal in self._goals.items() if team in (None, goal.team)]

    def before(self, moment: float) -> list[str]:
        """Return the tasks that were last run before a moment, in unix time, or just then."""
        return [task for task, _ in takewhile(lambda item: item[1].updated <= moment, self._goals.items())]

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many tasks each team has."""
        return +self._sizes

    def load(self, tasks: Sequence[TaskRecord]) -> None:
        """Add tasks of a workspace that is being opened, in the order of their ids; `loaded` comes after the last."""
        for task in tasks:
            if task.id not in self._goals:
                team, route = intern(task.team), intern(task.route)  # few, and each task's record has its own copy
                self._routes.setdefault(route, tuple(task.sequence))
                self._goals[task.id] = _Goal(team, task.goal, route, 0, 0, task.updated)
                self._sizes[task.team] += 1
            self.update(task)

    def loaded(self) -> None:
        """Count the words of what was loaded. Slow for many tasks; call it off the event loop."""
        sample = [ask_of(goal.text) for goal in islice(self._goals.values(), _SAMPLE)]  # ids are hashes: at random
        self._lexicon.add(sample, of=len(self._goals))
        self._goals = dict(sorted(self._goals.items(), key=lambda item: item[1].updated))

    def add(self, tasks: Sequence[TaskRecord]) -> None:
        """Add tasks; of those in view already the runs are noted."""
        new = {task.id: ask_of(task.goal) for task in tasks if task.id not in self._goals}
        self.load(tasks)
        self._lexicon.add(list(new.values()))

    def update(self, task: TaskRecord) -> None:
        """Note the runs of a task in view."""
        known = self._goals[task.id]
        if task.updated > known.updated:
            del self._goals[task.id]  # to come last
        self._goals[task.id] = known._replace(successes=task.successes, failures=task.failures, updated=task.updated)
        history = self.history(task.team, task.route)
        self._histories[task.team, task.route] = history.changed(
            task.successes - known.successes, task.failures - known.failures, task.updated, task.last_success
        )

    def remove(self, tasks: Sequence[str]) -> list[str]:
        """Remove tasks and what was learnt from them; return the teams that had learnt from them.

        Unknown tasks change nothing.
        """
        found = [goal for task in tasks if (goal := self._goals.pop(task, None))]
        self._lexicon.remove([ask_of(gone.text) for gone in found])
        for gone in found:
            self._sizes[gone.team] -= 1
            left = self.history(gone.team, gone.route).reduced(gone.successes, gone.failures)
            self._histories[gone.team, gone.route] = left
        teams = [team for team, learnt in self.learnt.items() if not set(tasks).isdisjoint(learnt.tasks)]
        for team in teams:
            self.take(team, self.learnt[team])
        ranked = [team for team, ranker in self.plans.items() if not set(tasks).isdisjoint(ranker.tasks)]
        for team in ranked:
            self.take_plans(team, self.plans[team])
        return sorted({*teams, *ranked})

    def take(self, team: str, learnt: Learnt) -> None:
        """Judge the team's goals by what was learnt, as far as the tasks that it was learnt from are in view."""
        living = learnt.without({task for task in learnt.tasks if task not in self._goals})
        self.learnt.pop(team, None)
        if living is not None:
            self.learnt[team] = living

    def take_plans(self, team: str, ranker: PlanRanker | None) -> None:
        """Rank the team's plans by what was learnt, as far as the tasks that it was learnt from are in view."""
        living = ranker and ranker.without({task for task in ranker.tasks if task not in self._goals})
        self.plans.pop(team, None)
        if living is not None:
            self.plans[team] = living

    def history(self, team: str, route: str) -> History:
        """Return how all runs of a team's route ended."""
        return self._histories.get((team, route), History())

    def success_rate(self, agent: str) -> float | None:
        """Return the share of the runs with this agent that succeeded, 0-1, or None without any."""
        theirs = [h for (_, route), h in self._histories.items() if agent in self._routes[route]]
        successes, failures = sum(h.successes for h in theirs), sum(h.failures for h in theirs)
        return successes / (successes + failures) if successes + failures else None

    def examples(self, team: str) -> list[Example]:
        """Return the team's tasks that have succeeded, the least recent first."""
        mine = [(g.updated, task, g) for task, g in self._goals.items() if g.team == team and g.successes and g.route]
        return [Example(task, goal.text, goal.route) for _, task, goal in sorted(mine, key=lambda m: m[:2])]

    def closeness(self, goal: str, ask: Vectors, hits: Sequence[Hit], asks: Vectors) -> list[Closeness]:
        """Return how near each hit is to a goal.

        Args:
            goal: The goal.
            ask: Vector of its ask, shape [dimension].
            hits: In view.
            asks: Vectors of theirs, shape [hits, dimension].
        """
        goals = [self._goals[hit.id].text for hit in hits]
        lexical = self._lexicon.similarities(ask_of(goal), [ask_of(text) for text in goals])
        cosines = np.clip(asks @ ask, -1, 1).tolist()
        return [
            Closeness(hit.similarity, cosine, words, exact=normalised(text) == normalised(goal))
            for hit, text, cosine, words in zip(hits, goals, cosines, lexical, strict=True)
        ]
