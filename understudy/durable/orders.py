"""What the queue of runs still knows of a thread that is forgotten: a goal and its circumstances, up to a day.

The queue's library deletes by ids only, and only where a worker runs. So its rows are deleted here, in its own tables.
"""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from domain.errors import StorageAway
from understudy.durable.database import Database
from understudy.durable.queue import partition

FILE = "dbos.sqlite"
"""Name of the queue's SQLite file in the data folder."""
_SCHEMA = "dbos"
_ORDERS = "workflow_status"
_PARTS = ("workflow_input", "workflow_output", "operation_outputs")
_BUSY_SECONDS = 10.0


class Orders:
    """The queue's rows, whether it is open in some process or not."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database, self._path = database, folder / FILE

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete the orders of a thread that is held: none of them has anything left to do.

        Raises:
            StorageAway: The queue's database cannot be used now.
        """
        of_thread = partition(workspace, thread)
        if self._database.is_shared:
            await self._database.write(lambda connection: _deleted(connection, of_thread, _SCHEMA))
        elif await asyncio.to_thread(self._path.exists):
            await asyncio.to_thread(self._forgotten, of_thread)

    def _forgotten(self, of_thread: str) -> None:
        engine = sa.create_engine(f"sqlite:///{self._path}", connect_args={"timeout": _BUSY_SECONDS})
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
                _deleted(connection, of_thread, None)
                connection.commit()
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
        except sa.exc.OperationalError as error:
            raise StorageAway(f"{self._path} cannot be used now ({error.orig})") from error
        finally:
            engine.dispose()


def _deleted(connection: sa.Connection, of_thread: str, schema: str | None) -> None:
    there = set(sa.inspect(connection).get_table_names(schema))
    if _ORDERS not in there:
        return  # no worker has ever run here
    orders = sa.table(_ORDERS, sa.column("workflow_uuid"), sa.column("queue_partition_key"), schema=schema)
    where = orders.c.queue_partition_key == of_thread
    ids = sa.select(orders.c.workflow_uuid).where(where)
    for name in there.intersection(_PARTS):
        part = sa.table(name, sa.column("workflow_uuid"), schema=schema)
        connection.execute(sa.delete(part).where(part.c.workflow_uuid.in_(ids)))
    connection.execute(sa.delete(orders).where(where))
