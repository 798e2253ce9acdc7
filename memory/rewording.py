"""Rewording of a remembered plan for a new goal; text is replaced literally and never interpreted."""

import re
from collections.abc import Mapping
from typing import Any

from domain.plans import Plan, Step, as_ref
from memory.lexical import ask_of

_SPECIFIC = re.compile(r"\b(?:[A-Z][\w-]*|\w*\d[\w-]*)\b")


def reworded(plan: Plan, old_goal: str, new_goal: str, also: Mapping[str, str] | None = None) -> Plan:
    """Return the plan for `new_goal`: the old goal, its topic where both name one, and the words of `also`, are
    replaced in tasks and string arguments. Ids, agents, tools, needs, references and effects stay; the source becomes
    memory.
    """  # noqa: D205
    swaps = [*(also or {}).items(), (old_goal, new_goal)]
    old_topic, new_topic = _topic_of(old_goal), _topic_of(new_goal)
    if old_topic and new_topic:
        swaps.append((old_topic, new_topic))
    steps = [_reworded_step(step, swaps) for step in plan.steps]
    return plan.model_copy(update={"steps": steps, "source": "memory"}, deep=True)


def stale_arguments(plan: Plan, old_goal: str, new_goal: str) -> list[str]:
    """Return the names and numbers of the old goal that the plan still carries and the new goal does not name.

    Work on one place or year must not be done again for another.
    """
    gone = set(_SPECIFIC.findall(_after_first_word(old_goal))) - set(_SPECIFIC.findall(new_goal))
    spoken = " ".join(_texts([[step.task, step.args] for step in plan.steps]))
    return sorted(word for word in gone if re.search(rf"\b{re.escape(word)}\b", spoken))


def mentions(plan: Plan, words: str) -> bool:
    """Return whether a tool argument of the plan holds these words, whole."""
    return re.search(_whole_words(words), " ".join(_texts([step.args for step in plan.steps]))) is not None


def _topic_of(goal: str) -> str:
    """Return what follows the ask and its preposition; empty where the goal has no ask of its own."""
    ask = ask_of(goal)
    rest = goal.partition(ask)[2].split(maxsplit=1)
    return rest[1].rstrip(" .!?") if ask != goal and len(rest) == 2 else ""


def _reworded_step(step: Step, swaps: list[tuple[str, str]]) -> Step:
    args = {name: _replaced(value, swaps) for name, value in step.args.items()}
    return step.model_copy(update={"task": _replaced(step.task, swaps), "args": args})


def _replaced(value: Any, swaps: list[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        # One pass over the old text, longest first: what was put in is never replaced again.
        new = {old: new for old, new in reversed(swaps)}
        pattern = "|".join(map(_whole_words, sorted(new, key=len, reverse=True)))
        return re.sub(pattern, lambda match: new[match[0]], value)
    if isinstance(value, list):
        return [_replaced(item, swaps) for item in value]
    if isinstance(value, dict) and as_ref(value) is None:
        return {key: _replaced(item, swaps) for key, item in value.items()}
    return value


def _whole_words(text: str) -> str:
    """Return a pattern for the text where it is no part of a longer word: "art" is not in "start"."""
    return ("(?<!\\w)" if text[:1].isalnum() else "") + re.escape(text) + ("(?!\\w)" if text[-1:].isalnum() else "")


def _after_first_word(goal: str) -> str:
    """Leave out the capital that only begins the sentence."""
    return goal.partition(" ")[2]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in items for text in _texts(item)]
