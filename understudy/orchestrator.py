"""The product's front door: one object that runs goals, answers for them and remembers them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from copy import copy
from types import TracebackType
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from agents.delegation.delegator import Selection
from agents.delegation.standings import Standing
from agents.delegation.teamwork import candidates_for
from domain.approvals import Decision
from domain.events import Stamped
from domain.goals import checked_goal
from domain.routing import RouteDecision
from domain.verdicts import CheckpointVerdict
from graph.bottlenecks import Bottlenecks, bottlenecks
from graph.build import builder
from graph.context import Context
from graph.state import State
from graph.trace import Trace
from memory.constraints import Constraints
from memory.exchange import Imported, exported, imported
from memory.feedback import Received
from memory.friction import FrictionWeek
from memory.lessons import Lessons
from memory.outbox import Refused
from memory.provenance import Provenance
from memory.queued import QueuedRecords
from memory.reindexing import Progress, reindex
from memory.scopes import Entry
from memory.success import Analysis, analysed
from memory.tasks import TaskMemory
from understudy.auditing import WorkspaceAudit
from understudy.checkpoint_desk import CheckpointDesk
from understudy.durable.desk import Desk
from understudy.durable.engine import Engine, Tell, open_engine, queue_url
from understudy.forgetting import Forgotten, forget_task, forget_thread
from understudy.inbox import Inbox
from understudy.notices.table import Kept
from understudy.past import Undone, recent_traces, trace_run, undo_run
from understudy.previews import Preview, previewed
from understudy.pruning import Pruned, Retention, prune
from understudy.results import RunResult
from understudy.rule_desk import WorkspaceRules
from understudy.runs import Runs
from understudy.settings import Settings
from understudy.standing import Status, status_of
from understudy.threads import Pending, ThreadEntry
from understudy.tool_desk import ToolDesk
from understudy.trying import WorkspaceTrials
from understudy.wiring import House


class Orchestrator(Inbox):
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
            ended=self._tidied,
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
    def audit(self) -> WorkspaceAudit:
        """What was decided and done, by whom and why."""
        return WorkspaceAudit(self._house.audit, self._context.workspace, self._context.user)

    @property
    def checkpoints(self) -> CheckpointDesk:
        """The team's checkpoints and those of the workspace."""
        return CheckpointDesk(self._house, self._context)

    @property
    def tools(self) -> ToolDesk:
        """The team's tools: how they stand, what is offered, what is confirmed."""
        return ToolDesk(self._house, self._context)

    @property
    def person(self) -> Provenance:
        """The one who works here, as the author of what is remembered."""
        return Provenance(writer="person", user=self._context.user)

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

    def engine(self, tell: Tell) -> AbstractAsyncContextManager[Engine]:
        """Return what has the runs of all workspaces go on without anybody watching; one at a time in a process.

        Args:
            tell: Is given every event of these runs, and what the engine says of itself.
        """
        house, url = self._house, queue_url(self.settings.home, self.settings.database_url)
        parts = self._runs, house.desk, house.fences, house.workers, house.outbox
        return open_engine(*parts, tell, url=url, concurrency=self.settings.concurrency)

    async def run(self, goal: str, *, thread: str | None = None) -> RunResult:
        """Run a goal and return how far it came."""
        return RunResult.of([stamped async for stamped in self.stream(goal, thread=thread)])

    async def pending(self, thread: str) -> Pending | None:
        """Return the open question of a thread."""
        await self._runs.entry(self._context.workspace, thread)
        return await self._runs.pending(self._context.workspace, thread)

    def _at(self) -> Desk:
        return self._house.desk

    async def events(self, thread: str, *, after: int = 0) -> list[Stamped]:
        """Return the stored events of a thread with a higher seq than `after`."""
        await self._runs.entry(self._context.workspace, thread)
        return await self._runs.events(self._context.workspace, thread, after=after)

    async def trace(self, run: str) -> Trace:
        """Return what happened in a run, by its id or the name of its thread, which means the latest run there.

        Raises:
            UnknownRun: The workspace has no such run.
        """
        return await trace_run(self._house, self._runs, self._context.workspace, run)

    async def bottlenecks(self, *, runs: int = 200) -> Bottlenecks:
        """Return where the time of the workspace's latest runs went, and of the slowest of them.

        Args:
            runs: How many at most, of those that have ended.
        """
        return bottlenecks(await recent_traces(self._house, self._runs, self._context.workspace, runs))

    async def undo(self, run: str, answers: Mapping[str, Decision] | None = None) -> Undone:
        """Take back what a run changed, by its id or the name of its thread; doing it again goes on from there.

        Args:
            run: Which run; one that waits or was interrupted is given up with it.
            answers: What a person found out where the ledger could not tell, by the id of the question.

        Raises:
            UnknownRun: The workspace has no such run.
        """
        return await undo_run(self._house, self._runs, self._context.workspace, run, answers or {})

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

    async def performance(self) -> Analysis:
        """Return how the workspace's latest runs went, by sequence, agent and kind."""
        return analysed(await self.lessons.episodes.recent(self._context.workspace))

    async def standings(self) -> list[Standing]:
        """Return how each agent of the team did at each kind of step in the workspace."""
        playing = await self._house.playing(self._context.team)
        return await playing.delegator.standings(self._context.workspace)

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

    async def forget(self, task: str) -> Forgotten:
        """Forget a task for good, with everything that was learnt from it and the threads that it was done in."""
        return await forget_task(self._house, self._runs, self._context.workspace, task)

    async def forget_thread(self, thread: str) -> Forgotten:
        """Forget a conversation for good, with everything that its runs left and the tasks that were done only there.

        Raises:
            UnknownThread: The workspace has no such thread.
            ThreadBusy: A run is going on in it.
        """
        return await forget_thread(self._house, self._runs, self._context.workspace, thread)

    async def refused(self) -> list[Refused]:
        """Return the writes that the records' server refused for good, oldest first."""
        return await queued.refused() if (queued := self._queued) else []

    async def settle_refused(self, *, again: bool) -> int:
        """Try the refused writes again and return how many are refused again; or give them up, and how many."""
        if (queued := self._queued) is None:
            return 0
        return await (queued.retry_refused() if again else queued.discard_refused())

    @property
    def _queued(self) -> QueuedRecords | None:
        records = self._house.records
        return records if isinstance(records, QueuedRecords) else None

    async def prune(self, keep: Retention, *, trial: bool = False) -> Pruned:
        """Delete what ended conversations need not keep, and give the space back; `trial` only says what would go."""
        return await prune(self._house, self._runs, self._saver, self._context.workspace, keep, trial=trial)

    async def state(self, thread: str | None = None) -> list[Entry]:
        """Return the workspace's working state, or one conversation's, outermost scope first."""
        return await self._house.state.entries(self._context.workspace, thread=thread)

    async def exported(self, *, unredacted: bool = False) -> list[str]:
        """Return the workspace's tasks as JSON lines."""
        lines = await exported(self.memory, self._context.workspace, unredacted=unredacted)
        await self.audit.note_export("tasks", lines)
        return lines

    async def imported(self, lines: Sequence[str]) -> Imported:
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
        return await status_of(self._house, self._runs, self._context)

    async def notices(self, *, limit: int = 100) -> list[Kept]:
        """Return the workspace's notices to people: what waits first, then the latest."""
        return await self._house.outbox.listed(self._context.workspace, limit=limit)

    async def friction(self, *, weeks: int = 4) -> list[FrictionWeek]:
        """Return how often people were bothered, by user and week, the latest first."""
        return await self._house.friction.weeks(self._context.workspace, count=weeks)

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

    async def _tidied(self, entry: ThreadEntry) -> None:
        """Let go of what an ended run needs no more."""
        keep = self.settings.keep_checkpoints
        self._house.state.end(entry.workspace, entry.thread, entry.run)
        await self._saver.trim(entry.key, keep, slack=keep // 4)
