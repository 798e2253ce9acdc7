"""Calls of a server: what is asked is carried out once, however often it has to be sent."""

import json
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from domain.errors import (
    InvalidRequest,
    InvalidSettings,
    KeyReused,
    ModelError,
    ServiceAway,
    ServiceError,
    UnderstudyError,
)
from understudy.client.address import checked_address
from understudy.client.patience import Patience
from understudy.client.problems import AWAY, error_of, retry_after

CONNECT_SECONDS = 5.0
_AGAIN = (*AWAY, httpx.codes.TOO_MANY_REQUESTS)
_EVENTS = "text/event-stream"


class Unanswered(Exception):
    """A try that gave nothing, and may give something when it is made again; never leaves the client."""

    def __init__(self, failure: UnderstudyError, least: float = 0.0) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.least = least
        """Seconds that the server asks to wait before the next try."""


class Calls:
    """Speaks HTTP with one server, on behalf of one workspace."""

    def __init__(
        self,
        url: str,
        key: SecretStr | None,
        workspace: str | None,
        *,
        patience: float,
        silence: float,
        answer: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Set up.

        Args:
            url: Where the server is.
            key: Says who asks.
            workspace: On whose behalf; None: that of the key.
            patience: Seconds for which a server that was there and is away is tried again.
            silence: Seconds without a byte after which a stream counts as broken.
            answer: Seconds after which a call counts as unanswered.
            transport: Carries requests; None: the network.
        """
        self.address = address = checked_address(url)
        headers = {"User-Agent": "understudy-client"}
        if key is not None:
            headers["Authorization"] = f"Bearer {_checked_key(key)}"
        self.place = f"the server at {address.netloc.decode('ascii')}"
        self._workspace, self._patience, self._was_reached = workspace, patience, False
        self._silence = httpx.Timeout(silence, connect=CONNECT_SECONDS)
        self._http = httpx.AsyncClient(
            base_url=address,
            headers=headers,
            timeout=httpx.Timeout(answer, connect=CONNECT_SECONDS),
            transport=transport,
            # Without TLS a proxy that the environment names would be given the key, for a server on this machine.
            trust_env=address.scheme == "https",
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def patience(self) -> Patience:
        """Return the patience with one thing that is wanted."""
        return Patience(self._patience)

    async def get(self, *path: str, **params: Any) -> Any:
        """Return what is at a path; parameters that are None are left out."""
        return await self._carried_out(self._request("GET", path, params, {}))

    async def post(self, *path: str, body: Any = None, **params: Any) -> Any:
        """Have something done, once, and return what came of it."""
        # All tries have one key, by which the server knows that they are one request.
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return await self._carried_out(self._request("POST", path, params, headers, json=body))

    async def put(self, *path: str, body: Any) -> Any:
        """Have something stand as it is given, and return how it stands then."""
        return await self._carried_out(self._request("PUT", path, {}, {}, json=body))

    async def text(self, *path: str) -> str:
        """Return the text that is at a path."""
        return (await self._answered(self._request("GET", path, {}, {}))).text

    @asynccontextmanager
    async def opened(self, *path: str, after: int, **params: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream of events, with one try; its bytes are to be read inside of the block.

        Args:
            path: Where it is.
            after: Number of the last event that was seen.
            params: As of `get`.

        Raises:
            Unanswered: It cannot be had now, or it broke off.
            ServiceError: It is no stream of events.
        """
        headers = {"Last-Event-ID": str(after), "Accept": _EVENTS, "Cache-Control": "no-store"}
        request = self._request("GET", path, params, headers, timeout=self._silence)
        with self._foreseen():
            response = await self._http.send(request, stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    self._check(response)
                if response.headers.get("content-type", "").partition(";")[0].strip() != _EVENTS:
                    raise ServiceError(f"{self.place} gives no event stream", status=response.status_code)
                self._was_reached = True
                yield response.aiter_bytes()
            finally:
                await response.aclose()

    async def _carried_out(self, request: httpx.Request) -> Any:
        return self._value(await self._answered(request))

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to a request, which is sent again for as long as the patience lasts."""
        patience = self.patience()
        while True:
            try:
                with self._foreseen():
                    response = await self._http.send(request)
                self._was_reached = True
                self._check(response)
                return response
            except Unanswered as tried:
                await patience.pause(tried.failure, least=tried.least)
            except KeyReused as failure:
                # Nobody else has the key of this call: an earlier try arrived, and is not answered yet.
                if not patience.is_tried_again:
                    raise
                await patience.pause(failure)

    def _value(self, response: httpx.Response) -> Any:
        """Return what a response that was read holds."""
        if response.status_code == httpx.codes.NO_CONTENT:
            return None
        try:
            return json.loads(response.content)
        except ValueError as error:
            msg = f"{self.place} does not answer as Understudy does; correct the server's URL"
            raise ServiceError(msg, status=response.status_code) from error

    def _check(self, response: httpx.Response) -> None:
        """Raise what a response that was read says is wrong."""
        if response.is_success:
            return
        error = error_of(response, self.place)
        # A model has been tried again on the other side already, and each time costs.
        if response.status_code in _AGAIN and not isinstance(error, ModelError):
            raise Unanswered(error, retry_after(response) or 0.0)
        raise error

    @contextmanager
    def _foreseen(self) -> Iterator[None]:
        """Put what can happen to a connection in words."""
        try:
            yield
        except httpx.TransportError as error:
            what = str(error) or type(error).__name__
            failure = ServiceAway(f"{self.place} is away ({what})")
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) and not self._was_reached:
                raise failure from error  # most likely it is not where it was looked for
            raise Unanswered(failure) from error
        except httpx.RequestError as error:
            raise ServiceError(f"{self.place} cannot be understood ({type(error).__name__})") from error

    def _request(
        self, method: str, path: tuple[str, ...], params: Mapping[str, Any], headers: Mapping[str, str], **more: Any
    ) -> httpx.Request:
        asked = {"workspace": self._workspace, **params}
        given = {name: value for name, value in asked.items() if value is not None}
        place = "/".join(map(_segment, path))
        return self._http.build_request(method, place, params=given, headers=headers, **more)


def _segment(name: str) -> str:
    """Return a name as one segment of a path."""
    if name in ("", ".", "..") or "/" in name or not name.isprintable():
        raise InvalidRequest(f"{name!r:.60} cannot be asked for over a network")
    return quote(name, safe="")


def _checked_key(key: SecretStr) -> str:
    value = key.get_secret_value()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidSettings("the server's key holds what no key does; write it without quotes and blanks")
    return value
