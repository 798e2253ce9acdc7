"""Records in Redis 7, without modules.

A value is a string with its JSON under its own key, so that an operator can `GET` it. Counters are integers under
`understudy:counter:{key}`; a log is a list under `understudy:log:{log}`, whose lengths are the entries' numbers.
`understudy:writer:{id}` notes what a writer has done. Expiry is Redis's own.
"""

import asyncio
import itertools
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff

from domain.errors import InvalidSettings, StorageAway, StorageCorrupt, StorageError, StorageFull, StorageRefused
from memory.records import Change, Merge, Value, canonical
from memory.redis_files import REWRITE_SECONDS, purged
from memory.redis_script import APPLY
from memory.writes import Write, WriteKind

T = TypeVar("T")

OWN = "understudy:"
"""Keys that start so are no values."""
CALL_SECONDS = 5.0
"""Time that one call may take, with all attempts to reconnect."""
CONNECT_SECONDS = 2.0
RECONNECTS = 3
_BACKOFF = (0.5, 0.05)
"""Longest and first wait between two attempts, in seconds; the waits double and are jittered."""
_FOR_GOOD = re.compile(
    r"^WRONGTYPE|^value is not an integer|^increment or decrement would overflow|^string exceeds maximum|"
    r"permissions to access one of the keys|ACL failure in script"
)
"""How the server words a refusal that stays, because it is about this key and value."""
_PAGE = 1000
"""Keys that one step of a scan looks at, and values that are fetched at once."""
_SPACES: dict[WriteKind, str] = {"add": f"{OWN}counter:", "append": f"{OWN}log:", "drop": f"{OWN}log:"}


