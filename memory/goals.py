"""What a workspace wants to reach: goals that are measured by how its runs go."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.errors import InvalidRequest, UnknownGoal
from memory.provenance import Provenance
from memory.records import Records
from memory.workspaces import checked_workspace

MAX_GOALS = 100
"""Goals that a workspace has at once."""
GoalMeasure = Literal[
    "success_rate", "quality", "cost", "seconds", "runs", "trend", "override_rate", "complaint_rate", "reuse_rate",
    "taps", "dialogs",
]  # fmt: skip
"""Of the workspace's latest runs; `cost` in dollars and `seconds` are means of one run, `taps` and `dialogs` are what
the most bothered user had this week."""
OF_AGENTS: frozenset[GoalMeasure] = frozenset({"success_rate", "quality", "cost", "seconds", "runs"})
"""Measures that single agents have as well."""
Direction = Literal["at_least", "at_most"]


class StrategicGoal(BaseModel):
    """Something that a measure is to reach."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: str = Field(pattern=r"^[a-z0-9]{1,32}$")
    name: str = Field(min_length=1, max_length=200)
    measure: GoalMeasure
    agent: str = Field(default="", max_length=40)
    """Whose; empty: of all runs."""
    target: float
    direction: Direction
    due: float | None = None
    """Unix time in seconds; None: whenever."""
    baseline: float | None = None
    """The measure when the goal was set; None where nothing was measured yet."""
    created: float
    """Unix time in seconds."""
    provenance: Provenance

    @model_validator(mode="after")
    def _agents_have_it(self) -> "StrategicGoal":
        if self.agent and self.measure not in OF_AGENTS:
            msg = f"{self.measure!r} is no measure of one agent; there is {', '.join(sorted(OF_AGENTS))}"
            raise ValueError(msg)
        return self


class StrategicGoals:
    """The goals of every workspace."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def add(self, workspace: str, goal: StrategicGoal) -> None:
        """Keep a new goal.

        Raises:
            InvalidRequest: The workspace has as many goals as it may, or one with this id.
        """
        if await self._records.count(_key(workspace, "")) >= MAX_GOALS:
            msg = f"workspace {workspace!r} has {MAX_GOALS} goals; delete one first"
            raise InvalidRequest(msg)
        if not await self._records.compare_and_set(_key(workspace, goal.id), None, goal.model_dump(mode="json")):
            msg = f"there is a goal {goal.id!r} already"
            raise InvalidRequest(msg)

    async def listed(self, workspace: str) -> list[StrategicGoal]:
        """Return the goals, the oldest first."""
        found = [StrategicGoal.model_validate(v) for _, v in await self._records.scan(_key(workspace, ""))]
        return sorted(found, key=lambda goal: (goal.created, goal.id))

    async def get(self, workspace: str, goal: str) -> StrategicGoal:
        """Return a goal, or raise `UnknownGoal`."""
        value = await self._records.get(_key(workspace, goal))
        if value is None:
            raise _unknown(workspace, goal)
        return StrategicGoal.model_validate(value)

    async def delete(self, workspace: str, goal: str) -> None:
        """Delete a goal for good, or raise `UnknownGoal`."""
        if not await self._records.delete(_key(workspace, goal)):
            raise _unknown(workspace, goal)


def _unknown(workspace: str, goal: str) -> UnknownGoal:
    return UnknownGoal(f"workspace {workspace!r} has no goal {goal!r:.60}")


def _key(workspace: str, goal: str) -> str:
    return f"goal:{checked_workspace(workspace)}:{goal}"
