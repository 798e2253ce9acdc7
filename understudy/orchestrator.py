"""The product's front door: one object that runs goals, answers for them and remembers them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel, ConfigDict

from domain.checkpoints import CheckpointVerdict, evaluate
from domain.errors import StorageAway, UserError
from domain.events import ApprovalRequested, RunFinished, Stamped
from domain.goals import checked_goal
from domain.outcomes import Outcome
from domain.routing import RouteDecision
from graph.build import RECURSION_LIMIT, builder
from graph.context import Context
from graph.state import State
from memory.constraints import Constraints
from memory.exchange import exported, imported
from memory.feedback import Received
from memory.lessons import Lessons
from memory.provenance import Provenance
from memory.reindexing import Progress, reindex
from memory.success import Analysis, analysed
from memory.tasks import TaskMemory
from understudy.checkpointing import open_checkpointer
from understudy.forgetting import Forgotten, forget_task
from understudy.runs import BEFORE_WORK, Pending, Runs, ThreadState
from understudy.settings import Settings
from understudy.wiring import House

MAX_SHOWN_THREADS = 20


@dataclass(frozen=True)
class RunResult:
    """How far a run came."""

    thread: str
    outcome: Outcome | None
    """None while the run waits for a person or was stopped."""
    pending: Pending | None
    events: list[Stamped] = field(repr=False)


class OpenThread(BaseModel):
    """A thread that is not at its end."""

    model_config = ConfigDict(extra="forbid")

    thread: str
    goal: str
    state: ThreadState


class Status(BaseModel):
    """How the installation stands."""

    model_config = ConfigDict(extra="forbid")

    home: str
    workspace: str
    team: str
    mode: str
    """The model that leads, or `rules`."""
    encoder: str
    tasks: int | None
    """Remembered tasks of the workspace; None while the records are away, with the threads."""
    open_threads: list[OpenThread]
    degraded: list[str]
    """What does not work as configured, in words."""


class UnknownCheckpoint(UserError):
    """The team has no checkpoint of this name."""

    code = "unknown_checkpoint"


class Orchestrator:
    """Runs goals of one workspace; an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._house = House(settings)
        self._stack = AsyncExitStack()
        self._context = Context(
            workspace=settings.workspace,
            user=settings.user,
            team=settings.team,
            data=str(settings.data) if settings.data else None,
            out=str(settings.out) if settings.out else None,
        )

    async def __aenter__(self) -> "Orchestrator":
        """Open the data folder and the graph's checkpoints."""
        try:
            await self._stack.enter_async_context(self._house)
            saver: BaseCheckpointSaver[Any] = await self._stack.enter_async_context(
                open_checkpointer(self.settings.home / "checkpoints.sqlite")
            )
            await self._house.services_for(self._context)
        except BaseException:
            await self._stack.aclose()
            raise
        graph = builder(self._house.services_for)
        self._unsaved: CompiledStateGraph[State, Context, Any, Any] = graph.compile(name="understudy")
        self._runs = Runs(
            graph.compile(checkpointer=saver, name="understudy"),
            self._house.records,
            self._house.journal,
            self._house.clock,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything; what is unfinished can be resumed later."""
        await self._stack.aclose()

    @property
    def memory(self) -> TaskMemory:
        """What is remembered of finished tasks."""
        return self._house.memory

    @property
    def lessons(self) -> Lessons:
        """What is remembered beside the tasks: episodes, recipes, critiques, profiles, feedback."""
        return self._house.lessons

    @property
    def constraints(self) -> Constraints:
        """The hard rules."""
        return self._house.constraints

    @property
    def person(self) -> Provenance:
        """The one who works here, as the author of what is remembered."""
        return Provenance(writer="person", user=self._context.user)

    def stream(self, goal: str, *, thread: str | None = None, plan_only: bool = False) -> AsyncIterator[Stamped]:
        """Run a goal and yield its events until it ends, waits for a person or is stopped.

        Args:
            goal: What should be done; or, while the thread has an open question, a typed answer to it.
            thread: An existing conversation to go on with, or a name for a new one.
            plan_only: Stop before anything of the plan is done; `resume` carries it out.

        Raises:
            InvalidGoal: The goal is empty, too long or not text.
        """
        return self._runs.start(goal, self._context, thread=thread, plan_only=plan_only)

    def resume(self, thread: str, answer: Any | None = None, *, interrupt: str | None = None) -> AsyncIterator[Stamped]:
        """Answer the open question of a thread, or carry an interrupted run on, and yield its events.

        Args:
            thread: The conversation.
            answer: Decisions in any client's form (`domain.approvals.decode`); None asks the open question again.
            interrupt: Id of the question that is meant; a stale one is refused.

        Raises:
            UnknownThread: The workspace has no such thread.
            InvalidDecision: The answer does not fit; the question stays open.
            NothingPending: The question is not open.
        """
        return self._runs.resume(self._context.workspace, thread, answer, interrupt=interrupt)

    async def run(self, goal: str, *, thread: str | None = None) -> RunResult:
        """Run a goal and return how far it came."""
        events = [stamped async for stamped in self.stream(goal, thread=thread)]
        last = events[-1]
        outcome = last.event.outcome if isinstance(last.event, RunFinished) else None
        asked = last.event if isinstance(last.event, ApprovalRequested) else None
        pending = Pending(interrupt=asked.interrupt, requests=asked.requests) if asked else None
        return RunResult(thread=last.thread, outcome=outcome, pending=pending, events=events)

    async def pending(self, thread: str) -> Pending | None:
        """Return the open question of a thread."""
        await self._runs.entry(self._context.workspace, thread)
        return await self._runs.pending(self._context.workspace, thread)

    async def trace(self, thread: str, *, after: int = 0) -> list[Stamped]:
        """Return the stored events of a thread with a higher seq than `after`."""
        await self._runs.entry(self._context.workspace, thread)
        return await self._runs.events(self._context.workspace, thread, after=after)

    async def route(self, goal: str) -> RouteDecision:
        """Return which way a goal would go, with the sequence of agents; nothing is executed or remembered."""
        values = await self._unsaved.ainvoke(
            {"messages": [("user", checked_goal(goal))]},
            {"recursion_limit": RECURSION_LIMIT},
            context=self._context,
            interrupt_before=list(BEFORE_WORK),
            output_keys=["decision", "plan"],
        )
        decision = RouteDecision.model_validate(values["decision"])
        planned = [step["agent"] for step in (values.get("plan") or {}).get("steps", [])]
        merged = [agent for i, agent in enumerate(planned) if i == 0 or planned[i - 1] != agent]
        return decision.model_copy(update={"sequence": decision.sequence or merged})

    async def evaluate_checkpoint(self, name: str, data: Mapping[str, Any]) -> CheckpointVerdict:
        """Return what the team's checkpoint says about measured values (`quality`, `confidence`, `success_rate`)."""
        team = await self._house.team(self.settings.team)
        for checkpoint in team.checkpoints:
            if checkpoint.name == name:
                return evaluate(checkpoint, data, user=self._context.user)
        known = ", ".join(c.name for c in team.checkpoints) or "none"
        msg = f"team {team.name!r} has no checkpoint {name!r}; it has {known}"
        raise UnknownCheckpoint(msg)

    async def feedback(self, run: str, *, rating: int | None = None, correction: str = "") -> Received:
        """Take a person's judgement of a run, by its id or the name of its thread; the next route heeds it.

        Raises:
            UnknownRun: The workspace remembers no such run.
            InvalidFeedback: There is neither a rating from 1 to 5 nor a correction.
        """
        return await self.lessons.feedback.give(
            self._context.workspace, run, self.person, rating=rating, correction=correction
        )

    async def performance(self) -> Analysis:
        """Return how the workspace's latest runs went, by sequence, agent and kind."""
        return analysed(await self.lessons.episodes.recent(self._context.workspace))

    async def forget(self, task: str) -> Forgotten:
        """Forget a task for good, with everything that was learnt from it and the threads that it was done in."""
        return await forget_task(self._house, self._runs, self._context.workspace, task)

    async def exported(self) -> list[str]:
        """Return the workspace's tasks as JSON lines."""
        return await exported(self.memory, self._context.workspace)

    async def imported(self, lines: Sequence[str]) -> int:
        """Add exported tasks to the workspace, marked as imported, and return how many were new.

        Raises:
            InvalidImport: A line cannot be read; nothing was taken in.
        """
        return await imported(self.memory, self._context.workspace, lines)

    async def reindex(self, progress: Progress) -> int:
        """Build the workspace's index anew from its records and return how many tasks it holds."""
        house = self._house
        return await reindex(house.records, house.memory, house.index, self._context.workspace, progress)

    async def status(self) -> Status:
        """Return how the installation stands."""
        workspace = self._context.workspace
        services = await self._house.services_for(self._context)
        try:
            tasks = await self.memory.count(workspace)
            threads = [e for e in await self._runs.entries(workspace) if e.state != "ended"]
        except StorageAway:
            tasks, threads = None, []
        shown = threads[:MAX_SHOWN_THREADS]
        rules = "no model is configured: the rule-based twins play all roles (set OPENAI_API_KEY)"
        return Status(
            home=str(self.settings.home),
            workspace=workspace,
            team=services.team.name,
            mode=services.cast.mode,
            encoder=self._house.encoder.id,
            tasks=tasks,
            open_threads=[OpenThread(thread=e.thread, goal=e.goal, state=e.state) for e in shown],
            degraded=([rules] if services.cast.mode == "rules" else []) + await self._house.degraded(),
        )

    def request_stop(self) -> None:
        """Stop at the next safe point; the stream ends with `run_stopped` and the run can be resumed."""
        self._runs.request_stop("stopped on request")