class RedisRecords:
    """Records in Redis; implements `memory.records.Records`. Make it with `RedisRecords.open(url)`.

    Compare-and-set is as lasting as the server is configured to be; `durability` says where that falls short. A scan
    sees every key that stays, and may or may not see one that comes or goes meanwhile.
    """

    def __init__(self, client: Redis, place: str, password: str, clock: Callable[[], float]) -> None:
        self._client: Any = client  # typed by redis-py as answering bytes or text; `decode_responses` makes it text
        self._apply = client.register_script(APPLY)
        self.place = place
        """Where the server is, without who logs in."""
        self._password = password
        self._clock = clock
        self._writer = uuid.uuid4().hex
        self._numbers = itertools.count(1)
        self._writing = asyncio.Lock()

    @classmethod
    def open(cls, url: SecretStr, *, clock: Callable[[], float] = time.time) -> "RedisRecords":
        """Return the records of a server; the first call connects.

        Args:
            url: `redis://[[user]:password@]host[:port][/db]`, `rediss://` with TLS, `unix://[[user]:password@]/path?db=0`.
            clock: Returns unix time in seconds, for what is to expire at a given time.

        Raises:
            InvalidSettings: The URL cannot be read; its text is not repeated, because it may hold a password.
        """
        try:
            _check(url.get_secret_value())
            client = Redis.from_url(
                url.get_secret_value(),
                decode_responses=True,
                client_name="understudy",
                socket_connect_timeout=CONNECT_SECONDS,
                socket_timeout=CALL_SECONDS,
                retry=Retry(ExponentialWithJitterBackoff(*_BACKOFF), RECONNECTS),
            )
        except ValueError:
            msg = (
                "the Redis URL cannot be read; write it as redis://user:password@host:port/db, rediss:// or unix://, "
                "with special characters of the password as %XX"
            )
            raise InvalidSettings(msg) from None
        options = client.connection_pool.connection_kwargs
        place = options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
        return cls(client, f"Redis at {place}", options.get("password") or "", clock)

    async def ping(self) -> None:
        """Return when the server answers; else raise as every call does."""
        await self._asked(self._client.ping)

    async def get(self, key: str) -> Value | None:
        """Return the value under `key`, or None."""
        text = await self._asked(partial(self._client.get, key))
        return None if text is None else self._decoded(key, text)

    async def get_many(self, keys: Sequence[str]) -> list[Value | None]:
        """Return the value under each key, or None, as `get` does; one question for all."""
        texts = await self._texts(keys)
        return [None if text is None else self._decoded(key, text) for key, text in zip(keys, texts, strict=True)]

    async def scan(self, prefix: str) -> list[tuple[str, Value]]:
        """Return all values whose key starts with `prefix`, sorted by key."""
        return [pair async for page in self.pages(prefix) for pair in page]

    async def pages(self, prefix: str) -> AsyncIterator[list[tuple[str, Value]]]:
        """Yield what `scan` returns in parts; each is as it stands when it is read."""
        keys = sorted(await self._keys(prefix))
        for i in range(0, len(keys), _PAGE):
            part = keys[i : i + _PAGE]
            values = zip(part, await self.get_many(part), strict=True)
            yield [(key, value) for key, value in values if value is not None]

    async def count(self, prefix: str) -> int:
        """Return how many values have a key that starts with `prefix`, without reading them."""
        return len(await self._keys(prefix))

    async def read(self, log: str, *, after: int = 0, limit: int | None = None) -> list[tuple[int, Value]]:
        """Return a log's entries with a number above `after`, oldest first."""
        key, last = _SPACES["append"] + log, -1 if limit is None else after + limit - 1
        texts = [] if limit == 0 else await self._asked(partial(self._client.lrange, key, after, last))
        return [(seq, self._decoded(key, text)) for seq, text in enumerate(texts, after + 1)]

    async def put(self, key: str, value: Value, *, ttl: float | None = None) -> None:
        """Store a value; without `ttl` it stays until it is deleted."""
        await self._write("put", key, canonical(value), ttl)

    async def delete(self, key: str) -> bool:
        """Delete a value; return whether it was there. Its text leaves the server's files when they are rewritten."""
        return bool(await self._write("delete", key))

    async def add(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """Add to a counter that starts at 0 and return it."""
        return await self._write("add", key, str(amount), ttl)

    async def compare_and_set(
        self, key: str, expected: Value | None, value: Value, *, ttl: float | None = None
    ) -> bool:
        """Store `value` only where the present one is `expected` (None: absent); return whether it was stored."""
        wanted = "" if expected is None else canonical(expected)
        return bool(await self._write("compare_and_set", key, canonical(value), ttl, wanted))

    async def merge(self, key: str, change: Value, how: Merge, *, ttl: float | None = None) -> Value:
        """Replace the present value by itself joined with `change`, and return it."""
        return (await self.merge_many([Change(key, change, how, ttl)]))[0]

    async def merge_many(self, changes: Sequence[Change]) -> list[Value]:
        """Make merges in order, all of them or none, and return the value after each."""
        hows = {change.how.name: change.how for change in changes}
        async with self._writing:
            writes = [self._numbered("merge", c.key, canonical(c.value), c.ttl, c.how.name) for c in changes]
            return await self.apply_merges(writes, hows)

    async def append(self, log: str, entry: Value) -> int:
        """Append to a log and return the entry's number: 1, 2, 3, ..."""
        return await self.append_many(log, [entry])

    async def append_many(self, log: str, entries: Sequence[Value]) -> int:
        """Append one or more entries in order, with nothing between them, and return the number of the last."""
        async with self._writing:
            return (await self.apply([self._numbered("append", log, canonical(e), None, "") for e in entries]))[-1]

    async def length(self, log: str) -> int:
        """Return the number of a log's last entry; 0 for an unknown one."""
        return int(await self._asked(partial(self._client.llen, _SPACES["append"] + log)))

    async def drop(self, log: str) -> None:
        """Delete a log; an unknown one changes nothing."""
        await self._write("drop", log)

    async def close(self) -> None:
        """Close the connections; a second call changes nothing."""
        await self._client.aclose()

    async def purge(self, *, seconds: float = REWRITE_SECONDS) -> str:
        """Have deleted text leave the server's files, and return what of that could not be done; empty where nothing.

        Args:
            seconds: How long to wait for the end; 0 asks for it and does not wait.
        """
        return await purged(lambda *command: self._asked(partial(self._client.execute_command, *command)), seconds)

    async def durability(self) -> str:
        """Return what the server's configuration may lose of finished writes, in words; empty where nothing."""
        try:
            found = await self._asked(partial(self._client.config_get, "appendonly", "appendfsync"))
        except StorageAway:
            raise
        except StorageError:  # managed servers often keep their configuration to themselves
            return f"{self.place} does not tell whether its writes are durable; it should have appendfsync always"
        if found == {"appendonly": "yes", "appendfsync": "always"}:
            return ""
        return (
            f"{self.place} may forget its latest writes when it dies, effect claims among them; "
            "set appendonly yes and appendfsync always"
        )

    async def apply(self, writes: Sequence[Write]) -> list[int]:
        """Carry out writes of one writer, in order and each once, however often they are sent.

        Returns:
            Per write what its method returns, as a number; nothing where merges do not find what they expect.

        Raises:
            StorageRefused: The server refuses a write for good; those before it are done, those after it are not.
            StorageError: The server refuses a write; the same holds.
        """
        keys = [f"{OWN}writer:{writes[0].writer}", *(_SPACES.get(w.kind, "") + w.key for w in writes)]
        arguments = [part for write in writes for part in self._arguments(write)]
        answers: list[Any] = await self._asked(partial(self._apply, keys=keys, args=arguments))
        if answers and isinstance(answers[-1], exceptions.RedisError):
            raise self._translation(answers[-1])
        return answers

    async def apply_merges(self, writes: Sequence[Write], hows: Mapping[str, Merge]) -> list[Value]:
        """Carry out merges that were never sent or all sent together, and return the value after each.

        All of them are done or none, and once however often they are sent.
        """
        keys = list(dict.fromkeys(write.key for write in writes))
        while keys:
            # The texts themselves are compared, since an operator may have written them in another form.
            texts = dict(zip(keys, await self._texts(keys), strict=True))
            trials, joined = [], []
            for write in writes:
                text = texts[write.key]
                present = None if text is None else self._decoded(write.key, text)
                joined.append(hows[write.extra].join(present, json.loads(write.text)))
                texts[write.key] = after = canonical(joined[-1])
                trials.append(write._replace(text=after, extra=text or ""))
            if await self.apply(trials):
                return joined
        return []

    async def _write(self, kind: WriteKind, key: str, text: str = "", ttl: float | None = None, extra: str = "") -> int:
        async with self._writing:  # numbers must arrive in order
            return (await self.apply([self._numbered(kind, key, text, ttl, extra)]))[0]

    def _numbered(self, kind: WriteKind, key: str, text: str, ttl: float | None, extra: str) -> Write:
        expires = None if ttl is None else self._clock() + ttl
        return Write(self._writer, next(self._numbers), kind, key, text, expires, extra)

    def _arguments(self, write: Write) -> list[str]:
        """Return a write as the script reads it; what has expired while it waited goes a millisecond after it came."""
        ttl = "" if write.expires is None else str(max(1, round((write.expires - self._clock()) * 1000)))
        return [str(write.number), write.kind, write.text, ttl, write.extra]

    async def _texts(self, keys: Sequence[str]) -> list[str | None]:
        texts: list[str | None] = await self._asked(partial(self._client.mget, keys)) if keys else []
        return texts

    async def _keys(self, prefix: str) -> set[str]:
        pattern = re.sub(r"([*?\[\]\\])", r"\\\1", prefix) + "*"
        keys: set[str] = set()
        cursor = 0
        while True:
            cursor, page = await self._asked(partial(self._client.scan, cursor, match=pattern, count=_PAGE))
            keys |= {key for key in page if not key.startswith(OWN)}
            if cursor == 0:
                return keys

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._translated(), asyncio.timeout(CALL_SECONDS):
            return await ask()

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        """Turn Redis's errors into the project's; the cause is cut off, because it may quote the password."""
        try:
            yield
        except TimeoutError:
            raise StorageAway(f"{self.place} does not answer within {CALL_SECONDS:g} s") from None
        except exceptions.RedisError as error:
            raise self._translation(error) from None

    def _translation(self, error: exceptions.RedisError) -> StorageError:
        if isinstance(error.__cause__, exceptions.RedisError):
            error = error.__cause__  # a refused login comes wrapped in a lost connection
        told = str(error).replace(self._password, "***") if self._password else str(error)
        match error:
            case exceptions.ResponseError() if _FOR_GOOD.search(told):
                return StorageRefused(f"{self.place} refuses this for good: {told}")
            case exceptions.AuthenticationError() | exceptions.AuthorizationError() | exceptions.NoPermissionError():
                return StorageError(
                    f"{self.place} refuses this user ({told}); correct UNDERSTUDY_REDIS_URL or its rights"
                )
            case exceptions.ConnectionError() | exceptions.TimeoutError() | exceptions.ReadOnlyError():
                return StorageAway(f"{self.place} is away ({told})")
            case exceptions.OutOfMemoryError():
                return StorageFull(f"{self.place} has no memory left ({told}); give it more or free some")
            case exceptions.ResponseError() if told.startswith("MISCONF"):
                return StorageFull(f"{self.place} cannot write its files ({told}); look at its disk")
            case _:
                return StorageError(f"{self.place} cannot be used: {told}")

    def _decoded(self, key: str, text: str) -> Value:
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise StorageCorrupt(f"{key!r} in {self.place} is not a JSON object; correct or delete it")
        return value


def _check(url: str) -> None:
    """Raise `ValueError` for what redis-py would overlook, such as a password's end that is taken for a path."""
    parts = urlsplit(url)
    database = parts.path.strip("/")
    if "@" in parts.path or (parts.scheme != "unix" and database and not database.isdigit()):
        raise ValueError
