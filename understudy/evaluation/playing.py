"""Plays recorded tasks with the product itself, each in a workspace of its own.

One house stays open for all tasks that want the same settings, so that a play costs what its runs cost. A live play
asks real models and tools, in a house that is opened for it alone.
"""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from agents.models import Provider
from agents.providers import OpenAIProvider
from agents.tools.tables import Tables
from domain.errors import UnderstudyError
from domain.events import ApprovalRequested, ModelCalled, RunFinished, Stamped
from domain.mistakes import mistakes_in
from evals.playing import Played, PlayMode, Version
from evals.recording.replay import Mode, Replay, ReplayMiss
from evals.recording.task import InvalidRecording, RecordedAnswer, RecordedTask, Turn
from evals.recording.tools import ToolReplay
from evals.scoring.evidence import Evidence
from evals.suites.state_file import WORLD
from graph.context import Context
from memory.encoders import Encoder, encoder
from understudy.configured_models import model_settings
from understudy.evaluation.before import put_before
from understudy.evaluation.clock import TaskClock
from understudy.evaluation.house import GivenSettings, PlayHouse, setting_names
from understudy.evaluation.provider import ReplayProvider
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings, load_settings

RECORDED_MODEL = "openai:recorded"
"""Leads where a recording does not say which model it was."""
NO_MODEL = "rules"
"""What a recording says that was made without a model."""
_RUNS = uuid.UUID("5f0f6c0e-6d0b-4f6e-9a51-0a9c3f2e7a10")
"""Namespace of the ids of played runs, which are the same in every play."""


class Stage(NamedTuple):
    """An open house, and what its tasks are played with."""

    orchestrator: Orchestrator
    house: PlayHouse
    clock: TaskClock
    replay: ReplayProvider | None
    """None where real models are asked."""


class TaskPlayer:
    """Implements `evals.playing.Player`."""

    def __init__(self, version: Version, loaded: Encoder, folder: Path, stack: AsyncExitStack) -> None:
        self._version, self._loaded, self._folder, self._stack = version, loaded, folder, stack
        self._stages: dict[str, Stage] = {}
        self._tables: dict[Path, Tables] = {}
        self._count = 0

    async def play(self, task: RecordedTask, mode: PlayMode) -> Played:
        """Play a task from its first turn; what goes wrong in it is told in the result."""
        if mode == "live":
            async with self.live(task) as performance:
                await performance.played()
                return performance.result()
        performance = await self._rehearsed(task, mode)
        await performance.played()
        return performance.result()

    @asynccontextmanager
    async def live(self, task: RecordedTask) -> "AsyncIterator[Performance]":
        """Open a house of its own for a task, with real models and tools; nothing is played yet."""
        real, self._count = load_settings(), self._count + 1
        clock = TaskClock()
        waits = real.model_dump(include={"model_timeout", "model_retries"})
        given = {"openai_api_key": real.openai_api_key, "model": real.leading_model, "keep_calls": True} | waits
        settings = self._settings(task, self._folder / f"live-{self._count}", given)
        provider = OpenAIProvider(model_settings(real))
        with _world(task, self._folder):
            async with _stage(settings, self._loaded, provider, clock) as stage:
                yield await self._performance(task, stage, None)

    async def _rehearsed(self, task: RecordedTask, mode: PlayMode) -> "Performance":
        """Return a play that is answered from the recording."""
        model = task.task.versions.get("model", RECORDED_MODEL)
        given = {"model": None if model == NO_MODEL else model, "keep_calls": False}
        settings = self._settings(task, self._folder, given)
        key = settings.model_dump_json()
        if key not in self._stages:
            provider, home = ReplayProvider(), self._folder / f"home-{len(self._stages)}"
            stage = await self._stack.enter_async_context(
                _stage(settings.model_copy(update={"home": home}), self._loaded, provider, TaskClock())
            )
            self._stages[key] = stage._replace(replay=provider)
        stage = self._stages[key]
        assert stage.replay is not None
        held: Mode = "tolerant" if mode == "tolerant" else "strict"
        stage.replay.replay = replay = Replay(task.calls, held)
        stage.house.tool_replay = ToolReplay(task.tools, held)
        return await self._performance(task, stage, replay)

    async def _performance(self, task: RecordedTask, stage: Stage, replay: Replay | None) -> "Performance":
        self._count += 1
        out = self._folder / "out"
        await asyncio.to_thread(_emptied, out)
        context = Context(
            workspace=f"{task.name[:40]}-{self._count}",
            user=task.task.user,
            team=self._version.team or _team(task),
            data=str(task.data) if task.data else None,
            out=str(out) if task.task.out else None,
        )
        return Performance(task, stage, context, replay, self._tables_in(task.data))

    def _tables_in(self, folder: Path | None) -> Tables | None:
        """Return the tables that tasks are scored on, loaded once for all that share a folder."""
        if folder is None:
            return None
        if folder not in self._tables:
            self._tables[folder] = Tables(folder)
            self._stack.callback(self._tables[folder].close)
        return self._tables[folder]

    def _settings(self, task: RecordedTask, home: Path, given: dict[str, Any]) -> Settings:
        if unfit := sorted(set(task.task.settings) - {*setting_names(), "openai_base_url"}):
            msg = f"task.json: {', '.join(unfit)}: no settings that a task has, only those of a machine or a person"
            raise InvalidRecording(msg)
        changed: dict[str, Any] = task.task.settings | self._version.settings
        if self._version.prompts:
            changed["prompts"] = self._version.prompts
        if self._version.model:
            changed["model"] = self._version.model
        whole: dict[str, Any] = {"home": home, "retry_pause": 0.0} | given | changed
        try:
            return GivenSettings(**whole)
        except ValidationError as error:
            raise InvalidRecording(f"task.json: settings: {mistakes_in(error)}") from error


