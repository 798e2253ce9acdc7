"""What runs of the approvals benchmark do: one thing that cannot be taken back, and that is asked about."""

import os
import time

from agents.contracts import Planning, PlanningRequest
from agents.team import Specialist, Team
from domain.checkpoints import Checkpoint
from domain.plans import Plan, Step
from evals.benchmarks.crash_world import Script, World

_WEEK = 7 * 86400.0

TEAM = Team(
    name="approvals",
    description="Sends what a person allows.",
    specialists=(Specialist(name="writer", description="sends", tools=("send",)),),
    checkpoints=(Checkpoint(name="before_sending", condition="ON_EFFECT", timeout_seconds=_WEEK),),
)


def goal(number: int) -> str:
    """Return the goal of a run."""
    return f"send {number}"


def effect(number: int) -> str:
    """Return the name of what a run does."""
    return f"sent{number}"


class TimedWorld(World):
    """A world that knows when everything happened."""

    def add(self, sign: str, name: str, key: str) -> None:
        """Let an effect happen now."""
        handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{sign}{name} {time.time()}\n".encode())
        finally:
            os.close(handle)

    def times(self) -> dict[str, float]:
        """Return the unix time at which each effect happened first."""
        found: dict[str, float] = {}
        for line in self.file.read_text().splitlines() if self.file.exists() else []:
            name, at = line.split()
            found.setdefault(name.removeprefix("+"), float(at))
        return found


class Sender(Script):
    """Plans one step that sends; the goal names it: `send 7`."""

    async def planner(self, request: PlanningRequest) -> Planning:
        """Plan what the goal names."""
        args = {"name": effect(int(request.goal.split()[1]))}
        step = Step(id="send", agent="writer", task="send it", tool="send", args=args, effect="write")
        return Planning(alternatives=[Plan(steps=[step])])
