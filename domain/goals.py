"""What counts as a goal."""

from domain.errors import InvalidGoal

MAX_GOAL_CHARS = 20_000
MAX_TEXT_CHARS = 100_000
"""Of a text that is brought along to be refined."""


def checked_goal(text: str) -> str:
    """Return the goal without surrounding blanks, or raise `InvalidGoal` saying what is wrong with it."""
    goal = text.strip()
    if not goal:
        msg = "the goal is empty; say in a sentence what should be done"
        raise InvalidGoal(msg)
    if len(goal) > MAX_GOAL_CHARS:
        msg = f"the goal has {len(goal):,} characters; at most {MAX_GOAL_CHARS:,} fit. Put long material into a file"
        raise InvalidGoal(msg)
    odd = sum(1 for c in goal if not (c.isprintable() or c in "\n\t\r") or c == "\ufffd" or "\ud800" <= c <= "\udfff")
    if odd > len(goal) * 0.02:
        msg = "the goal is not readable text"
        raise InvalidGoal(msg)
    return goal.encode("utf-8", "replace").decode()  # half a character can be kept, but neither compared nor sent
