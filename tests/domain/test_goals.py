import pytest

from domain.errors import InvalidGoal
from domain.goals import MAX_GOAL_CHARS, checked_goal


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("x" * 1_000_000, "1,000,000 characters"),
        ("\x00\x01\x7fELF\x02", "not readable"),
        ("\ufffd\ufffdabc", "not readable"),
    ],
    ids=["empty", "blank", "1 MB", "binary", "undecodable"],
)
def test_what_is_not_a_goal_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidGoal, match=message):
        checked_goal(text)


@pytest.mark.parametrize("text", ["hi", "Wie hoch war der Anteil?", "电力结构如何变化？", "a\nb", "x" * MAX_GOAL_CHARS])
def test_goals_in_any_language_are_taken(text: str) -> None:
    assert checked_goal(f"  {text} ") == text


def test_half_a_character_does_not_reach_what_cannot_take_it() -> None:
    assert checked_goal(f"{'What changed in the mix of Iowa? ' * 3}\ud800").endswith("? ?")
