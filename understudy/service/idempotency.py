"""Requests that come again: a POST with an `Idempotency-Key` is carried out once, and answered the same each time.

The header's meaning is that of draft-ietf-httpapi-idempotency-key-header. What is kept is the answer; a stream is not
kept but joined again, since its run has an id that is made of the key. An answer is given again only after it was
found out who asks and that this is allowed, as for every request: `begin` is called from where that is done.
"""

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import InvalidRequest, KeyReused
from understudy.durable.database import TABLES, Database
from understudy.identity.principals import Principal

HEADER = "idempotency-key"
REPLAYED = b"idempotency-replayed"
_STREAM = "text/event-stream"
_KEPT_SECONDS = 24 * 3600.0
_GOING_SECONDS = 60.0
"""After so long without an answer, the process that worked on the first request counts as gone."""
_GOING = "the first request with this idempotency key is not answered yet; try again"
_LONGEST = 200
_LARGEST = 1_000_000
"""Bytes of an answer that is kept; a longer one is made anew."""
_RUNS = uuid.UUID("6f1f0f3e-7b53-5a0e-9d0f-3a54a5fbe0a1")

_ANSWERS = sa.Table(
    "idempotent_answers", TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("time", sa.Double, nullable=False, index=True),
    sa.Column("status", sa.Integer),
    sa.Column("headers", sa.Text),
    sa.Column("body", sa.LargeBinary),
)  # fmt: skip


class Answer(NamedTuple):
    """What a request was answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Replays:
    """The answers of one day, in the database, so that any node gives them."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock

    async def begin(self, key: str, request: str) -> Answer | None:
        """Return what a request was answered before; None where it is to be carried out now.

        Args:
            key: Digest of the key and of who sent it.
            request: Digest of the request.

        Raises:
            KeyReused: The key came with another request, or the first one is being carried out.
        """
        return await self._database.write(lambda connection: self._begun(connection, key, request))

    def _begun(self, connection: sa.Connection, key: str, request: str) -> Answer | None:
        now = self._clock()
        connection.execute(sa.delete(_ANSWERS).where(_ANSWERS.c.time <= now - _KEPT_SECONDS))
        row = connection.execute(sa.select(_ANSWERS).where(_ANSWERS.c.id == key).with_for_update()).first()
        if row is None:
            try:
                with connection.begin_nested():
                    connection.execute(sa.insert(_ANSWERS).values(id=key, request=request, time=now))
            except sa.exc.IntegrityError:  # on a shared database, by another node at the same moment
                raise KeyReused(_GOING) from None
            return None
        if row.request != request:
            raise KeyReused("this idempotency key came before with another request")
        if row.status is None and row.headers is None:
            if row.time > now - _GOING_SECONDS:
                raise KeyReused(_GOING)
            connection.execute(sa.update(_ANSWERS).where(_ANSWERS.c.id == key).values(time=now))
        if row.status is None:
            return None
        return Answer(row.status, [(name, value) for name, value in json.loads(row.headers)], bytes(row.body))

    async def keep(self, key: str, answer: Answer) -> None:
        """Keep an answer for whoever asks again."""
        values = {"status": answer.status, "headers": json.dumps(answer.headers), "body": answer.body}
        where = _ANSWERS.c.id == key
        await self._database.write(
            lambda connection: connection.execute(sa.update(_ANSWERS).where(where).values(values))
        )

    async def join(self, key: str) -> None:
        """Note that a request was answered with a stream, which whoever asks again joins."""
        await self._noted(key, {"headers": "[]"})

    async def drop(self, key: str) -> None:
        """Forget a request that came to nothing, so that it can be tried again."""
        gone = sa.delete(_ANSWERS).where(_ANSWERS.c.id == key)
        await self._database.write(lambda connection: connection.execute(gone))

    async def _noted(self, key: str, values: dict[str, Any]) -> None:
        change = sa.update(_ANSWERS).where(_ANSWERS.c.id == key).values(values)
        await self._database.write(lambda connection: connection.execute(change))


