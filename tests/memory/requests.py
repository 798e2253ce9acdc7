"""Synthetic requests for tests: three kinds of order over many things, worded in a few ways."""

import random

from memory.task_record import TaskRecord
from tests.memory.conftest import success

WORDINGS = {
    "refunds": ["refund my {}", "give me the money back for the {}", "i want a refund on this {}", "return the {}"],
    "music": ["play {} music", "put on some {}", "i want to hear {}", "start the {} playlist"],
    "weather": ["will it rain in {}", "what is the weather in {}", "is it cold in {} today", "forecast for {}"],
}
THINGS = {
    "refunds": ["ticket", "order", "phone", "jacket", "book", "lamp", "chair", "meal", "course", "trip"],
    "music": ["jazz", "rock", "folk", "piano", "opera", "blues", "soul", "disco", "metal", "techno"],
    "weather": ["oslo", "rome", "lima", "cairo", "paris", "tokyo", "delhi", "quito", "berlin", "madrid"],
}
ALIEN = "prove that every bounded monotone sequence of reals converges"


def requests(kinds: tuple[str, ...] = tuple(WORDINGS), seed: int = 0) -> list[tuple[str, str]]:
    """Return goals with their kind, in random order."""
    found = [(w.format(t), kind) for kind in kinds for w in WORDINGS[kind] for t in THINGS[kind]]
    random.Random(seed).shuffle(found)
    return found


def successes(goals: list[tuple[str, str]]) -> list[TaskRecord]:
    return [success(goal, kind, quality=1.0) for goal, kind in goals]
