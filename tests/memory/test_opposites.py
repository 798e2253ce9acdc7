"""Words that turn a demand around."""

import pytest

from domain.plans import Plan, Step
from memory.opposites import turned
from memory.rewording import stale_arguments


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("How fast is drums.wav, roughly?", "How fast is drums.wav exactly?", ["roughly"]),
        ("Open the blinds", "Close the blinds", ["open"]),
        ("Unlock the door", "lock the door", ["unlock"]),
        ("Turn on the lamp before nine", "Turn off the lamp after nine", ["before", "on"]),
        ("List all orders", "List the orders", []),
        ("Turn it on and off", "Turn it off", []),
        ("Turn it off", "Turn it on and off", []),
        ("Write it quickly", "Write it quick", []),
        ("The opening of the shop", "The closet of the shop", []),
    ],
)
def test_only_a_word_whose_contrary_is_asked_for_is_turned(old: str, new: str, words: list[str]) -> None:
    assert turned(old, new) == words


def test_a_plan_for_the_contrary_is_not_reused_though_it_does_not_say_so() -> None:
    plan = Plan(steps=[Step(id="m", agent="pocket", task="measure", tool="tempo", args={"recording": "drums.wav"})])
    rough, exact = "How fast is drums.wav, roughly?", "How fast is drums.wav exactly?"
    assert stale_arguments(plan, rough, exact) == ["roughly"]
    assert stale_arguments(plan, rough, "Roughly how fast is drums.wav?") == []
