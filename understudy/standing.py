"""How the installation stands: who plays, what is remembered, what is open, and what does not work."""

import asyncio

from pydantic import BaseModel, ConfigDict, Field

from agents.plugins import GROUPS, installed
from domain.errors import StorageAway
from graph.context import Context
from understudy.context_use import ContextUse, context_use
from understudy.durable.desk import Waiting
from understudy.runs import Runs
from understudy.telemetry.degradations import FILE, Degradations
from understudy.threads import ThreadState
from understudy.wiring import House

MAX_SHOWN_THREADS = 20
_NO_MODEL = "no model is configured: the rule-based twins play all roles (set OPENAI_API_KEY)"


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
    questions: int | None
    """How many wait for a person; None while the database is away."""
    next_due: float | None
    """Unix time at which the first of them is escalated or over."""
    contexts: ContextUse
    """What steps hand to each other, and how often it was made before."""
    degraded: list[str]
    """What does not work as configured, in words."""
    degraded_since: dict[str, float] = Field(default_factory=dict)
    """Unix time at which each of these was first seen."""


async def status_of(house: House, runs: Runs, context: Context) -> Status:
    """Return how a workspace stands."""
    services = await house.services_for(context)
    try:
        tasks = await house.memory.count(context.workspace)
        threads = [e for e in await runs.entries(context.workspace) if e.state != "ended"]
    except StorageAway:
        tasks, threads = None, []
    waiting = await _waiting(house, context.workspace)
    degraded = await degraded_of(house, context.workspace, services.cast.mode)
    return Status(
        home=str(house.settings.home),
        workspace=context.workspace,
        team=services.team.name,
        mode=services.cast.mode,
        encoder=house.encoder.id,
        tasks=tasks,
        open_threads=[OpenThread(thread=e.thread, goal=e.goal, state=e.state) for e in threads[:MAX_SHOWN_THREADS]],
        questions=waiting.questions if waiting else None,
        next_due=waiting.next_due if waiting else None,
        contexts=await context_use(house.records, house.contexts),
        degraded=degraded,
        degraded_since=await asyncio.to_thread(_since, house, context.workspace, degraded),
    )


async def degraded_of(house: House, workspace: str, mode: str) -> list[str]:
    """Return in words what does not work as configured.

    Args:
        house: What is open.
        workspace: Whose notices are looked at.
        mode: The model that leads, or `rules`.
    """
    plugins = [await asyncio.to_thread(installed, group) for group in GROUPS]
    broken = [str(plugin) for group in plugins for plugin in group if plugin.problem]
    return ([_NO_MODEL] if mode == "rules" else []) + await house.degraded() + await _untold(house, workspace) + broken


def _since(house: House, workspace: str, degraded: list[str]) -> dict[str, float]:
    degradations = Degradations(house.clock, house.settings.home / FILE)
    return {each.reason: each.since for each in degradations.note(degraded, about=workspace)}


async def _waiting(house: House, workspace: str) -> Waiting | None:
    try:
        return await house.desk.waiting(workspace)
    except StorageAway:
        return None


async def _untold(house: House, workspace: str) -> list[str]:
    """Return in words what people could not be told."""
    try:
        return await house.outbox.troubles(workspace)
    except StorageAway as error:
        return [str(error)]