def run_id(key: str) -> str:
    """Return the id of the run that a request with an idempotency key starts."""
    return str(uuid.uuid5(_RUNS, key))


class AnsweredBefore(Exception):
    """A request came before, and is answered as it was then."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


async def begin(request: Request, replays: Replays, principal: Principal) -> None:
    """Note that a POST with a key is carried out from now on; without a key nothing is noted.

    Args:
        request: What is asked.
        replays: The answers that were given.
        principal: Who asks, and may; nobody gets what was answered to others.

    Raises:
        AnsweredBefore: It came before.
        KeyReused: The key came with another request, or the first one is being carried out.
        InvalidRequest: It is no key.
    """
    if request.method != "POST" or HEADER not in request.headers:
        return
    key = _key(request.headers[HEADER], principal)
    known = await replays.begin(key, _request(request.scope, await request.body()))
    if known is not None:
        raise AnsweredBefore(known)
    request.state.idempotency = key


def answered_before(_: Request, known: Exception) -> Response:
    """Return the answer that was given before."""
    assert isinstance(known, AnsweredBefore)
    response = Response(known.answer.body, known.answer.status)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in known.answer.headers]
    response.raw_headers = [*headers, (REPLAYED, b"true")]
    return response


class Idempotency:
    """ASGI middleware: keeps what POSTs with a key are answered."""

    def __init__(self, app: ASGIApp, replays: Callable[[], Replays]) -> None:
        """Set it up.

        Args:
            app: What is wrapped.
            replays: Returns the store, which is open by the time of the first request.
        """
        self._app, self._replays = app, replays

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request carried out, and keep its answer where it began to be carried out."""
        if scope["type"] != "http" or scope["method"] != "POST" or HEADER not in Headers(scope=scope):
            await self._app(scope, receive, send)
            return
        kept = _Kept(send, self._replays, scope.setdefault("state", {}))
        try:
            await self._app(scope, receive, kept)
        except BaseException:
            await kept.failed()
            raise
        await kept.ended()


class _Kept:
    """Sends an answer on, and keeps it; a stream is noted as soon as it begins, since it may be cut off any time."""

    def __init__(self, send: Send, replays: Callable[[], Replays], state: dict[str, Any]) -> None:
        self._send, self._replays, self._state = send, replays, state
        self._body, self._status = bytearray(), 0
        self._headers: list[tuple[str, str]] = []
        self.is_stream = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
            self.is_stream = any(
                "text/event-stream" in value for name, value in self._headers if name == "content-type"
            )
        elif message["type"] == "http.response.body" and not self.is_stream and len(self._body) <= _LARGEST:
            self._body += message.get("body", b"")
        await self._send(message)
        if message["type"] == "http.response.start" and self.is_stream and self._key:
            await self._replays().join(self._key)

    @property
    def _key(self) -> str:
        """The request's digest; empty where it did not begin to be carried out."""
        return str(self._state.get("idempotency", ""))

    async def ended(self) -> None:
        """Keep what was sent whole; a refusal changed nothing, so it can be tried again."""
        if not 200 <= self._status < 300 or len(self._body) > _LARGEST:
            await self.failed()
        elif self._key and not self.is_stream:
            await self._replays().keep(self._key, Answer(self._status, self._headers, bytes(self._body)))

    async def failed(self) -> None:
        """Forget a request that came to nothing; a stream that was cut off is joined."""
        if self._key and not self.is_stream:
            await self._replays().drop(self._key)


def _key(key: str, principal: Principal) -> str:
    """Return the digest of a key and of who sent it, however often a token is renewed.

    Raises:
        InvalidRequest: It is no key.
    """
    if not 0 < len(key) <= _LONGEST or not key.isprintable():
        msg = f"an idempotency key has 1 to {_LONGEST} printable characters"
        raise InvalidRequest(msg)
    return _digest([key, principal.via, principal.key or principal.user])


def _request(scope: Scope, body: bytes) -> str:
    return _digest([scope["path"], scope["query_string"].decode("latin-1"), hashlib.sha256(body).hexdigest()])


def _digest(parts: list[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
