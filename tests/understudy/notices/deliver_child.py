"""A process of its own that delivers notices once."""

import asyncio
import sys
from pathlib import Path

from pydantic import SecretStr

from domain.secrets import Secrets
from memory.audit import Audit
from memory.friction import Friction
from memory.sqlite import SqliteRecords
from understudy.durable.database import open_database
from understudy.notices.outbox import Outbox
from understudy.notices.settings import NotifySettings


async def deliver(folder: Path, url: str, now: float, settings: str) -> int:
    records = await SqliteRecords.open(folder / "records.sqlite")
    async with open_database(folder, SecretStr(url) if url else None) as database:
        outbox = Outbox(
            database, NotifySettings.model_validate_json(settings), clock=lambda: now, audit=Audit(records),
            friction=Friction(records, clock=lambda: now), secrets=Secrets(),
        )  # fmt: skip
        sent = await outbox.deliver(limit=100)
    await records.close()
    return sent


def act(folder: str, url: str, now: float, settings: str) -> None:
    """Be the process, and print how many were sent."""
    sys.stdout.write(f"{asyncio.run(deliver(Path(folder), url, now, settings))}\n")
