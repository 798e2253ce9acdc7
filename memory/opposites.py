"""Words that turn a demand around: what asks for the one must not be answered with what was done for the other.

Goals that differ in such a word alone are near each other for every encoder. The list is short and closed on purpose:
pairs that say the contrary of the same demand, whatever it is about.
"""

import re

_WORDS = re.compile(r"[^\W\d_]+")
_OPPOSITES: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (frozenset(one.split()), frozenset(other.split()))
    for one, other in (
        ("exact exactly precise precisely", "rough roughly approximate approximately"),
        ("quick quickly", "careful carefully thorough thoroughly"),
        ("all every", "only"),
        ("with", "without"),
        ("before", "after"),
        ("more", "less fewer"),
        ("on", "off"),
        ("open opens opened opening", "close closes closed closing shut"),
        ("lock locks locked locking", "unlock unlocks unlocked unlocking"),
        ("raise raises raised raising increase", "lower lowers lowered lowering reduce decrease"),
        ("start starts started starting", "stop stops stopped stopping"),
        ("enable enables enabled", "disable disables disabled"),
        ("include includes including", "exclude excludes excluding"),
    )
)


def turned(old_goal: str, new_goal: str) -> list[str]:
    """Return the words of the old goal that the new one says the contrary of; none where a goal says both."""
    old, new = _words(old_goal), _words(new_goal)
    found = set[str]()
    for one, other in _OPPOSITES:
        for mine, theirs in ((one, other), (other, one)):
            if not old & theirs and not new & mine and new & theirs:
                found |= old & mine
    return sorted(found)


def _words(goal: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(goal.casefold()))