@dataclass
class Performance:
    """One play of one task."""

    task: RecordedTask
    stage: Stage
    context: Context
    replay: Replay | None
    tables: Tables | None = None
    turns: list[Evidence] = field(default_factory=list)
    model_seconds: list[float] = field(default_factory=list)
    answers: list[RecordedAnswer] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    error: str = ""

    async def played(self) -> None:
        """Play every turn, as long as nothing goes wrong."""
        started = self.task.task.started
        self.stage.clock.set(started)
        try:
            before = self.task.before
            if self.replay is None:  # what tools are called is said by their sources, which are there
                before = before.model_copy(update={"tools": []})
            await put_before(self.stage.house, self.context.workspace, before, started)
            for number, turn in enumerate(self.task.task.turns, 1):
                await self._turn(turn, number)
        except (UnderstudyError, ReplayMiss) as error:
            self.error = f"turn {len(self.turns) + 1}: {error}"
        finally:
            for thread in self.threads:  # a question that is left open must not fire in another task's time
                await self.stage.house.desk.withdraw(self.context.workspace, thread, "its task is over")

    def result(self) -> Played:
        """Return what the play left behind."""
        tools = self.stage.house.tool_replay
        replays = [each for each in (self.replay, tools) if each is not None] if self.replay else []
        recorded = list(self.task.answers[: len(self.answers)])
        return Played(
            turns=self.turns,
            drifts=[drift for replay in replays for drift in replay.drifts],
            unused=[call for replay in replays for call in replay.unused] if not self.error else [],
            model_seconds=self.model_seconds,
            changed_output=bool(recorded) and recorded != self.answers,
            error=self.error,
        )

    async def _turn(self, turn: Turn, number: int) -> None:
        events: list[Stamped] = []
        self.stage.house.forgive()
        before = self.replay.seconds if self.replay else 0.0
        async with aclosing(await self._stream(turn, number)) as stream:
            async for stamped in stream:
                events.append(stamped)
        run = events[-1].run
        trace = await self._orchestrator.trace(run)
        self.turns.append(Evidence(events, trace, self.task.data, self.tables, _path(self.context.out)))
        measured = sum(s.event.seconds for s in events if isinstance(s.event, ModelCalled))
        self.model_seconds.append(self.replay.seconds - before if self.replay else measured)
        self.answers.append(answer_of(events))

    async def _stream(self, turn: Turn, number: int) -> Any:
        """Return the events of what the person does."""
        orchestrator = self._orchestrator
        if turn.say is not None:
            if turn.anew or not self.threads:
                self.threads.append(f"talk-{len(self.threads) + 1}")
            run = str(uuid.uuid5(_RUNS, f"{self.context.workspace.rpartition('-')[0]}/{number}"))
            return orchestrator.stream(turn.say, thread=self.threads[-1], run=run)
        if not self.threads:
            msg = "the first thing that a person does is to say something"
            raise UnderstudyError(msg)
        if turn.wait is not None:
            self.stage.clock.advance(turn.wait)
            await self.stage.house.desk.settle_all()
            return orchestrator.resume(self.threads[-1])
        return orchestrator.resume(self.threads[-1], {"decisions": turn.decide})

    @property
    def _orchestrator(self) -> Orchestrator:
        return self.stage.orchestrator.within(self.context)


@asynccontextmanager
async def open_player(version: Version) -> AsyncIterator[TaskPlayer]:
    """Open what plays tasks of a version; its files are in a temporary folder, deleted at the end."""
    loaded = await asyncio.to_thread(encoder)
    with tempfile.TemporaryDirectory(prefix="understudy-eval-") as folder:
        async with AsyncExitStack() as stack:
            yield TaskPlayer(version, loaded, Path(folder), stack)


@asynccontextmanager
async def _stage(settings: Settings, loaded: Encoder, provider: Provider, clock: TaskClock) -> AsyncIterator[Stage]:
    is_other = settings.encoder != Settings.model_fields["encoder"].default
    house = PlayHouse(settings, None if is_other else loaded, provider, clock)
    async with Orchestrator(settings, house=house) as orchestrator:
        yield Stage(orchestrator, house, clock, None)


@contextmanager
def _world(task: RecordedTask, folder: Path) -> Iterator[None]:
    """Give a live play its own copy of the simulated world that its task begins with."""
    if task.task.world is None:
        yield
        return
    path, before = folder / "world.json", os.environ.get(WORLD)
    shutil.copyfile(task.folder / task.task.world, path)
    os.environ[WORLD] = str(path)
    try:
        yield
    finally:
        if before is None:
            del os.environ[WORLD]
        else:
            os.environ[WORLD] = before


def _team(task: RecordedTask) -> str:
    """Return the task's team: a shipped one by name, or a file beside the task."""
    name = task.task.team
    return str((task.folder / name).resolve()) if name.endswith(".toml") else name


def answer_of(events: list[Stamped]) -> RecordedAnswer:
    """Return how a turn ended, in the words of the one who waits for it."""
    for stamped in reversed(events):
        match stamped.event:
            case RunFinished(outcome=outcome):
                return RecordedAnswer(status=outcome.status, lines=outcome.answer.split("\n"))
            case ApprovalRequested(requests=requests):
                return RecordedAnswer(status="asked", lines=[request.description for request in requests])
    return RecordedAnswer(status="stopped")


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
