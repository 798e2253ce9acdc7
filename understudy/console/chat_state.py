"""A conversation as its events tell it: turns, their steps, what is written at the moment. Pure."""

from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Any, Literal

from domain.events import (
    AgentSelected,
    AnswerNoted,
    ApprovalDecided,
    ApprovalRequested,
    DraftComposed,
    DraftCriticised,
    Explained,
    PlanCriticised,
    PlanProposed,
    RecoveryChosen,
    RoleDegraded,
    RouteDecided,
    RuleProposed,
    RunFinished,
    RunStarted,
    RunStopped,
    Stamped,
    StepFinished,
    StepHeld,
    StepStarted,
    TextStreamed,
    ToolCalled,
    ToolReturned,
    Whispered,
)
from domain.outcomes import Outcome, StepResult
from domain.plans import Plan
from domain.routing import RouteDecision

Part = Literal["head", "why", "plan", "steps", "critique", "writing", "ask", "answer", "notes"]
"""Pieces of a turn that change by themselves."""
TurnState = Literal["running", "waiting", "stopped", "ended"]
StepState = Literal["planned", "running", "held", "done", "failed", "skipped", "undone"]
MAX_WRITING = 20_000
"""Characters that are shown of a text while it is written; the latest."""


@dataclass
class ToolUse:
    """One call of a tool."""

    tool: str
    args: dict[str, Any]
    seconds: float | None = None
    summary: str = ""
    failure: str = ""


@dataclass
class StepView:
    """One step as far as it has come."""

    id: str
    agent: str
    task: str
    state: StepState = "planned"
    attempt: int = 1
    tools: list[ToolUse] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    result: StepResult | None = None
    writing: str = ""


@dataclass
class Round:
    """One judgement of a draft."""

    number: int
    score: float
    threshold: float
    aspects: dict[str, float]
    issues: list[str]
    stopped: str


@dataclass
class Turn:
    """One goal and what came of it."""

    run: str
    goal: str
    mode: str = ""
    state: TurnState = "running"
    why: str = ""
    """Why it was stopped."""
    decision: RouteDecision | None = None
    plan: Plan | None = None
    alternatives: int = 0
    problems: list[str] = field(default_factory=list)
    steps: dict[str, StepView] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    draft: str = ""
    writing: str = ""
    asked: ApprovalRequested | None = None
    notes: list[str] = field(default_factory=list)
    outcome: Outcome | None = None
    changed: set[Part] = field(default_factory=set)
    """What is to be drawn anew."""
    changed_steps: set[str] = field(default_factory=set)

    def step(self, name: str, agent: str = "", task: str = "") -> StepView:
        """Return a step, also one that no plan has told of."""
        if name not in self.steps:
            self.steps[name] = StepView(name, agent, task)
            self.changed.add("steps")
        self.changed_steps.add(name)
        return self.steps[name]

    def go_on(self) -> None:
        """Note that it is not stopped and does not wait any more."""
        if self.outcome is None and (self.state != "running" or self.asked is not None):
            self.state, self.asked, self.why = "running", None, ""
            self.changed |= {"head", "ask"}


