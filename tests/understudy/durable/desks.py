"""A desk with real storage, and questions to put on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from domain.approvals import ActionRequest
from domain.audit import AuditEntry
from domain.questions import Question
from domain.secrets import Secrets
from domain.waiting import Patience
from memory.audit import Audit
from memory.friction import Friction
from memory.sqlite import SqliteRecords
from understudy.durable.database import Database, open_database
from understudy.durable.desk import Desk
from understudy.notices.outbox import Outbox
from understudy.notices.settings import NotifySettings

NOON = 1_700_000_000.0


@dataclass
class Clock:
    """Time that moves when told to."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Reception:
    """A desk with the parts it works with."""

    database: Database
    records: SqliteRecords
    audit: Audit
    outbox: Outbox
    desk: Desk
    clock: Clock

    async def noted(self, workspace: str = "default") -> list[AuditEntry]:
        pages = [page async for page in self.audit.pages(workspace)]
        return [noted.entry for page in pages for noted in page]

    async def notices(self, workspace: str = "default") -> list[tuple[str, str]]:
        """Kind and status of each notice, oldest first."""
        kept = await self.outbox.listed(workspace)
        return [(each.kind, each.status) for each in sorted(kept, key=lambda each: (each.created, each.id))]


@asynccontextmanager
async def open_reception(folder: Path, url: SecretStr | None, clock: Clock | None = None) -> AsyncIterator[Reception]:
    clock = clock or Clock()
    records = await SqliteRecords.open(folder / "records.sqlite", clock=clock)
    try:
        async with open_database(folder, url) as database:
            audit, friction = Audit(records, clock), Friction(records, clock=clock)
            outbox = Outbox(database, NotifySettings(), clock=clock, audit=audit, friction=friction, secrets=Secrets())
            desk = Desk(database, clock, notify=outbox, audit=audit, command="understudy")
            yield Reception(database, records, audit, outbox, desk, clock)
    finally:
        await records.close()


def request(name: str = "send", **patience: Any) -> ActionRequest:
    return ActionRequest(
        id=name,
        name="send_mail",
        args={"to": "a@example.org", "copies": 1},
        types={"to": "string", "copies": "integer"},
        description="Sends a mail.",
        patience=Patience(**patience),
    )


def question(name: str = "q1", *requests: ActionRequest, **fields: Any) -> Question:
    given = {
        "thread": f"t-{name}", "workspace": "default", "opened": NOON, "user": "ann", "run": "r1", "interrupt": "i1",
        "team": "mail", "goal": "Thank the club", "digest": f"shown-{name}",
    }  # fmt: skip
    return Question(id=name, requests=list(requests) or [request()], **given | fields)
