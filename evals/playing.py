"""Playing a recorded task: what is played with, and what is seen of it. The product implements it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from agents.exchanges.calls import RecordedCall, RecordedTool
from domain.errors import InvalidSettings
from evals.recording.replay import Drift
from evals.recording.task import RecordedTask
from evals.scoring.evidence import Evidence

PlayMode = Literal["strict", "tolerant", "live"]


class Version(BaseModel):
    """What a task is played with in place of what it was recorded with; what is left out stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    team: str | None = None
    """Name of a shipped team, or path of a team file."""
    prompts: Path | None = None
    """Folder of prompt templates."""
    model: str | None = None
    """`provider:name`; only a live play asks it."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings by name, over those of the task."""


class Played(NamedTuple):
    """What one play of a task left behind."""

    turns: list[Evidence]
    """One for each turn that was played."""
    drifts: list[Drift] = []
    """Requests that differ from the recorded ones."""
    unused: list[RecordedCall | RecordedTool] = []
    """Recorded calls of models and tools that nobody made."""
    model_seconds: list[float] = []
    """What the models took in each turn: as recorded in a replay, as measured live."""
    changed_output: bool = False
    """Whether a turn's answer differs from the recorded one."""
    error: str = ""
    """Why it could not be played to its end."""


class Player(Protocol):
    """Plays tasks, one after another, each in a workspace of its own."""

    async def play(self, task: RecordedTask, mode: PlayMode) -> Played:
        """Play a task from its first turn; what goes wrong in it is told in the result."""


OpenPlayer = Callable[[Version], AbstractAsyncContextManager[Player]]
"""Opens what plays tasks of one version; can be pickled, so that processes can open one each."""


def installed_player() -> OpenPlayer:
    """Return what the installed product plays tasks with, for programs that cannot be handed it.

    Raises:
        InvalidSettings: No package offers it.
    """
    for point in entry_points(group="understudy.evaluation"):
        opener: OpenPlayer = point.load()
        return opener
    msg = "no package offers the entry point 'understudy.evaluation'; install the project with: make setup"
    raise InvalidSettings(msg)