class Conversation:
    """The turns of a thread."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.last = 0
        """Number of the last event that was taken in."""

    @property
    def latest(self) -> Turn | None:
        """The turn at the end."""
        return self.turns[-1] if self.turns else None

    def take(self, told: Stamped | Whispered) -> Turn | None:
        """Take in what was told, and return the turn that it is about; what was seen before changes nothing."""
        if isinstance(told, Stamped):
            if told.seq <= self.last:
                return None
            self.last = told.seq
        turn = self._turn(told)
        if turn is not None:
            self._heard(told.event, turn)
        return turn

    def _turn(self, told: Stamped | Whispered) -> Turn | None:
        for turn in reversed(self.turns):
            if turn.run == told.run:
                return turn
        if isinstance(told, Whispered):
            return None
        goal = told.event.goal if isinstance(told.event, RunStarted) else ""
        self.turns.append(Turn(told.run, goal))
        return self.turns[-1]

    @singledispatchmethod
    def _heard(self, event: Any, turn: Turn) -> None:
        """Take in an event that changes nothing here."""

    @_heard.register
    def _(self, event: RunStarted, turn: Turn) -> None:
        turn.goal, turn.mode, turn.state = event.goal, event.mode, "running"
        turn.changed.add("head")

    @_heard.register
    def _(self, event: RouteDecided, turn: Turn) -> None:
        turn.decision = event.decision
        turn.changed |= {"head", "why"}

    @_heard.register
    def _(self, event: PlanProposed, turn: Turn) -> None:
        turn.plan, turn.alternatives, turn.problems = event.plan, len(event.alternatives), []
        kept = {name: step for name, step in turn.steps.items() if step.state not in ("planned", "held")}
        planned = {s.id: StepView(s.id, s.agent, s.task) for s in event.plan.steps if not s.joins}
        turn.steps = kept | {name: kept.get(name, step) for name, step in planned.items()}
        turn.changed |= {"plan", "steps"}

    @_heard.register
    def _(self, event: PlanCriticised, turn: Turn) -> None:
        turn.problems = [problem.message for problem in event.problems]
        turn.changed.add("plan")

    @_heard.register
    def _(self, event: AgentSelected, turn: Turn) -> None:
        turn.step(event.step, event.agent).agent = event.agent

    @_heard.register
    def _(self, event: StepStarted, turn: Turn) -> None:
        step = turn.step(event.step, event.agent, event.task)
        step.agent, step.task, step.attempt, step.state, step.writing = (
            event.agent, event.task, event.attempt, "running", "",
        )  # fmt: skip
        turn.go_on()
        turn.changed.add("plan")

    @_heard.register
    def _(self, event: StepFinished, turn: Turn) -> None:
        step = turn.step(event.result.step, event.result.agent)
        step.result, step.writing = event.result, ""
        step.agent, step.state = event.result.agent, event.result.status
        turn.changed.add("plan")

    @_heard.register
    def _(self, event: StepHeld, turn: Turn) -> None:
        turn.step(event.request.id).state = "held"
        turn.changed.add("plan")

    @_heard.register
    def _(self, event: ToolCalled, turn: Turn) -> None:
        turn.step(event.step).tools.append(ToolUse(event.tool, event.args))

    @_heard.register
    def _(self, event: ToolReturned, turn: Turn) -> None:
        for use in reversed(turn.step(event.step).tools):
            if use.tool == event.tool and use.seconds is None:
                use.seconds, use.summary = event.seconds, event.summary
                use.failure = event.failure.message if event.failure else ""
                return

    @_heard.register
    def _(self, event: RecoveryChosen, turn: Turn) -> None:
        words = f"{event.rung.replace('_', ' ')}: {event.why}"
        if event.step is not None:
            turn.step(event.step).notes.append(words)
        else:
            self._note(turn, words)

    @_heard.register
    def _(self, event: RoleDegraded, turn: Turn) -> None:
        self._note(turn, f"{event.role} plays by rules: {event.reason}")

    @_heard.register
    def _(self, event: RuleProposed, turn: Turn) -> None:
        self._note(turn, f"A standing rule is offered: {event.words} ({event.evidence}). See Memory, Rules.")

    @_heard.register
    def _(self, event: Explained, turn: Turn) -> None:
        self._note(turn, f"{event.question}\n{event.answer}")

    @_heard.register
    def _(self, event: DraftComposed, turn: Turn) -> None:
        turn.draft, turn.writing = event.text, ""
        turn.go_on()
        turn.changed.add("writing")

    @_heard.register
    def _(self, event: DraftCriticised, turn: Turn) -> None:
        told = event.critique
        turn.rounds.append(
            Round(event.iteration, told.score, event.threshold, told.aspects, told.issues, event.stopped or "")
        )
        turn.changed.add("critique")

    @_heard.register
    def _(self, event: ApprovalRequested, turn: Turn) -> None:
        turn.asked, turn.state = event, "waiting"
        turn.changed |= {"head", "ask"}

    @_heard.register
    def _(self, event: AnswerNoted, turn: Turn) -> None:
        self._note(turn, f"{event.by} answered; still wanted: {event.wants}")
        turn.changed.add("ask")

    @_heard.register
    def _(self, event: ApprovalDecided, turn: Turn) -> None:
        by = f" by {event.decision.by}" if event.decision.by else ""
        said = f": {event.decision.message}" if event.decision.message else ""
        self._note(turn, f"{event.request}: {_PAST[event.decision.type]}{by}{said}")
        turn.go_on()

    @_heard.register
    def _(self, event: RunStopped, turn: Turn) -> None:
        turn.state, turn.why = "stopped", event.reason
        turn.changed |= {"head", "ask"}

    @_heard.register
    def _(self, event: RunFinished, turn: Turn) -> None:
        turn.outcome, turn.state, turn.asked, turn.writing = event.outcome, "ended", None, ""
        turn.changed |= {"head", "ask", "answer", "writing", "plan"}

    @_heard.register
    def _(self, event: TextStreamed, turn: Turn) -> None:
        if event.step is not None:
            step = turn.step(event.step)
            step.writing = _written(step.writing, event)
        else:
            turn.writing = _written(turn.writing, event)
            turn.changed.add("writing")

    def _note(self, turn: Turn, words: str) -> None:
        turn.notes.append(words)
        turn.changed.add("notes")


_PAST = {"approve": "approved", "edit": "approved with changes", "reject": "rejected", "respond": "answered"}


def _written(before: str, event: TextStreamed) -> str:
    return (event.text if event.first else before + event.text)[-MAX_WRITING:]
