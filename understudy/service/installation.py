"""What is open while the service runs."""

import functools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from domain.errors import InvalidSettings
from understudy.durable.engine import Engine, queue_url
from understudy.durable.order_client import open_order_client
from understudy.identity.access import Identity, open_identity
from understudy.orchestrator import Orchestrator
from understudy.service.dispatch import Dispatch
from understudy.service.idempotency import Replays
from understudy.service.working import working
from understudy.settings import Settings
from understudy.telemetry.backlog import backlog_of
from understudy.telemetry.telemetry import Telemetry, open_telemetry
from understudy.wiring import House


@dataclass(frozen=True)
class Installation:
    """Everything that requests work with. Open it with `open_installation`."""

    settings: Settings
    house: House
    orchestrator: Orchestrator
    """Of the workspace that the settings name; `within` gives that of any other."""
    identity: Identity
    dispatch: Dispatch
    replays: Replays
    """Answers that were given to requests with an idempotency key."""
    telemetry: Telemetry
    began: float
    """Unix time in seconds at which it was opened."""
    engine: Engine | None
    """What carries runs out in this process; None where only workers do."""

    def drain(self) -> None:
        """Begin nothing more here, and let what is going on come to its next safe point."""
        if self.engine is not None:
            self.engine.stop(grace=self.settings.drain_grace)


@asynccontextmanager
async def open_installation(settings: Settings, *, with_engine: bool) -> AsyncIterator[Installation]:
    """Open the installation that the settings name.

    Args:
        settings: What is configured.
        with_engine: Whether runs are carried out in this process, too; without, workers must serve the same database.

    Raises:
        InvalidSettings: No worker could carry out what is asked for here.
        StorageError: The data folder or a server cannot be used.
    """
    if not with_engine and settings.database_url is None:
        msg = "without UNDERSTUDY_DATABASE_URL no other process can be a worker: leave --no-worker out"
        raise InvalidSettings(msg)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        house = House(settings)
        telemetry = await enter(open_telemetry(settings))
        orchestrator = await enter(Orchestrator(settings, house=house))
        identity = await enter(open_identity(settings, house.database, house.clock, audit=house.audit))
        engine = await enter(working(orchestrator, telemetry.heard, telemetry.around)) if with_engine else None
        if engine is not None:
            begin = engine.begin
        else:
            url = queue_url(settings.home, settings.database_url)
            begin = (await enter(open_order_client(url, house.bus))).put
        await enter(telemetry.watching(functools.partial(backlog_of, house)))
        replays = Replays(house.database, house.clock)
        yield Installation(
            settings, house, orchestrator, identity, Dispatch(begin), replays, telemetry, house.clock(),
            engine,
        )  # fmt: skip
