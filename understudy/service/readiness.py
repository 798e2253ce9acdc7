"""Whether this process can take requests now, and what is missing where it cannot."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from domain.errors import StorageError
from understudy.service.installation import Installation

PATIENCE = 3.0
"""Seconds in which a storage has to answer."""
_PROBE = "understudy:ready"
"""Key that is asked for; that there is nothing under it is answer enough."""


async def unready(installation: Installation) -> list[str]:
    """Return why requests should go elsewhere, in codes; nothing where they are taken.

    An index or a model that is away is no reason: runs go on without them.
    """
    house, engine = installation.house, installation.engine
    draining = ["draining"] if engine is not None and engine.is_stopping else []
    away = await asyncio.gather(
        _away("records_away", house.records.get(_PROBE)), _away("database_away", house.desk.next_due())
    )
    return [*draining, *(reason for reason in away if reason)]


async def _away(reason: str, asked: Awaitable[Any]) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await asked
    except (StorageError, TimeoutError):
        return reason
    return ""
