from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.notices import Notice
from domain.secrets import Secrets
from memory.audit import Audit
from memory.friction import Friction
from memory.sqlite import SqliteRecords
from tests.postgres import new_database
from tests.understudy.notices.servers import Mailbox, Webhook, mailbox, webhook
from understudy.durable.database import Database, open_database
from understudy.notices.outbox import Outbox
from understudy.notices.settings import NotifySettings


@dataclass
class Clock:
    """Time that moves when told to."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Post:
    """An opened outbox with the parts it works with."""

    database: Database
    audit: Audit
    friction: Friction
    clock: Clock
    outbox: Outbox
    secrets: Secrets = field(default_factory=Secrets)

    def other(self, settings: dict[str, Any], *, secrets: Secrets | None = None) -> Outbox:
        """Return an outbox on the same database, as another process would open it."""
        return Outbox(
            self.database, NotifySettings.model_validate(settings), clock=self.clock, audit=self.audit,
            friction=self.friction, secrets=secrets or self.secrets, jitter=lambda: 1.0,
        )  # fmt: skip

    async def audited(self) -> list[tuple[str, Any]]:
        """Return why and of what, for each entry of the audit."""
        pages = [page async for page in self.audit.pages("default")]
        return [(noted.entry.why, noted.entry.data["notice"]) for page in pages for noted in page]


OpenPost = Callable[[dict[str, Any]], Awaitable[Post]]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[SecretStr | None]:
    """Where notices wait: every test runs on both."""
    if request.param == "sqlite":
        yield None
        return
    with new_database() as url:
        yield url


@pytest.fixture
async def open_post(tmp_path: Path, database_url: SecretStr | None) -> AsyncIterator[OpenPost]:
    async with AsyncExitStack() as stack:

        async def opened(settings: dict[str, Any]) -> Post:
            clock = Clock()
            records = await SqliteRecords.open(tmp_path / "records.sqlite", clock=clock)
            stack.push_async_callback(records.close)
            database = await stack.enter_async_context(open_database(tmp_path, database_url))
            post = Post(database, Audit(records, clock), Friction(records, clock=clock), clock, None)  # type: ignore[arg-type]  # set next
            post.outbox = post.other(settings)
            return post

        yield opened


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, str]]:
    with mailbox() as found:
        yield found


@pytest.fixture
def notice() -> Notice:
    return Notice(
        id="q1:asked:0", kind="asked", workspace="default", to=("ada",), title="Approval wanted: send_mail",
        body='For: Thank the club\nsend_mail(to="the club") (it cannot be undone)', answer="understudy inbox show q1",
    )  # fmt: skip
