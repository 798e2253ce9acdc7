"""How much could go wrong when something is done: one number with the parts that it is made of. Pure."""

import math
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.plans import Effect, Privacy

Reversibility = Literal["undoable", "irreversible", "unknown"]

WEIGHTS: Mapping[str, float] = {"reversibility": 0.4, "scope": 0.3, "money": 0.5, "novelty": 0.15, "privacy": 0.3}
"""The risk of an effect of which only this part is at its worst."""
_EFFECTS: Mapping[Effect, float] = {"none": 0.0, "read": 0.2, "write": 1.0}
_PRIVACY: Mapping[Privacy, float] = {"public": 0.0, "internal": 0.0, "personal": 0.5, "secret": 1.0}
_MANY = 100
"""Recipients or objects from which the scope is at its worst."""
_MUCH = 10_000
"""Amount of money from which it is at its worst."""


class Risk(BaseModel):
    """What could go wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: float
    """0-1."""
    parts: dict[str, float]
    """Each part by its name in `WEIGHTS`, 0-1."""
    words: str
    """What weighs, the heaviest first."""


def risk_of(
    effect: Effect = "write",
    reversibility: Reversibility = "unknown",
    *,
    count: float | None = None,
    money: float | None = None,
    novelty: float | None = None,
    privacy: Privacy | None = None,
) -> Risk:
    """Return the risk of an act; what is not known, or is no number, counts as the worst.

    The score is a noisy or: effect * (1 - product of (1 - weight * part)), with an effect of 1 for writing, 0.2 for
    reading and 0 for nothing. So it stays within 0..1 and never falls when a part grows. The parts are 1 for what
    cannot be undone; log(count) / log(100); log(1 + money) / log(1 + 10,000); novelty as it is; 0.5 for personal and
    1 for secret data; each at most 1.

    Args:
        effect: What the act does to the world.
        reversibility: Whether it can be taken back.
        count: To how many it goes, or how many things it changes.
        money: How much money it moves, 0 for none.
        novelty: How unlike what was done before it is, 0-1.
        privacy: How private the data is that it works on.
    """
    parts = {
        "reversibility": 0.0 if reversibility == "undoable" else 1.0,
        "scope": _share(count, lambda n: math.log(max(1.0, n)) / math.log(_MANY)),
        "money": _share(money, lambda amount: math.log1p(amount) / math.log1p(_MUCH)),
        "novelty": _share(novelty, lambda part: part),
        "privacy": 1.0 if privacy is None else _PRIVACY.get(privacy, 1.0),
    }
    safe = math.prod(1 - WEIGHTS[name] * part for name, part in parts.items())
    score = min(1.0, max(0.0, _EFFECTS.get(effect, 1.0) * (1 - safe)))
    return Risk(score=score, parts=parts, words=_words(parts, reversibility, count, money))


def _share(value: float | None, scaled: Callable[[float], float]) -> float:
    """Return a part of the risk, 0-1; the worst for what is unknown, negative or no number."""
    if value is None or math.isnan(value) or value < 0:
        return 1.0
    return 1.0 if math.isinf(value) else min(1.0, scaled(value))


def _words(parts: Mapping[str, float], reversibility: Reversibility, count: float | None, money: float | None) -> str:
    said = {
        "reversibility": "it cannot be undone" if reversibility == "irreversible" else "nobody knows how to undo it",
        "scope": "nobody knows how far it reaches" if count is None else f"it reaches {count:g}",
        "money": "nobody knows how much money it moves" if money is None else f"it moves {money:g}",
        "novelty": "nothing like it was done before" if parts["novelty"] >= 1 else "little like it was done before",
        "privacy": "it works on private data",
    }
    heavy = sorted((name for name in parts if parts[name] > 0), key=lambda name: -WEIGHTS[name] * parts[name])
    return ", ".join(said[name] for name in heavy) or "it can be undone and is like what was done before"
