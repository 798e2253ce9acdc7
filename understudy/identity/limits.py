"""How often a key, a user and a workspace may ask; counted in Redis for all processes, else in this one."""

import logging
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError as CounterError
from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from domain.errors import TooManyRequests
from understudy.identity.hashing import hashed
from understudy.identity.principals import Principal
from understudy.identity.settings import IdentitySettings, Rate, rate_of

_PREFIX = "understudy:rate"
_TIMEOUT = 0.5
"""Seconds that Redis has to answer: a request must not wait long to be counted."""
_REST = 5.0
"""Seconds for which Redis is not asked after it did not answer."""
_CONNECTIONS = 50


class Limits:
    """The rates of requests. Open it with `open_limits`."""

    def __init__(self, settings: IdentitySettings, shared: Storage | None) -> None:
        self._key_rate = _item(settings.key_rate)
        self._workspace_rate = _item(settings.workspace_rate)
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = SlidingWindowCounterRateLimiter(shared) if shared else None
        self._is_away, self._ask_again = False, -math.inf

    async def charge(self, principal: Principal, workspace: str) -> None:
        """Count a request to whoever asks, and if it may, to the workspace.

        While Redis is away each process counts by itself; nobody is refused because of that.

        Raises:
            TooManyRequests: One of the two has asked as often as it may.
        """
        kind, name = ("key", principal.key) if principal.key else ("user", principal.user)
        await self._hit(self._key_rate, f"this {kind}", kind, name)
        await self._hit(self._workspace_rate, f"workspace {workspace!r:.80}", "workspace", workspace)

    async def _hit(self, item: RateLimitItem | None, whose: str, kind: str, name: str) -> None:
        if item is None:
            return
        names = kind, hashed(name)  # a name may have any character and length
        if self._shared is not None and time.monotonic() >= self._ask_again:
            try:
                await _counted(self._shared, item, whose, names)
            except CounterError as error:
                self._rest(error)
            else:
                self._back()
                return
        await _counted(self._here, item, whose, names)

    def _rest(self, error: CounterError) -> None:
        self._ask_again = time.monotonic() + _REST
        if not self._is_away:
            told = type(error.storage_error).__name__
            logging.getLogger(__name__).warning("Redis does not count requests (%s): each process counts alone", told)
        self._is_away = True

    def _back(self) -> None:
        if self._is_away:
            logging.getLogger(__name__).warning("Redis counts requests again")
        self._is_away = False


@asynccontextmanager
async def open_limits(settings: IdentitySettings, redis_url: SecretStr | None) -> AsyncIterator[Limits]:
    """Open the rates, on a Redis server where there is one; it need not be there now."""
    if redis_url is None:
        yield Limits(settings, None)
        return
    pool = BlockingConnectionPool.from_url(
        redis_url.get_secret_value(), max_connections=_CONNECTIONS, timeout=_TIMEOUT,
        socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=Retry(NoBackoff(), 0),
    )  # fmt: skip
    # The pool alone knows the address: its forms of URL are more than those that the storage reads.
    storage = RedisStorage(
        "async+redis://", wrap_exceptions=True, implementation="redispy", key_prefix=_PREFIX,
        connection_pool=pool,  # type: ignore[arg-type]  # typed without the pool that its documentation names
    )  # fmt: skip
    try:
        yield Limits(settings, storage)
    finally:
        await pool.aclose()


async def _counted(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, whose: str, names: tuple[str, ...]
) -> None:
    if await limiter.hit(item, *names):
        return
    stats = await limiter.get_window_stats(item, *names)
    wait = min(max(stats.reset_time - time.time(), 1.0), float(item.get_expiry()))
    msg = f"{whose} may ask {item.amount:,} times in {item.get_expiry():,} seconds; try again in {math.ceil(wait)} s"
    raise TooManyRequests(msg, retry_after=wait)


def _item(text: str | None) -> RateLimitItem | None:
    if text is None:
        return None
    rate: Rate = rate_of(text)
    return RateLimitItemPerSecond(rate.amount, rate.seconds)
