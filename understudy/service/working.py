"""A worker inside of the service's process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from understudy.durable.engine import Around, Engine, Tell
from understudy.orchestrator import Orchestrator


@asynccontextmanager
async def working(orchestrator: Orchestrator, tell: Tell, around: Around) -> AsyncIterator[Engine]:
    """Have runs go on in this process for the length of the block; at its end they stop at a safe point.

    Args:
        orchestrator: Of any workspace; the runs of all go on.
        tell: Is given every event of these runs.
        around: Stands around the carrying out of each order.
    """
    async with orchestrator.engine(tell, around) as engine:
        task = asyncio.create_task(engine.run())
        try:
            yield engine
        finally:
            engine.stop(grace=orchestrator.settings.drain_grace)
            await task
