"""The product's front door: one object that runs goals, answers for them and remembers them."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from copy import copy
from functools import partial
from types import TracebackType
from typing import Any

from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StateSnapshot

from agents.delegation.delegator import Selection
from agents.delegation.teamwork import candidates_for
from domain.approvals import Decision
from domain.events import Explained, Stamped, Whispered
from domain.goals import checked_goal
from domain.routing import RouteDecision
from domain.verdicts import CheckpointVerdict
from graph.build import builder
from graph.context import Context
from graph.state import State
from graph.trace import Trace
from memory.feedback import Received
from memory.scopes import Entry
from understudy.bus import thread_topic
from understudy.checkpoint_desk import CheckpointDesk
from understudy.conversations import Conversations
from understudy.durable.desk import Desk
from understudy.durable.engine import Around, Engine, Tell, open_engine, queue_url
from understudy.explaining import explained
from understudy.following import followed
from understudy.inbox import Inbox
from understudy.judging import Judging
from understudy.notices.table import Kept
from understudy.past import Undone, trace_run, undo_run
from understudy.previews import Preview, previewed
from understudy.pruning import Pruned, Retention, prune
from understudy.remembered import Remembered
from understudy.results import RunResult
from understudy.rule_desk import WorkspaceRules
from understudy.runs import Runs
from understudy.settings import Settings
from understudy.standing import Status, status_of
from understudy.steering import Steering, heeding
from understudy.threads import Pending, ThreadEntry
from understudy.tool_desk import ToolDesk
from understudy.trying import WorkspaceTrials
from understudy.wiring import House


class Orchestrator(Inbox, Remembered, Conversations, Judging):
    """Runs goals of one workspace; an async context manager."""

    def __init__(self, settings: Settings, *, house: House | None = None) -> None:
        """Set up what is opened later.

        Args:
            settings: What is configured.
            house: Opens the data folder and says what runs work with; None takes what the settings name.
        """
        self.settings = settings
        self._house = house or House(settings)
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
            self._saver = saver = await self._stack.enter_async_context(self._house.checkpointer())
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
            fences=self._house.fences,
            desk=self._house.desk,
            bus=self._house.bus,
            ended=self._tidied,
            explain=self._explained,
        )
        await self._stack.enter_async_context(heeding(self._house.bus, self._runs))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything; what is unfinished can be resumed later."""
        await self._stack.aclose()

    @property
    def checkpoints(self) -> CheckpointDesk:
        """The team's checkpoints and those of the workspace."""
        return CheckpointDesk(self._house, self._context)

    @property
    def tools(self) -> ToolDesk:
        """The team's tools: how they stand, what is offered, what is confirmed."""
        return ToolDesk(self._house, self._context)

    def within(self, context: Context) -> "Orchestrator":
        """Return the same house for somebody else, or in other folders; it closes with this one."""
        other = copy(self)
        other._context = context
        other.settings = self.settings.model_copy(update={"workspace": context.workspace, "user": context.user})
        return other

    def stream(
        self, goal: str, *, thread: str | None = None, plan_only: bool = False, run: str | None = None
    ) -> AsyncIterator[Stamped]:
        """Run a goal and yield its events until it ends, waits for a person or is stopped.

        Args:
            goal: What should be done; or, while the thread has an open question, a typed answer to it.
            thread: An existing conversation to go on with, or a name for a new one.
            plan_only: Stop before anything of the plan is done; `resume` carries it out.
            run: Id of the run, so that starting it twice starts it once; None draws one.

        Raises:
            InvalidGoal: The goal is empty, too long or not text.
        """
        return self._runs.start(goal, self._context, thread=thread, plan_only=plan_only, run=run)

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
        user = self._context.user
        return self._runs.resume(self._context.workspace, thread, answer, interrupt=interrupt, by=user)

    def engine(self, tell: Tell, around: Around = nullcontext) -> AbstractAsyncContextManager[Engine]:
        """Return what has the runs of all workspaces go on without anybody watching; one at a time in a process.

        Args:
            tell: Is given every event of these runs, and what the engine says of itself.
            around: Stands around the carrying out of each order.
        """
        house, url = self._house, queue_url(self.settings.home, self.settings.database_url)
        parts = self._runs, house.desk, house.fences, house.workers, house.outbox
        return open_engine(*parts, tell, url=url, concurrency=self.settings.concurrency, bus=house.bus, around=around)

    async def run(self, goal: str, *, thread: str | None = None) -> RunResult:
        """Run a goal and return how far it came."""
        return RunResult.of([stamped async for stamped in self.stream(goal, thread=thread)])

    async def pending(self, thread: str) -> Pending | None:
        """Return the open question of a thread."""
        await self._runs.entry(self._context.workspace, thread)
        return await self._runs.pending(self._context.workspace, thread)

    def _at(self) -> Desk:
        return self._house.desk

    async def events(self, thread: str, *, after: int = 0, limit: int | None = None) -> list[Stamped]:
        """Return the stored events of a thread with a higher seq than `after`, all or the first so many of them."""
        await self._runs.entry(self._context.workspace, thread)
        return await self._runs.events(self._context.workspace, thread, after=after, limit=limit)

    async def last_event(self, thread: str) -> int:
        """Return the number of a thread's last event; 0 for an unknown thread."""
        return await self._house.journal.last(self._context.workspace, thread)

    async def threads(self) -> list[ThreadEntry]:
        """Return the workspace's conversations, the last touched first."""
        return await self._runs.entries(self._context.workspace)

    async def snapshot(self, thread: str) -> StateSnapshot:
        """Return where a thread stands in the graph.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        await self._runs.entry(self._context.workspace, thread)
        return await self._runs.snapshot(self._context.workspace, thread)

    async def history(self, thread: str, *, limit: int = 20) -> list[StateSnapshot]:
        """Return where a thread stood in the graph, the latest first.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        await self._runs.entry(self._context.workspace, thread)
        return await self._runs.history(self._context.workspace, thread, limit=limit)

    @property
    def context(self) -> Context:
        """Who works here, and where."""
        return self._context

    @property
    def steering(self) -> Steering:
        """What can be done with runs without advancing them here."""
        house, context = self._house, self._context
        return Steering(
            self._runs,
            house.records,
            house.desk,
            house.fences,
            house.bus,
            workspace=context.workspace,
            user=context.user,
        )

    async def follow(self, thread: str, *, after: int = 0) -> AsyncGenerator[Stamped | Whispered]:
        """Yield what happens in a thread, on whatever node: what is stored, then what comes, for as long as it is read.

        A reader who is slow holds nobody up: it reads the log at its own pace, and misses only what is whispered.

        Args:
            thread: The conversation, or a name that one may get.
            after: Number of the last event that was seen.
        """
        workspace = self._context.workspace
        read = partial(self._runs.events, workspace, thread)
        async with self._house.bus.listen(thread_topic(workspace, thread)) as listener:
            async for told in followed(read, listener, after=after):
                yield told

    async def trace(self, run: str) -> Trace:
        """Return what happened in a run, by its id or the name of its thread, which means the latest run there.

        Raises:
            UnknownRun: The workspace has no such run.
        """
        return await trace_run(self._house, self._runs, self._context.workspace, run)

    async def undo(self, run: str, answers: Mapping[str, Decision] | None = None) -> Undone:
        """Take back what a run changed, by its id or the name of its thread; doing it again goes on from there.

        Args:
            run: Which run; one that waits or was interrupted is given up with it.
            answers: What a person found out where the ledger could not tell, by the id of the question.

        Raises:
            UnknownRun: The workspace has no such run.
        """
        context = self._context
        return await undo_run(self._house, self._runs, context.workspace, run, answers or {}, by=context.user)

    async def route(self, goal: str) -> RouteDecision:
        """Return which way a goal would go, with the sequence of agents; nothing is executed or remembered."""
        return (await self.plan(goal)).route

    async def plan(self, goal: str) -> Preview:
        """Return the plan that a goal would get, with what would do its steps and what else was weighed."""
        services = await self._house.services_for(self._context)
        return await previewed(self._unsaved, services, self._context, checked_goal(goal))

    async def evaluate_checkpoint(self, name: str, data: Mapping[str, Any]) -> CheckpointVerdict:
        """Return what a checkpoint of the team or the workspace says about values by `domain.measures.MeasureName`.

        Raises:
            UnknownCheckpoint: Neither has one of this name.
        """
        return await self.checkpoints.evaluate(name, data)

    async def feedback(self, run: str, *, rating: int | None = None, correction: str = "") -> Received:
        """Take a person's judgement of a run, by its id or the name of its thread; the next route heeds it.

        Raises:
            UnknownRun: The workspace remembers no such run.
            InvalidFeedback: There is neither a rating from 1 to 5 nor a correction.
        """
        received = await self.lessons.feedback.give(
            self._context.workspace, run, self.person, rating=rating, correction=correction
        )
        if not received.feedback.accepted:
            episode = await self.lessons.episodes.of_run(self._context.workspace, received.feedback.run)
            if episode is not None:
                await (await self.rules()).complain(episode.run, episode.provenance.user)
        return received

    async def rules(self) -> WorkspaceRules:
        """Return the standing rules and trust tiers: what may be done without asking."""
        house, workspace = self._house, self._context.workspace
        bounds = (await house.team(self._context.team)).autonomy
        return WorkspaceRules(house.autonomy, house.effects, workspace, self.person, bounds, house.clock)

    async def select_agent(self, task_type: str, workspace: str, fallback: str, goal: str | None = None) -> Selection:
        """Choose who of the team should do a task, from what came of earlier ones; nothing is executed.

        The choice is among the fallback, its alternatives, and those who declare the type as a capability.

        Args:
            task_type: A kind of step as `standings` names it, a kind of query, or a capability.
            workspace: Whose experience counts.
            fallback: Who does it where nothing was seen yet.
            goal: The task's text.

        Raises:
            UnknownAgent: The team has no agent of the fallback's name.
            InvalidWorkspace: The workspace's name is not usable.
        """
        playing = await self._house.playing(self._context.team)
        candidates = candidates_for(playing.team, task_type, fallback)
        return await playing.delegator.select(task_type, workspace, candidates=candidates, fallback=fallback, goal=goal)

    async def trials(self) -> WorkspaceTrials:
        """Return the workspace's trials: two agents or sequences of the team that share its runs."""
        house, team = self._house, await self._house.team(self._context.team)
        return WorkspaceTrials(house.trials, house.memory, team, self._context.workspace)

    async def prune(self, keep: Retention, *, trial: bool = False) -> Pruned:
        """Delete what ended conversations need not keep, and give the space back; `trial` only says what would go."""
        return await prune(self._house, self._runs, self._saver, self._context.workspace, keep, trial=trial)

    async def state(self, thread: str | None = None) -> list[Entry]:
        """Return the workspace's working state, or one conversation's, outermost scope first."""
        return await self._house.state.entries(self._context.workspace, thread=thread)

    async def status(self) -> Status:
        """Return how the installation stands."""
        return await status_of(self._house, self._runs, self._context)

    async def notices(self, *, limit: int = 100) -> list[Kept]:
        """Return the workspace's notices to people: what waits first, then the latest."""
        return await self._house.outbox.listed(self._context.workspace, limit=limit)

    def request_stop(self, *, grace: float | None = None) -> None:
        """Stop at the next safe point; the stream ends with `run_stopped` and the run can be resumed.

        Args:
            grace: Seconds after which what is still going on is cut short; None waits for it.
        """
        self._runs.request_stop("stopped on request", grace=grace)

    async def cancel(self, thread: str, *, grace: float | None = None) -> bool:
        """Stop the run of one thread at its next safe point, and return whether one was going on; it can be resumed.

        Args:
            thread: The conversation.
            grace: Seconds after which what is still going on is cut short; None waits for it.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        await self._runs.entry(self._context.workspace, thread)
        return self._runs.cancel(self._context.workspace, thread, "cancelled", grace=grace)

    async def _explained(self, entry: ThreadEntry, question: str) -> Explained:
        return await explained(self._house, self._runs, entry, question)

    async def _tidied(self, entry: ThreadEntry) -> None:
        """Let go of what an ended run needs no more."""
        keep = self.settings.keep_checkpoints
        self._house.state.end(entry.workspace, entry.thread, entry.run)
        await self._saver.trim(entry.key, keep, slack=keep // 4)
