"""Putting orders into the queue of runs from a process that carries none out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from domain.errors import StorageAway
from understudy.bus import Bus
from understudy.durable.queue import ADVANCE, NAME, PUT_TOPIC, Order, no_pickles, partition

if TYPE_CHECKING:
    from dbos import DBOSClient

_PATIENCE_SECONDS = 10.0


class OrderClient:
    """Enqueues orders for the workers. Open it with `open_order_client`."""

    def __init__(self, client: "DBOSClient", bus: Bus) -> None:
        self._client, self._bus = client, bus

    async def put(self, order: Order) -> None:
        """Enqueue an order unless there is, or was a while ago, one of its id.

        Raises:
            StorageAway: The queue's database cannot be reached.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await asyncio.to_thread(self._put, order)
        except TimeoutError as error:
            raise StorageAway("the queue of runs does not answer") from error
        except DBAPIError as error:
            raise StorageAway(f"the queue of runs cannot be used now ({error.orig})") from error
        self._bus.publish(PUT_TOPIC, {})

    def _put(self, order: Order) -> None:
        self._client.enqueue(
            {
                "queue_name": NAME,
                "workflow_name": ADVANCE,
                "workflow_id": order.id,
                "queue_partition_key": partition(order.workspace, order.thread),
            },
            *order,
        )


@asynccontextmanager
async def open_order_client(url: str, bus: Bus) -> AsyncIterator[OrderClient]:
    """Open the way to the queue; its tables are created where no worker has done so yet.

    Args:
        url: SQLAlchemy's URL of the queue's database (`understudy.durable.engine.queue_url`).
        bus: Tells the workers that there is an order.

    Raises:
        StorageAway: The database cannot be reached.
    """
    try:
        client = await asyncio.to_thread(_opened, url)
    except DBAPIError as error:
        raise StorageAway(f"the queue of runs cannot be used now ({error.orig})") from error
    try:
        yield OrderClient(client, bus)
    finally:
        await asyncio.to_thread(client.destroy)


def _opened(url: str) -> "DBOSClient":
    from dbos import DBOSClient, DBOSPortableJSONSerializer, _serialization, run_dbos_database_migrations

    _serialization.DBOSDefaultSerializer = no_pickles()
    run_dbos_database_migrations(system_database_url=url)
    return DBOSClient(
        system_database_url=url,
        serializer=DBOSPortableJSONSerializer(),
        application_name=NAME,
        retry_connection_errors=False,
    )
