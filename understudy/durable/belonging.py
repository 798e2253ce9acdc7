"""Which records a database belongs to: several workers may share one only if they share the records as well."""

import sqlalchemy as sa

from domain.errors import ForeignRecords, StorageAway
from memory.chroma_server import name_of
from memory.records import Records
from understudy.durable.database import TABLES, Database

_ONLY = 1
_BELONGS = sa.Table(
    "belongs", TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("records", sa.Text, nullable=False),
)  # fmt: skip


class Belonging:
    """Finds out whether a database and records belong together. One that nobody shares goes with its data folder."""

    def __init__(self, database: Database, records: Records) -> None:
        self._database, self._records = database, records
        self._is_known = not database.is_shared

    async def look(self) -> None:
        """Check it now if the records can be read; else `check` does so before the first run.

        Raises:
            ForeignRecords: They do not belong together.
        """
        try:
            await self.check()
        except StorageAway:
            return

    async def check(self) -> None:
        """Check it unless that was done before; a new database belongs to the records that it is first opened with.

        Raises:
            ForeignRecords: They do not belong together.
            StorageAway: One of them cannot be reached now.
        """
        if self._is_known:
            return
        name = await name_of(self._records)
        owner = await self._database.write(lambda connection: _claimed(connection, name))
        if owner != name:
            msg = (
                f"{self._database.place} belongs to other records than those that are configured; give this worker"
                " the UNDERSTUDY_REDIS_URL that the others have, or a database of its own"
            )
            raise ForeignRecords(msg)
        self._is_known = True


def _claimed(connection: sa.Connection, name: str) -> str:
    """Return the name of the records that the database belongs to, which are these where there were none."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE belongs IN EXCLUSIVE MODE")
    owner = connection.execute(sa.select(_BELONGS.c.records).where(_BELONGS.c.id == _ONLY)).scalar_one_or_none()
    if owner is None:
        connection.execute(sa.insert(_BELONGS).values(id=_ONLY, records=name))
    return str(owner or name)
