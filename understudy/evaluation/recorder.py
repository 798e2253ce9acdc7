"""Makes recorded tasks: of a conversation that took place, or of a task folder that is played live."""

import asyncio
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agents.discretion import Discretion
from agents.exchanges.calls import RecordedCall, RecordedTool
from agents.exchanges.keeping import Exchange
from agents.exchanges.logged import Logged, exchanges_of
from agents.team import Team
from domain.errors import ModelUnavailable, ToolTimeout, UnderstudyError, UserError
from domain.events import RunStopped
from evals.playing import Version
from evals.recording.task import RecordedTask, TaskFile, read_task, write_task
from graph.context import Context
from understudy.evaluation.before import before, known_tools
from understudy.evaluation.playing import NO_MODEL, Performance, answer_of, open_player
from understudy.evaluation.taken import check_place, clear_place, hider, taken_data, taken_team
from understudy.evaluation.turns import NotRecordable, parts_of
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings
from understudy.wiring import House

_TELLING = {
    "models", "fallback_model", "encoder", "max_parallel_steps", "max_plan_revisions", "max_replans", "max_stretches",
    "planning_weights", "max_attempts", "budgets", "prices", "reuse_above", "selection_policy",
}  # fmt: skip
"""Settings that change what is asked or done."""
_CUT_OFF = (ModelUnavailable.code, ToolTimeout.code)
"""What a call is kept with that was given up."""


class RecordingFailed(UserError):
    """A task could not be played to its end; nothing of it was written."""

    code = "recording_failed"


@dataclass(frozen=True)
class Source:
    """Where a conversation is recorded from."""

    orchestrator: Orchestrator
    house: House
    context: Context


async def record_folder(folder: Path, playing: Version, *, answered_by: str = "") -> RecordedTask:
    """Play a task folder live and write what models and tools answered; what people wrote in it stays.

    Args:
        folder: With `task.json` at least.
        playing: What it is played with.
        answered_by: What gives the models' answers, for the record; empty leaves what is written there.

    Raises:
        InvalidRecording: The folder cannot be read.
        RecordingFailed: The task could not be played to its end.
    """
    task = read_task(folder)
    async with open_player(playing) as player, player.live(task) as performance:
        await performance.played()
        if performance.error:
            raise RecordingFailed(f"{task.name}: {performance.error}")
        recorded = await _recorded(task, performance, answered_by)
        house = performance.stage.house
        write_task(recorded, hider(house.secrets_of(await house.team(performance.context.team))))
    return recorded


async def record_thread(source: Source, thread: str, folder: Path, *, name: str, about: str = "") -> RecordedTask:
    """Make a recorded task of a conversation: its turns, what was known before, and everything that was asked.

    The folder of documents and tables that it worked on comes along as it is now, its texts without secrets: then the
    replay's prompts are those of the recording.

    Raises:
        UnknownThread: There is no such conversation.
        NotRecordable: It is not over, what was asked in it was not kept, or the folder is taken.
        InvalidRecording: Something cannot be read or written; nothing of the task is left.
    """
    events = await source.orchestrator.events(thread)
    parts = parts_of(events)
    logged = await exchanges_of(source.house.calls, source.context.workspace, thread)
    exchanges = asked_to_the_end(logged, [each.time for each in events if isinstance(each.event, RunStopped)])
    if not exchanges and any(stamped.event.type == "model_called" for stamped in events):
        msg = f"what was asked in {thread!r} was not kept (setting keep_calls), so it cannot be replayed"
        raise NotRecordable(msg)
    await asyncio.to_thread(check_place, folder)
    settings = source.house.settings
    try:
        task = TaskFile(
            name=name, about=about, team=source.context.team, turns=[part.turn for part in parts],
            user=source.context.user, started=events[0].time, settings=_settings(settings),
            out=bool(source.context.out or settings.out),
        )  # fmt: skip
        answers = tuple(answer_of(part.events) for part in parts)
        runs = {stamped.run for stamped in events}
        return await _of_thread(source, RecordedTask(folder, task, answers=answers), runs, exchanges)
    except UnderstudyError:
        await asyncio.to_thread(clear_place, folder)
        raise


