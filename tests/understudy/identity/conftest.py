import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.audit import AuditEntry
from memory.audit import Audit
from memory.sqlite import SqliteRecords
from tests.postgres import new_database
from tests.understudy.durable.desks import Clock
from understudy.durable.database import Database, open_database
from understudy.identity.access import Identity, open_identity
from understudy.settings import Settings, load_settings


@dataclass
class House:
    """Who may use an installation, with what it is kept in."""

    settings: Settings
    identity: Identity
    database: Database
    audit: Audit
    clock: Clock

    async def noted(self, workspace: str = "default") -> list[AuditEntry]:
        pages = [page async for page in self.audit.pages(workspace)]
        return [noted.entry for page in pages for noted in page]


@asynccontextmanager
async def open_house(
    folder: Path,
    url: SecretStr | None = None,
    clock: Clock | None = None,
    *,
    look_every: float = 60.0,
    **given: object,
) -> AsyncIterator[House]:
    clock, settings = clock or Clock(), load_settings(home=folder, database_url=url, **given)
    records = await SqliteRecords.open(folder / "records.sqlite", clock=clock)
    try:
        async with open_database(folder, url) as database:
            audit = Audit(records, clock)
            async with open_identity(settings, database, clock, audit=audit, look_every=look_every) as identity:
                yield House(settings, identity, database, audit, clock)
    finally:
        await records.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, user="ann") as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[SecretStr | None]:
    """Every test that takes it runs on both."""
    if request.param == "sqlite":
        yield None
        return
    with new_database() as url:
        yield url


@pytest.fixture
async def on_both(tmp_path: Path, database_url: SecretStr | None) -> AsyncIterator[House]:
    async with open_house(tmp_path, database_url, user="ann") as opened:
        yield opened


@pytest.fixture(autouse=True)
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What the log is told, from `info` on."""
    caplog.set_level(logging.INFO)
    return caplog
