"""Risk: within bounds, never lower when a part is worse, and worst where nothing is known."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.risk import WEIGHTS, Risk, risk_of

NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
PARTS: dict[str, Any] = {
    "effect": st.sampled_from(["none", "read", "write"]),
    "reversibility": st.sampled_from(["undoable", "irreversible", "unknown"]),
    "count": NUMBERS,
    "money": NUMBERS,
    "novelty": NUMBERS,
    "privacy": st.sampled_from([None, "public", "internal", "personal", "secret"]),
}
WORSE: dict[str, list[Any]] = {
    "effect": ["none", "read", "write"],
    "reversibility": ["undoable", "irreversible"],
    "count": [0, 1, 2, 10, 99, 1e9, None],
    "money": [0, 0.01, 5, 900, 1e12, math.nan],
    "novelty": [0, 0.1, 0.5, 1, math.inf],
    "privacy": ["public", "personal", "secret", None],
}
"""Values of each part, the harmless first."""


def made(parts: dict[str, Any]) -> Risk:
    given_parts = dict(parts)
    return risk_of(given_parts.pop("effect"), given_parts.pop("reversibility"), **given_parts)


@given(st.fixed_dictionaries(PARTS))
def test_it_is_a_number_between_0_and_1_whatever_it_is_made_of(parts: dict[str, Any]) -> None:
    risk = made(parts)
    assert 0 <= risk.score <= 1
    assert risk.parts.keys() == WEIGHTS.keys()
    assert all(0 <= part <= 1 for part in risk.parts.values())
    assert risk.words


@given(st.fixed_dictionaries(PARTS), st.data())
def test_it_never_falls_when_one_part_is_worse(parts: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(WORSE)))
    first, second = sorted(data.draw(st.lists(st.integers(0, len(WORSE[name]) - 1), min_size=2, max_size=2)))
    milder, worse = made(parts | {name: WORSE[name][first]}), made(parts | {name: WORSE[name][second]})
    assert milder.score <= worse.score


@given(st.one_of(st.none(), st.just(math.nan), st.floats(max_value=-1e-9)))
def test_what_is_no_amount_counts_as_the_worst(value: float | None) -> None:
    for part in ("count", "money", "novelty"):
        fields: dict[str, Any] = {"count": 1, "money": 0, "novelty": 0, "privacy": "public"} | {part: value}
        known: dict[str, Any] = fields | {part: 1e12}
        assert risk_of("write", "undoable", **fields).score == risk_of("write", "undoable", **known).score


@pytest.mark.parametrize(
    ("fields", "score"),
    [
        ({"effect": "none"}, 0.0),
        ({"reversibility": "undoable"}, 0.0),
        ({"reversibility": "irreversible"}, 0.4),
        ({"reversibility": "undoable", "novelty": 1}, 0.15),
        ({"reversibility": "irreversible", "novelty": 1}, 1 - 0.6 * 0.85),
        ({"reversibility": "undoable", "money": 99}, 0.25),
        ({"reversibility": "undoable", "count": 10}, 0.15),
        ({"effect": "read", "privacy": "secret", "reversibility": "undoable"}, 0.06),
    ],
)
def test_the_formula(fields: dict[str, Any], score: float) -> None:
    harmless: dict[str, Any] = {
        "effect": "write", "reversibility": "undoable", "count": 1, "money": 0, "novelty": 0, "privacy": "public",
    }  # fmt: skip
    assert made(harmless | fields).score == pytest.approx(score, abs=1e-4)


def test_the_words_name_what_weighs_most_first() -> None:
    words = risk_of("write", "irreversible", count=50, money=0, novelty=0, privacy="public").words
    assert words == "it cannot be undone, it reaches 50"
