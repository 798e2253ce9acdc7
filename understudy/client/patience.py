"""How long a client goes on trying, and how it waits in between."""

import asyncio
import random

from domain.errors import UnderstudyError

_FIRST, _MOST = 0.2, 5.0
"""Seconds before the second try, and at most before a further one."""


class Patience:
    """Counts from the first failure on, and anew after each success."""

    def __init__(self, seconds: float) -> None:
        """Set up.

        Args:
            seconds: For which it is tried again.
        """
        self._seconds = seconds
        self._since: float | None = None
        self._tries = 0

    @property
    def is_tried_again(self) -> bool:
        """Whether something failed since the last success."""
        return self._since is not None

    def well(self) -> None:
        """Take note of a success."""
        self._since, self._tries = None, 0

    async def pause(self, failure: UnderstudyError, *, least: float = 0.0) -> None:
        """Wait before the next try; from time to time longer, and never as long as others who wait.

        Args:
            failure: Of the last try; is raised where there is no time for another.
            least: Seconds that the server asks for.
        """
        now = asyncio.get_running_loop().time()
        self._since = now if self._since is None else self._since
        wait = max(least, min(_MOST, _FIRST * 2**self._tries) * random.uniform(0.5, 1.0))
        if now + wait > self._since + self._seconds:
            raise failure
        self._tries += 1
        await asyncio.sleep(wait)
