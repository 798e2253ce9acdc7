"""Traces of runs at given times, for tests of what is made of them."""

from typing import Any

from domain.approvals import ActionRequest, Decision
from domain.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    ModelCalled,
    PlanProposed,
    RouteDecided,
    RunFinished,
    RunStarted,
    Stamped,
    StepFinished,
    StepHeld,
    StepStarted,
    ToolCalled,
    ToolReturned,
)  # fmt: skip
from domain.outcomes import Outcome, StepResult
from domain.plans import Plan, Step
from domain.routing import RouteDecision
from graph.trace import Trace
from graph.tracing import traced

ASKED = ActionRequest(id="deliver", name="write_file", args={}, description="?")
RESULT_OF_RUN = {"path": "a.md", "text": {"ref": {"step": "result"}}}
PLAN = Plan(
    steps=[
        Step(id="search", agent="searcher", task="search"),
        Step(id="analyse", agent="analyst", task="analyse"),
        Step(id="extra", agent="reader", task="read"),
        Step(id="write", agent="writer", task="write", needs=["search", "analyse"]),
        Step(id="deliver", agent="writer", task="save", tool="write_file", args=RESULT_OF_RUN, effect="write"),
    ]
)


class TimedRun:
    """A run whose events come at given seconds."""

    def __init__(self, goal: str = "Compare them", plan: Plan = PLAN) -> None:
        self.plan, self._events = plan, list[tuple[float, str, Event]]()
        self.at(0, "intake", RunStarted(goal=goal, team="test", mode="openai:m"))

    def at(self, second: float, node: str, event: Event) -> "TimedRun":
        """Let something happen."""
        self._events.append((second, node, event))
        return self

    def called(self, second: float, node: str, seconds: float, step: str | None = None) -> "TimedRun":
        """Let a model answer, after some seconds."""
        role = "specialist" if step else node
        return self.at(second, node, ModelCalled(role=role, model="openai:m", seconds=seconds, step=step))

    def used(self, tool: str, step: str, started: float, ended: float) -> "TimedRun":
        """Let a tool be used for a step."""
        self.at(started, "specialists", ToolCalled(step=step, tool=tool, args={}))
        return self.at(ended, "specialists", ToolReturned(step=step, tool=tool, seconds=ended - started))

    def tried(self, step: str, agent: str, started: float) -> "TimedRun":
        """Let somebody begin a step."""
        return self.at(started, "specialists", StepStarted(step=step, agent=agent, task=step))

    def worked(self, step: str, started: float, ended: float) -> "TimedRun":
        """Let a step be done."""
        agent = next((s.agent for s in self.plan.steps if s.id == step), step.rpartition(".")[0])
        self.tried(step, agent, started)
        result = StepResult(step=step, agent=agent, seconds=ended - started)
        return self.at(ended, "specialists", StepFinished(result=result))

    def routed(self, second: float, kind: Any = "comparison") -> "TimedRun":
        """Let the way be chosen."""
        return self.at(
            second,
            "supervisor",
            RouteDecided(decision=RouteDecision(source="planner", kind=kind, confidence=0, band="plan")),
        )

    def asked(self, second: float, answered: float) -> "TimedRun":
        """Let a person be asked about the delivery, and answer."""
        self.at(second, "specialists", StepHeld(request=ASKED))
        self.at(second, "", ApprovalRequested(interrupt="i", requests=[ASKED]))
        return self.at(answered, "approve_steps", ApprovalDecided(request="deliver", decision=Decision(type="approve")))

    def trace(self, second: float) -> Trace:
        """Return the trace of the run, ended now."""
        self.at(second, "remember", RunFinished(outcome=Outcome(status="done", answer="so")))
        stamp: dict[str, Any] = {"thread": "t", "run": "r", "workspace": "w"}
        ordered = sorted(self._events, key=lambda each: each[0])
        return traced(
            [
                Stamped(seq=i, time=1000 + s, namespace=node, event=event, **stamp)
                for i, (s, node, event) in enumerate(ordered)
            ],
            [],
        )


def usual_run(goal: str = "Compare them") -> Trace:
    """Return a run of 20 s: two slots, so that `extra` waits for `search`, and a person who takes 5 s."""
    run = TimedRun(goal).called(1, "supervisor", 0.8).routed(1).called(3, "planner", 2)
    run.at(3, "planner", PlanProposed(plan=PLAN))
    run.worked("search", 3, 5).worked("analyse", 3, 8).worked("extra", 5, 7).worked("write", 8, 11)
    run.called(4, "specialists", 1, "search").used("search_documents", "search", 4, 5)
    run.called(4.5, "specialists", 1.5, "analyse").used("query_tables", "analyse", 4.5, 7.5)
    run.called(14, "critic", 3).asked(14, 19).worked("deliver", 19, 19.5)
    return run.trace(20)
