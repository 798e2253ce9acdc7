"""A workspace's goals as recall compares them: their words, asks and teams, kept in memory beside the index."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from memory.confidence import Closeness
from memory.encoders import Encoder, Vectors
from memory.index import Hit
from memory.lexical import Lexicon, ask_of


class _Goal(NamedTuple):
    team: str
    text: str
    ask: Vectors


class View:
    """The goals of one workspace by task id. A task's goal never changes but for case and spaces: nothing gets old."""

    def __init__(self) -> None:
        self._goals: dict[str, _Goal] = {}
        self._lexicon = Lexicon()

    @classmethod
    def of(cls, tasks: Sequence[tuple[str, str, str]], encoder: Encoder) -> tuple["View", Vectors]:
        """Return the view of `(id, team, goal)` tasks, and the goals' vectors, shape [tasks, dimension].

        Slow for many tasks; call it off the event loop.
        """
        view = cls()
        asks = encoder.encode([ask_of(goal) for _, _, goal in tasks])
        for (task, team, goal), ask in zip(tasks, asks, strict=True):
            view.add(task, team, goal, ask)
        return view, encoder.encode([goal for _, _, goal in tasks])

    def __contains__(self, task: str) -> bool:
        return task in self._goals

    def team(self, task: str) -> str:
        """Return the team of a task in view."""
        return self._goals[task].team

    def add(self, task: str, team: str, goal: str, ask: Vectors) -> None:
        """Add a task; `ask` is the vector of its ask, shape [dimension]."""
        self._goals[task] = _Goal(team, goal, ask)
        self._lexicon.add(task, ask_of(goal))

    def remove(self, task: str) -> None:
        """Remove a task; an unknown one changes nothing."""
        self._goals.pop(task, None)
        self._lexicon.remove(task)

    def closeness(self, goal: str, ask: Vectors, hits: Sequence[Hit]) -> list[Closeness]:
        """Return how near each hit is to a goal whose ask has this vector; the hits are in view."""
        lexical = self._lexicon.similarities(ask_of(goal), [hit.id for hit in hits])
        return [
            Closeness(
                whole=hit.similarity,
                ask=float(np.dot(self._goals[hit.id].ask, ask)),
                lexical=words,
                exact=_plain(self._goals[hit.id].text) == _plain(goal),
            )
            for hit, words in zip(hits, lexical, strict=True)
        ]


def _plain(goal: str) -> str:
    return " ".join(goal.casefold().split())
