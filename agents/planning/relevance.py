"""Whether a plan is about its goal at all: a model may answer with the plan of another one. Pure, without an encoder.

Tasks are compared by their words, so a plan in other words than the goal's could be wronged. Therefore it is called
off the goal only when everything speaks for it: both are in English, each names a subject in several words, and no word
of any task begins like a word of the goal, the conversation, the materials, or what the user is known to care about,
or abbreviates them. A plan in doubt is left to the plan critic.
"""

import re
from collections.abc import Iterable

from agents.rules.text import INSTRUCTION_STEMS, STOP_WORDS, stem, subject_words, words
from domain.briefings import Briefing
from domain.plans import Plan, Problem

_PREFIX = 4
"""Letters that two words of one family share: `electric`, `electricity`; shorter words must be the same."""
_FEWEST = 3
"""Words that the goal's subject, and that of the tasks, must have before the one can be called off the other."""
_ENGLISH_TEXT = "the of and how what which why with from does did is are about this that"
_ENGLISH = frozenset(_ENGLISH_TEXT.split())
"""Frequent words that mark a text as English; those that other languages also have are left out."""
_NAMED = 5
"""Words that the problem names."""


def off_goal(plan: Plan, goal: str, briefing: Briefing) -> Problem | None:
    """Return the problem that a plan shares nothing with its goal and briefing, or None where that is not sure."""
    wanted = subject_words(goal)
    told = list(dict.fromkeys(word for step in plan.steps for word in subject_words(_said(step.task, step.args))))
    if min(len(wanted), len(told)) < _FEWEST or not (_is_english(goal) and _is_english(_tasks(plan))):
        return None
    known = _beginnings([*wanted, *(word for text in _context(briefing) for word in words(text))])
    if _beginnings(told) & known or _abbreviates(told, goal) or _abbreviates(wanted, _tasks(plan)):
        return None
    message = (
        f"the tasks speak of {', '.join(told[:_NAMED])} and name nothing that the goal is about "
        f"({', '.join(wanted[:_NAMED])}); plan this goal and name its subject in the tasks"
    )
    return Problem(code="off_goal", message=message)


def _tasks(plan: Plan) -> str:
    return "\n".join(step.task for step in plan.steps)


def _said(task: str, args: dict[str, object]) -> str:
    literals = (value for value in args.values() if isinstance(value, str))
    return " ".join([task, *(re.sub(r"[_./\\-]", " ", value) for value in literals)])


def _context(briefing: Briefing) -> Iterable[str]:
    yield from briefing.conversation
    for material in briefing.materials:
        yield re.sub(r"[_./\\-]", " ", f"{material.name} {material.summary}")
    yield from briefing.preferences.values()
    for profile in briefing.target_profiles:
        yield str(profile)


def _beginnings(found: Iterable[str]) -> set[str]:
    """Return how the words begin; words that say what to do rather than with what are left out."""
    stems = {stem(word) for word in found if word not in STOP_WORDS}
    return {each[:_PREFIX] for each in stems - INSTRUCTION_STEMS}


def _abbreviates(found: Iterable[str], text: str) -> bool:
    """Tell whether a short word is made of the first letters of neighbouring words of a text."""
    initials = "".join(word[0] for word in words(text))
    return any(2 <= len(word) <= _PREFIX and word in initials for word in found)


def _is_english(text: str) -> bool:
    return not _ENGLISH.isdisjoint(words(text))
