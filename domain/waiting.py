"""How long a question waits for whom, and what follows when nobody answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

OnTimeout = Literal["halt", "reject", "escalate", "approve"]
"""What follows when a question's time is over.

- `halt`: the question expires and the run stays where it is; `resume` asks anew.
- `reject`: as if a person had rejected it.
- `escalate`: the next level is asked, with as much time again; behind the last level: `halt`.
- `approve`: as if a person had approved it; only where the effect can be undone, else `halt`.
"""
DEFAULT_TIMEOUT_SECONDS = 3600.0


class Level(BaseModel):
    """Who is asked next while nobody has answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: tuple[str, ...] = Field(min_length=1)
    """Users."""
    after_seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """From the opening of the question; 0 leaves it to the time-out's `escalate`."""


class Patience(BaseModel):
    """How a question waits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timeout_seconds: float = Field(default=DEFAULT_TIMEOUT_SECONDS, gt=0, allow_inf_nan=False)
    on_timeout: OnTimeout = "halt"
    approvers: tuple[str, ...] = ()
    """Users who may answer; empty: everybody who may work in the workspace."""
    quorum: int = Field(default=1, ge=1, le=20)
    """Different people who must approve; one rejection is enough to reject."""
    escalation: tuple[Level, ...] = ()
    """Asked one after the other; those who were asked before may still answer."""
    escalated: bool = False
    """Whether it opens with the first level at once, because the checkpoint escalates."""
    undoable: bool = False
    """Whether what is asked about can be taken back."""
