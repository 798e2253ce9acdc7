"""A workspace's tasks as recall compares them, kept in memory beside the index: words, asks, teams, how they ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from memory.confidence import Closeness, History
from memory.encoders import Encoder, Vectors
from memory.index import Hit
from memory.learnt import Example, Learnt
from memory.lexical import Lexicon, ask_of
from memory.task_record import TaskRecord, normalised


class _Goal(NamedTuple):
    team: str
    text: str
    route: str
    ask: Vectors
    successes: int
    failures: int
    updated: float


class View:
    """The tasks of one workspace by id. A task's goal never changes but for case and spaces: its words never get old.

    Other processes' runs are seen when the workspace is opened again.
    """

    def __init__(self) -> None:
        self._goals: dict[str, _Goal] = {}
        self._sizes: Counter[str] = Counter()
        self._histories: dict[tuple[str, str], History] = {}
        self._lexicon = Lexicon()
        self.learnt: dict[str, Learnt] = {}
        """What each team's memory has learnt from its tasks."""

    @classmethod
    def of(cls, tasks: Sequence[TaskRecord], encoder: Encoder) -> tuple["View", Vectors]:
        """Return the view of the tasks and the goals' vectors, shape [tasks, dimension].

        Slow for many tasks; call it off the event loop.
        """
        view = cls()
        view.add(tasks, encoder.encode([ask_of(task.goal) for task in tasks]))
        return view, encoder.encode([task.goal for task in tasks])

    def __contains__(self, task: str) -> bool:
        return task in self._goals

    def team(self, task: str) -> str:
        """Return the team of a task in view."""
        return self._goals[task].team

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many tasks each team has."""
        return +self._sizes

    def add(self, tasks: Sequence[TaskRecord], asks: Vectors) -> None:
        """Add tasks; `asks` are the vectors of their asks, shape [tasks, dimension]."""
        for task, ask in zip(tasks, asks, strict=True):
            self._goals[task.id] = _Goal(task.team, task.goal, task.route, ask, 0, 0, 0.0)
            self._sizes[task.team] += 1
            self.update(task)
        self._lexicon.add([task.id for task in tasks], [ask_of(task.goal) for task in tasks])

    def update(self, task: TaskRecord) -> None:
        """Note the runs of a task in view."""
        known = self._goals[task.id]
        self._goals[task.id] = known._replace(successes=task.successes, failures=task.failures, updated=task.updated)
        history = self.history(task.team, task.route)
        self._histories[task.team, task.route] = history.changed(
            task.successes - known.successes, task.failures - known.failures, task.updated, task.last_success
        )

    def remove(self, tasks: Sequence[str]) -> list[str]:
        """Remove tasks and what was learnt from them; return the teams that had learnt from them.

        Unknown tasks change nothing.
        """
        for task in tasks:
            if gone := self._goals.pop(task, None):
                self._lexicon.remove(task)
                self._sizes[gone.team] -= 1
                left = self.history(gone.team, gone.route).reduced(gone.successes, gone.failures)
                self._histories[gone.team, gone.route] = left
        teams = [team for team, learnt in self.learnt.items() if not set(tasks).isdisjoint(learnt.tasks)]
        for team in teams:
            self.take(team, self.learnt[team])
        return teams

    def take(self, team: str, learnt: Learnt) -> None:
        """Judge the team's goals by what was learnt, as far as the tasks that it was learnt from are in view."""
        living = learnt.without({task for task in learnt.tasks if task not in self._goals})
        self.learnt.pop(team, None)
        if living is not None:
            self.learnt[team] = living

    def history(self, team: str, route: str) -> History:
        """Return how all runs of a team's route ended."""
        return self._histories.get((team, route), History())

    def examples(self, team: str) -> list[Example]:
        """Return the team's tasks that have succeeded, the least recent first."""
        mine = [(g.updated, task, g) for task, g in self._goals.items() if g.team == team and g.successes and g.route]
        return [Example(task, goal.text, goal.route) for _, task, goal in sorted(mine, key=lambda m: m[:2])]

    def closeness(self, goal: str, ask: Vectors, hits: Sequence[Hit]) -> list[Closeness]:
        """Return how near each hit is to a goal whose ask has this vector; the hits are in view."""
        lexical = self._lexicon.similarities(ask_of(goal), [hit.id for hit in hits])
        return [
            Closeness(
                whole=hit.similarity,
                ask=float(np.dot(self._goals[hit.id].ask, ask)),
                lexical=words,
                exact=normalised(self._goals[hit.id].text) == normalised(goal),
            )
            for hit, words in zip(hits, lexical, strict=True)
        ]
