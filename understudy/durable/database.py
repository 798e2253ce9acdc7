"""The database of what must outlive a process: questions, timers, notices and who may advance a run.

One code path over SQLAlchemy: a SQLite file in the data folder, which several processes of one machine may open at
once, or PostgreSQL for workers on many machines. Each module beside this one declares its own tables on `TABLES`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy import exc

from domain.errors import InvalidSettings, StorageAway, StorageCorrupt, StorageError, StorageFull
from understudy.migrations.schema import prepare

T = TypeVar("T")

TABLES = sa.MetaData()
FILE = "runs.sqlite"
"""Name of the SQLite file in the data folder."""
_CONNECTIONS = 5
IDLE_SECONDS = 5
"""A session that does nothing in its transaction for so long is ended by PostgreSQL: the locks of a process that was
paused in the middle of one must not hold up those who take over from it."""
SHORT_TRANSACTIONS = f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s"
"""For the connection's `options`."""
_BUSY_SECONDS = 10.0
"""How long a writer waits for another process that writes."""


class Database:
    """Transactions on one database, run in threads of its own. Open it with `open_database`."""

    def __init__(self, engine: sa.Engine, threads: ThreadPoolExecutor, place: str) -> None:
        self._engine, self._threads = engine, threads
        self.place = place
        """Where it is, without who logs in."""

    @property
    def is_shared(self) -> bool:
        """Whether processes of other machines can work on it."""
        return self._engine.dialect.name == "postgresql"

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one transaction, all of it or nothing; its writes stay when this returns.

        Args:
            work: Is run in a thread and blocks it; raising an error undoes what it wrote.

        Raises:
            StorageAway: The database cannot be reached now; whether a transaction that was being committed stands is
                then unknown, so `work` must bear being done twice.
            StorageError: It cannot be used.
        """
        return await self._run(self._written, work)

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work`, which only reads."""
        return await self._run(self._seen, work)

    async def empty_log(self) -> None:
        """Let what was deleted leave the file that SQLite writes ahead, too; elsewhere this is the server's affair."""
        if not self.is_shared:
            await self.read(lambda connection: connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close())

    async def _run(self, how: Callable[[Callable[[sa.Connection], T]], T], work: Callable[[sa.Connection], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, how, work)
        except exc.DBAPIError as error:
            raise _translated(error, self.place) from error
        except exc.TimeoutError as error:
            raise StorageAway(f"{self.place} has no free connection") from error

    def _written(self, work: Callable[[sa.Connection], T]) -> T:
        with self._engine.connect() as connection:
            if self.is_shared:
                with connection.begin():
                    return work(connection)
            # The driver would begin a reading transaction, and fail when it is to become a writing one.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                if _is_begun(connection):
                    connection.exec_driver_sql("ROLLBACK")
                raise
            return result

    def _seen(self, work: Callable[[sa.Connection], T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)


@asynccontextmanager
async def open_database(folder: Path, url: SecretStr | None, *, as_it_is: bool = False) -> AsyncIterator[Database]:
    """Open the database with its tables, creating those that are missing and changing those of an earlier release.

    Args:
        folder: The data folder, for the SQLite file.
        url: `postgresql://user:password@host:port/name`; None takes the file.
        as_it_is: Leave the tables alone.

    Raises:
        SchemaTooNew: It is of a release after the next.
        InvalidSettings: The URL is not one of PostgreSQL; its text is not repeated, because it may hold a password.
        StorageError: The database cannot be used; `StorageAway` where it cannot be reached.
    """
    engine, place = _engine(folder, url)
    with ThreadPoolExecutor(_CONNECTIONS if url else 1, thread_name_prefix="database") as threads:
        database = Database(engine, threads, place)
        try:
            if not as_it_is:
                await database.write(lambda connection: prepare(connection, TABLES))
            yield database
        finally:
            await asyncio.get_running_loop().run_in_executor(threads, engine.dispose)


def _engine(folder: Path, url: SecretStr | None) -> tuple[sa.Engine, str]:
    if url is None:
        path = folder / FILE
        engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None})
        sa.event.listen(engine, "connect", _prepared)
        return engine, str(path)
    try:
        parsed = sa.make_url(url.get_secret_value())
    except exc.ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() != "postgresql":
        msg = "the database URL cannot be read; write it as postgresql://user:password@host:port/name"
        raise InvalidSettings(msg) from None
    engine = sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"), pool_size=_CONNECTIONS, max_overflow=0, pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": SHORT_TRANSACTIONS},
    )  # fmt: skip
    return engine, f"PostgreSQL at {parsed.host or 'localhost'}:{parsed.port or 5432}/{parsed.database}"


def _prepared(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # SQLAlchemy does not type what the driver gives
    for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _is_begun(connection: sa.Connection) -> bool:
    """Return whether a transaction is open in SQLite, which ends it by itself where the disk is full."""
    driver = connection.connection.driver_connection
    return driver is not None and bool(driver.in_transaction)


def _translated(error: exc.DBAPIError, place: str) -> StorageError:
    text = str(error.orig).splitlines()[0] if error.orig else "no reason given"
    gone = isinstance(error, exc.OperationalError | exc.InterfaceError) or "idle-in-transaction" in text
    if error.connection_invalidated or gone:
        if "full" in text:
            return StorageFull(f"no space is left for {place}; free some and try again")
        return StorageAway(f"{place} cannot be used now ({text})")
    if "malformed" in text or "not a database" in text:
        return StorageCorrupt(f"{place} is damaged ({text})")
    return StorageError(f"{place} cannot be used ({text})")
