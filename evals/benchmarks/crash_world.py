"""The world outside that the crash benchmark changes, the tools that do it, and the plans that call them.

Every effect is one line that is appended to a file at once (`O_APPEND`), so the file tells what really happened,
whatever the killed process knew of it.
"""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agents.contracts import (
    Assignment,
    Cast,
    CompositionRequest,
    CritiqueRequest,
    Planning,
    PlanningRequest,
    PlanReviewRequest,
    RevisionRequest,
    RoutingRequest,
)
from agents.team import Specialist, Team
from agents.tools.registry import Attempt, Tool, Toolbox, ToolOutput, Verdict
from domain.autonomy import Autonomy
from domain.outcomes import Critique, Draft, Failure, StepResult
from domain.plans import Plan, Problem, Step
from domain.routing import RouteDecision

KINDS = ("chain", "fan", "rollback")
"""Plans: effects after one another, side by side, and all undone because a later step fails."""


class Mark(BaseModel):
    """What the tools take."""

    model_config = ConfigDict(extra="forbid")

    name: str
    """Names the effect among all runs of the benchmark."""


@dataclass(frozen=True)
class World:
    """What happened, as nobody can deny it."""

    file: Path

    def add(self, sign: str, name: str, key: str) -> None:
        """Let an effect (`+`) or its undoing (`-`) happen."""
        handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{sign}{name} {key}\n".encode())
        finally:
            os.close(handle)

    def happened(self) -> Counter[str]:
        """Return how often everything happened, by sign and name."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return Counter(line.split()[0] for line in lines)

    def stands(self, name: str) -> bool:
        """Return whether an effect happened and was not undone."""
        seen = self.happened()
        return seen[f"+{name}"] > seen[f"-{name}"]

    def tools(self) -> Toolbox:
        """Return a tool that can look and undo, and one that can do neither."""

        async def run(mark: Mark, key: str) -> ToolOutput:
            self.add("+", mark.name, key)
            return ToolOutput(f"marked {mark.name}")

        async def verify(attempt: Attempt) -> Verdict:
            if not self.stands(attempt.args.name):
                return Verdict("did_not_happen")
            return Verdict("happened", ToolOutput(f"found {attempt.args.name}"))

        async def undo(attempt: Attempt, output: ToolOutput) -> ToolOutput:
            self.add("-", attempt.args.name, attempt.key)
            return ToolOutput(f"removed {attempt.args.name}")

        mark = Tool("mark", "Mark.", Mark, run, effect="write", takes_key=True, verify=verify, undo=undo)
        return Toolbox.of([mark, Tool("send", "Send.", Mark, run, effect="write", takes_key=True)])


def expected(kind: str, name: str) -> Counter[str]:
    """Return what must have happened once a run has ended."""
    plan = plan_for(kind, name)
    effects = [str(step.args["name"]) for step in plan.steps if step.tool]
    signs = "+-" if kind == "rollback" else "+"
    return Counter(f"{sign}{effect}" for sign in signs for effect in effects)


def plan_for(kind: str, name: str) -> Plan:
    """Return the plan of a run; its effects carry the run's name."""
    match kind:
        case "chain":
            steps = [_look("read"), _write("a", "mark", name, "read"), _write("b", "send", name, "a")]
            steps.append(_look("end", "b"))
        case "fan":
            steps = [_write("a", "mark", name), _write("b", "send", name), _write("c", "mark", name)]
            steps.append(_look("end", "a", "b", "c"))
        case _:
            steps = [_write("a", "mark", name), _write("b", "mark", name, "a")]
            steps.append(_look("end", "b").model_copy(update={"on_failure": "rollback"}))
    return Plan(steps=steps)


def _look(key: str, *needs: str) -> Step:
    return Step(id=key, agent="reader", task="look", needs=list(needs))


def _write(key: str, tool: str, name: str, *needs: str) -> Step:
    args = {"name": f"{name}.{key}"}
    return Step(id=key, agent="writer", task="mark", tool=tool, args=args, effect="write", needs=list(needs))


TEAM = Team(
    name="crash",
    description="Marks the world.",
    specialists=(
        Specialist(name="reader", description="looks"),
        Specialist(name="writer", description="marks", tools=("mark", "send")),
    ),
    autonomy=Autonomy(tier="trusted", called_for=("mark", "send")),  # nobody is there to be asked
)


class Script:
    """Plays every role without a model; the goal names the plan: `chain 7`."""

    def cast(self) -> Cast:
        """Return the script as a cast."""
        return Cast(
            supervisor=self.supervisor,
            planner=self.planner,
            plan_critic=self.plan_critic,
            specialist=self.specialist,
            composer=self.composer,
            critic=self.critic,
            reviser=self.reviser,
        )

    async def supervisor(self, request: RoutingRequest) -> RouteDecision:
        """Send every goal to the planner."""
        return RouteDecision(source="planner", explanation="measured")

    async def planner(self, request: PlanningRequest) -> Planning:
        """Plan what the goal names."""
        kind, number = request.goal.split()
        return Planning(alternatives=[plan_for(kind, f"{kind}{number}")])

    async def plan_critic(self, request: PlanReviewRequest) -> list[Problem]:
        """Find nothing wrong."""
        return []

    async def specialist(self, request: Assignment) -> StepResult:
        """Look; the step that a rollback waits for fails."""
        if request.step.on_failure == "rollback":
            failure = Failure(code="rejected", message="the last step fails, as it should")
            return StepResult(step=request.step.id, agent="reader", status="failed", failure=failure, confidence=0)
        return StepResult(step=request.step.id, agent="reader", text="seen", confidence=0.9)

    async def composer(self, request: CompositionRequest) -> Draft:
        """Say that it is done."""
        return Draft(text="done", by="composer")

    async def critic(self, request: CritiqueRequest) -> Critique:
        """Be content."""
        return Critique(score=0.95)

    async def reviser(self, request: RevisionRequest) -> Draft:
        """Change nothing."""
        return request.draft
