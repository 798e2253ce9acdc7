"""Frames: what goals of one kind have in common word for word, with named slots for what varies. Pure.

"Write a blog about bees" and "Write a blog about wind power" share the frame "write a blog about {topic}".
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from memory.lexical import FUNCTION_WORDS

MAX_WORDS = 60
"""Longer goals carry material of their own and are no pattern."""
MIN_CONTENT_WORDS = 2
"""Words with a meaning that goals must share to be alike."""
MIN_SHARE = 0.5
"""Share of the shorter goal's words that must be common."""

_NAMES = {
    "about": "topic", "on": "topic", "of": "topic", "regarding": "topic", "concerning": "topic", "covering": "topic",
    "for": "audience", "to": "recipient", "as": "format", "a": "format", "an": "format", "in": "place", "at": "place",
    "from": "source", "since": "start", "until": "end", "by": "author", "with": "means", "between": "range",
}  # fmt: skip
"""What a slot is called after the word before it."""
_PUNCTUATION = ".,;:!?\"'()"


class Slot(BaseModel):
    """A place in a frame where goals differ."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slot: str = "detail"
    """Its name, unique in the frame."""
    optional: bool = False
    """Whether a goal may leave it out."""


Part = str | Slot
"""A common word, casefolded and without punctuation, or a slot."""


class _Word(NamedTuple):
    key: str
    text: str


def frame_of(goal: str) -> list[Part] | None:
    """Return the frame of a single goal, which has no slots yet; None for a goal that is too long to be a pattern."""
    words = _words(goal)
    return [word.key for word in words] if 0 < len(words) <= MAX_WORDS else None


def aligned(frame: Sequence[Part], goal: str) -> list[Part] | None:
    """Return the frame that `goal` and everything in `frame` have in common, or None where they are not alike.

    They are alike when they begin with the same word that has a meaning (the verb, as a rule), share at least two such
    words, and share at least half of the words of the shorter one.
    """
    words = _words(goal)
    if not 0 < len(words) <= MAX_WORDS:
        return None
    common = _named(_absorbed(_common(frame, words)))
    return common if _alike(frame, words, common) else None


def filled(frame: Sequence[Part], goal: str) -> dict[str, str] | None:
    """Return what `goal` puts into each slot, by name, or None where it does not fit the frame.

    Each run of common words is taken at its first place after the one before, the last one at the end.
    """
    words, at, found = _words(goal), 0, {}
    for slot, run, last in _segments(frame):
        start = _place(run, words, at, slot, last)
        if start is None:
            return None
        if slot:
            found[slot.slot] = _said(words[at:start])
        at = start + len(run)
    return found if at == len(words) else None


def first_content_word(goal: str) -> str | None:
    """Return the first word with a meaning, as frames write it; alike goals have the same one."""
    return _first_content(_words(goal))


def shown(frame: Sequence[Part]) -> str:
    """Return the frame as a person reads it: `write a blog about {topic}`; `[...]` marks what may be left out."""
    return " ".join(part if isinstance(part, str) else _shown_slot(part) for part in frame)


def _shown_slot(slot: Slot) -> str:
    return f"[{slot.slot}]" if slot.optional else f"{{{slot.slot}}}"


def _words(goal: str) -> list[_Word]:
    words = (_Word(text.casefold().strip(_PUNCTUATION), text) for text in goal.split())
    return [word for word in words if word.key]


def _common(frame: Sequence[Part], words: Sequence[_Word]) -> list[Part]:
    """Return the common runs of words, with a slot wherever anything else stands between them."""
    keys = [part if isinstance(part, str) else None for part in frame]
    matcher: SequenceMatcher[str | None] = SequenceMatcher(None, keys, [w.key for w in words], autojunk=False)
    common: list[Part] = []
    i = j = 0
    for block in matcher.get_matching_blocks():
        old, new = frame[i : block.a], words[j : block.b]
        if old or new:
            common.append(Slot(optional=not new or all(isinstance(p, Slot) and p.optional for p in old)))
        common += frame[block.a : block.a + block.size]
        i, j = block.a + block.size, block.b + block.size
    return common


def _absorbed(parts: Sequence[Part]) -> list[Part]:
    """Let slots take in the common words between them that say nothing: "the" in both topics is no frame."""
    kept: list[Part] = []
    for slot, run, last in _segments(parts):
        if slot and not (kept and isinstance(kept[-1], Slot)):
            kept.append(slot)
        if slot is None or last or _says_something(run):
            kept += run
        else:
            kept[-1] = Slot()
    return kept


def _says_something(run: Sequence[str]) -> bool:
    return any(word in _NAMES or word not in FUNCTION_WORDS for word in run)


def _alike(frame: Sequence[Part], words: Sequence[_Word], common: Sequence[Part]) -> bool:
    literal = [part for part in common if isinstance(part, str)]
    content = [word for word in literal if word not in FUNCTION_WORDS]
    shorter = min(len(words), sum(isinstance(p, str) or not p.optional for p in frame))
    same_start = bool(content) and content[0] == _first_content(words)
    return same_start and len(content) >= MIN_CONTENT_WORDS and len(literal) >= MIN_SHARE * shorter


def _first_content(words: Sequence[_Word]) -> str | None:
    return next((word.key for word in words if word.key not in FUNCTION_WORDS), None)


def _named(parts: Sequence[Part]) -> list[Part]:
    named: list[Part] = []
    taken: set[str] = set()
    for i, part in enumerate(parts):
        if isinstance(part, Slot):
            before = parts[i - 1] if i else ""
            part = part.model_copy(update={"slot": _free(_NAMES.get(str(before), "detail"), taken)})
            taken.add(part.slot)
        named.append(part)
    return named


def _free(name: str, taken: set[str]) -> str:
    names = (f"{name}{n}" for n in range(2, MAX_WORDS))
    return name if name not in taken else next(n for n in names if n not in taken)


def _segments(frame: Sequence[Part]) -> Iterator[tuple[Slot | None, list[str], bool]]:
    """Yield each slot (None at the start) with the common words after it, and whether these end the frame."""
    slot: Slot | None = None
    run: list[str] = []
    for part in frame:
        if isinstance(part, str):
            run.append(part)
            continue
        if slot or run:
            yield slot, run, False
        slot, run = part, []
    yield slot, run, True


def _place(run: Sequence[str], words: Sequence[_Word], at: int, slot: Slot | None, last: bool) -> int | None:
    """Return where the run of words begins, `at` or later, or None where it is not there."""
    least = at + (slot is not None and not slot.optional)
    end = len(words) - len(run)
    starts = range(at, at + 1) if slot is None else range(max(end, least) if last else least, end + 1)
    keys = [word.key for word in words]
    return next((s for s in starts if keys[s : s + len(run)] == list(run) and s <= end), None)


def _said(words: Sequence[_Word]) -> str:
    return " ".join(word.text for word in words).strip(" " + _PUNCTUATION)


def swaps(frame: Sequence[Part], old: str, new: str) -> Mapping[str, str] | None:
    """Return what takes the place of what when the words of one goal become those of another; None without a fit."""
    before, after = filled(frame, old), filled(frame, new)
    if before is None or after is None:
        return None
    return {before[name]: after[name] for name in before if before[name] and before[name] != after[name]}