def asked_to_the_end(logged: Sequence[Logged], stops: Sequence[float]) -> list[Exchange]:
    """Return exchanges without those that a stop of the run cut off and that it made again when it went on.

    Args:
        logged: In the order in which they ended.
        stops: When runs were stopped, in unix seconds.
    """
    found = []
    for number, each in enumerate(logged, 1):
        again = next((other.time for other in logged[number:] if _asked(other) == _asked(each)), 0.0)
        is_cut = each.exchange.failure in _CUT_OFF and any(each.time <= stop <= again for stop in stops)
        found += [] if is_cut else [each.exchange]
    return found


def _asked(logged: Logged) -> tuple[object, ...]:
    match logged.exchange:
        case RecordedCall(role=role, step=step, asked=asked):
            return role, step, asked.digest
        case RecordedTool(tool=tool, step=step, args=args):
            return tool, step, json.dumps(args, sort_keys=True)


async def _of_thread(
    source: Source, task: RecordedTask, runs: Collection[str], exchanges: Sequence[Exchange]
) -> RecordedTask:
    """Write a conversation whose turns are known, with what it takes along."""
    house, context = source.house, source.context
    data = context.data or house.settings.data
    team = await house.team(context.team)
    secrets = house.secrets_of(team)
    along = {
        "team": await asyncio.to_thread(taken_team, context.team, task.folder, secrets),
        "data": await asyncio.to_thread(taken_data, str(data) if data else None, task.folder, secrets),
        "versions": _versions(house, team, exchanges),
    }
    recorded = task._replace(
        task=task.task.model_copy(update=along),
        before=await before(house, context.workspace, context.team, task.task.started, runs),
        calls=tuple(each for each in exchanges if isinstance(each, RecordedCall)),
        tools=tuple(each for each in exchanges if isinstance(each, RecordedTool)),
    )
    await asyncio.to_thread(write_task, recorded, hider(secrets))
    return recorded


async def _recorded(task: RecordedTask, performance: Performance, answered_by: str) -> RecordedTask:
    """Return a task with what its live play was answered."""
    house, workspace = performance.stage.house, performance.context.workspace
    team = await house.team(performance.context.team)
    exchanges = await _exchanges(house, workspace, performance.threads)
    tools = await known_tools(house, workspace, performance.context.team)
    file = task.task.model_copy(
        update={
            "versions": _versions(house, team, exchanges),
            "answered_by": answered_by or task.task.answered_by,
        }
    )
    return task._replace(
        task=file,
        before=task.before.model_copy(update={"tools": tools}),
        calls=tuple(each for each in exchanges if isinstance(each, RecordedCall)),
        tools=tuple(each for each in exchanges if isinstance(each, RecordedTool)),
        answers=tuple(performance.answers),
    )


async def _exchanges(house: House, workspace: str, threads: Sequence[str]) -> list[Exchange]:
    return [each.exchange for name in threads for each in await exchanges_of(house.calls, workspace, name)]


def _versions(house: House, team: Team, exchanges: Iterable[Exchange]) -> dict[str, str]:
    """Return what a task was recorded with: the model that replays take the place of, and what its prompts were."""
    prompts = sorted({each.prompt for each in exchanges if isinstance(each, RecordedCall) and each.prompt})
    found = {
        "program": version("understudy"), "team": f"{team.name}@{team.version}", "encoder": house.encoder.id,
        "model": house.settings.leading_model or NO_MODEL, "prompts": ", ".join(prompts),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that a replay needs, which are those that change what is asked."""
    given = settings.model_dump(mode="json", include=_TELLING, exclude_defaults=True)
    local = settings.openai_base_url and Discretion(base_url=settings.openai_base_url).is_local("openai:any")
    return given | ({"openai_base_url": settings.openai_base_url} if local else {})
