"""Rewording of a remembered plan for a new goal; text is replaced literally and never interpreted."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from domain.plans import Plan, Step, as_ref
from memory.lexical import FUNCTION_WORDS, ask_of
from memory.opposites import turned

_SPECIFIC = re.compile(r"\b(?:[A-Z][\w-]*|\w*\d[\w-]*)\b")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_FILE_NAME = re.compile(r"[^\s@]+\.\w{1,5}")
_SUBJECT = re.compile(
    r"\b(?:about|at|between|by|for|from|in|into|near|of|on|onto|to|with)\s+(?:(?:the|an?|my|our|this|that)\s+)?"
    r"([^\W\d_]{2,})",
    re.IGNORECASE,
)
"""What an action is about or happens to: "anna" in "send the report to anna"."""


def reworded(plan: Plan, old_goal: str, new_goal: str, also: Mapping[str, str] | None = None) -> Plan:
    """Return the plan for `new_goal`: the old goal, its topic where both name one, and the words of `also`, are
    replaced in tasks and string arguments. Ids, agents, tools, needs, references and effects stay; the source becomes
    memory.
    """  # noqa: D205
    swaps = [(old, new) for old, new in [*(also or {}).items(), (old_goal, new_goal)] if old.strip()]
    old_topic, new_topic = _topic_of(old_goal), _topic_of(new_goal)
    if old_topic and new_topic:
        swaps.append((old_topic, new_topic))
    steps = [_reworded_step(step, swaps) for step in plan.steps] if swaps else plan.steps
    return plan.model_copy(update={"steps": steps, "source": "memory"}, deep=True)


def stale_arguments(plan: Plan, old_goal: str, new_goal: str) -> list[str]:
    """Return the words of the old goal that the plan still carries, or is for, and the new goal does not name.

    Work on one place or year must not be done again for another. Names and numbers count wherever they stand; what the
    old goal is about counts in tasks and arguments, and its other words in arguments, which are taken literally. A word
    that the new goal says the contrary of counts even where the plan does not carry it, since the plan was made for it.
    """
    spoken = [text for step in plan.steps for text in [step.task, *_texts(step.args), *_numbers(step.args)]]
    names = set(_SPECIFIC.findall(_after_first_word(old_goal))) - set(_SPECIFIC.findall(new_goal))
    gone = _unsaid(_LETTERS.findall(old_goal), new_goal)
    subjects = gone.keys() & {_stem(word) for word in _SUBJECT.findall(old_goal)}
    literal = [text for step in plan.steps for text in _texts([step.args]) if not _is_output(step, text)]
    carried = (subjects & _stems([*(step.task for step in plan.steps), *literal])) | (gone.keys() & _stems(literal))
    held = _held(names, " ".join(spoken)) | {gone[stem] for stem in carried}
    return sorted(held.union(turned(old_goal, new_goal)))


def mentions(plan: Plan, words: str) -> bool:
    """Return whether a tool argument of the plan holds these words, whole."""
    return re.search(_whole_words(words), " ".join(_texts([step.args for step in plan.steps]))) is not None


def _is_output(step: Step, text: str) -> bool:
    """Return whether an argument is the name of a file that the step writes; its tool or a person sees to that."""
    return step.effect == "write" and _FILE_NAME.fullmatch(text) is not None


def _unsaid(words: Iterable[str], goal: str) -> dict[str, str]:
    """Return the words with a meaning that a goal does not have in any form, by their stems."""
    said = _stems([goal])
    found = {_stem(word): word for word in words if word.lower() not in FUNCTION_WORDS}
    return {stem: word for stem, word in found.items() if stem not in said}


def _held(names: Iterable[str], text: str) -> set[str]:
    """Return the names that stand in the text as whole words."""
    words = set(re.findall(r"\w+", text))
    return {n for n in names if n in words or ("-" in n and n in text and re.search(rf"\b{re.escape(n)}\b", text))}


def _stems(texts: Iterable[str]) -> set[str]:
    return {_stem(word) for text in texts for word in _LETTERS.findall(text)}


def _stem(word: str) -> str:
    """Return a word without the endings of its forms; light, since only equality matters."""
    word = word.casefold()
    root = next((word.removesuffix(e) for e in ("ing", "ed", "es", "s") if word.endswith(e)), word)
    return (root if len(root) > 2 else word).removesuffix("e")


def _topic_of(goal: str) -> str:
    """Return what follows the ask and its preposition; empty where the goal has no ask of its own."""
    ask = ask_of(goal)
    rest = goal.partition(ask)[2].split(maxsplit=1) if ask != goal else []
    return rest[1].rstrip(" .!?") if len(rest) == 2 else ""


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


def _numbers(value: Any) -> list[str]:
    """Return the numbers of arguments as goals write them."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [f"{value:.15g}"]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [number for item in items for number in _numbers(item)]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in items for text in _texts(item)]
