"""A metric: how many hours an answer names."""

import re

from understudy.plugins import Evidence


def hours_named(seen: Evidence) -> float:
    """Return the number of different hours in the answer of a turn."""
    answer = seen.outcome.answer if seen.outcome else ""
    return float(len(set(re.findall(r"\b\d{1,2}:00\b", answer))))
