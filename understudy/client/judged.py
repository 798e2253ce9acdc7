"""What a judgement of a run led to, as a server tells it."""

from typing import NamedTuple


class Judged(NamedTuple):
    """What a judgement led to."""

    run: str
    accepted: bool
    """Whether the run counts as a success for the person."""
    reward: float
    samples: int
    """Judgements of the workspace so far."""
    successes: int
    failures: int
    """Of the task, after the judgement; both 0 where it is no longer remembered."""
