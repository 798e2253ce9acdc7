"""A process that revokes a key when it is told to begin."""

import asyncio
import sys
from pathlib import Path

from pydantic import SecretStr

from tests.understudy.identity.conftest import open_house


def revoke(folder: str, address: str, key: str, by: str) -> None:
    """Say ready, wait for a line, revoke, and tell when the key went out of force."""

    async def revoked() -> None:
        async with open_house(Path(folder), SecretStr(address) if address else None) as house:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.readline)
            found = await house.identity.keys.revoke(key, by=by)
            sys.stdout.write(f"{found.revoked}\n")
            sys.stdout.flush()

    asyncio.run(revoked())
