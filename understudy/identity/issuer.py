"""What an OpenID Connect issuer publishes: its addresses and its keys, fetched when needed and kept for a while.

A key that is not known has them fetched again, so that an issuer may change its keys at any time. It is asked for keys
at most every `COOLDOWN` seconds, however many tokens with made-up keys are sent.
"""

import asyncio
import json
import logging
import math
from collections.abc import Callable
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from pydantic import BaseModel, ValidationError, field_validator

from domain.errors import IssuerAway
from understudy.identity.settings import is_safe_url

PublicKey = RSAKey | ECKey | OKPKey
COOLDOWN = 30.0
"""Seconds before an issuer is asked again."""
FRESH = 3600.0
"""Seconds for which its answer is taken as it is."""
STALE = 86_400.0
"""Seconds for which keys are still believed while their issuer cannot be asked."""
ANSWER_SECONDS = 10.0
"""Time that an issuer has for a whole answer, however slowly it comes."""
_TIMEOUT = httpx.Timeout(5.0)
_MOST_BYTES = 1_000_000
_MOST_KEYS = 100
_DISCOVERY = "/.well-known/openid-configuration"


class Metadata(BaseModel):
    """An issuer's addresses."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None

    @field_validator("jwks_uri", "authorization_endpoint", "token_endpoint")
    @classmethod
    def _is_safe(cls, value: str | None) -> str | None:
        if value is not None and not is_safe_url(value):
            raise ValueError("it must be an https:// URL")
        return value


class Published(BaseModel):
    """What was fetched of an issuer, and when."""

    model_config = {"arbitrary_types_allowed": True}

    metadata: Metadata
    keys: list[PublicKey]
    time: float


class Issuer:
    """One issuer, as far as it publishes."""

    def __init__(self, url: str, client: httpx.AsyncClient, clock: Callable[[], float]) -> None:
        """Set up the issuer; nothing is asked before something is needed.

        Args:
            url: As in the settings.
            client: For requests; see `issuer_client`.
            clock: Returns unix time in seconds.
        """
        self._url, self._client, self._clock = url, client, clock
        self._published: Published | None = None
        self._tried, self._problem = -math.inf, ""
        self._asking = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Return its addresses, or raise `IssuerAway`."""
        return (await self._current()).metadata

    async def key(self, kid: str | None, kty: str) -> PublicKey | None:
        """Return the key that a token names; one that names none fits where there is one key of its type.

        Args:
            kid: Id of the key.
            kty: Type of keys that the token's algorithm takes.

        Raises:
            IssuerAway: It is not known, and the issuer cannot be asked.
        """
        published = await self._current()
        if (found := _among(published.keys, kid, kty)) is not None:
            return found
        published = await self._current(newer_than=published.time)
        return _among(published.keys, kid, kty)

    async def _current(self, newer_than: float = -math.inf) -> Published:
        if (known := self._fresh(newer_than)) is not None:
            return known  # and never waits for an issuer that is asked for another key just now
        async with self._asking:
            now = self._clock()
            if self._fresh(newer_than) is None and now - self._tried >= COOLDOWN:
                self._tried = now
                await self._ask(now)
            known = self._published
            is_usable = known is not None and now - known.time < STALE
            if known is None or not is_usable or (self._problem and known.time <= newer_than):
                msg = f"tokens of {self._url} cannot be checked now: {self._problem or 'it was not asked yet'}"
                raise IssuerAway(msg)
            return known

    def _fresh(self, newer_than: float) -> Published | None:
        known = self._published
        is_enough = known is not None and known.time > newer_than and self._clock() - known.time < FRESH
        return known if is_enough else None

    async def _ask(self, now: float) -> None:
        """Fetch what is published; where that fails, what was known stays."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                metadata = Metadata.model_validate(await self._fetched(self._url.rstrip("/") + _DISCOVERY))
                if metadata.issuer != self._url:
                    raise ValueError("its discovery document is of another issuer")
                keys = _keys_in(await self._fetched(metadata.jwks_uri))
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError, TimeoutError) as error:
            problem = _told(error)
            if problem != self._problem:
                logging.getLogger(__name__).warning("issuer %s cannot be asked for keys: %s", self._url, problem)
            self._problem = problem
            return
        self._problem = ""
        self._published = Published(metadata=metadata, keys=keys, time=now)

    async def _fetched(self, url: str) -> dict[str, Any]:
        async with self._client.stream("GET", url, headers={"Accept": "application/json"}) as response:
            response.raise_for_status()
            return await json_of(response)


def issuer_client() -> httpx.AsyncClient:
    """Return a client for requests to an issuer: what it answers is neither followed elsewhere nor waited for long."""
    return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)


async def json_of(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer that is being read, or raise `ValueError`."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise ValueError("its answer is too large")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("its answer is no JSON") from error
    if not isinstance(value, dict):
        raise ValueError("its answer is no JSON object")
    return value


def _keys_in(document: dict[str, Any]) -> list[PublicKey]:
    """Return the keys for signatures; those of other kinds, and damaged ones, are left out."""
    given = document.get("keys")
    if not isinstance(given, list):
        raise ValueError("its key document has no keys")
    return [key for each in given[:_MOST_KEYS] if (key := _key_in(each)) is not None]


def _key_in(value: Any) -> PublicKey | None:
    if not isinstance(value, dict) or value.get("kty") not in ("RSA", "EC", "OKP") or value.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(value)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _among(keys: list[PublicKey], kid: str | None, kty: str) -> PublicKey | None:
    fitting = [key for key in keys if key.key_type == kty and (kid is None or key.kid == kid)]
    return fitting[0] if len(fitting) == 1 or (fitting and kid is not None) else None


def _told(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered with status {error.response.status_code}"
    if isinstance(error, ValidationError):
        return "its discovery document cannot be used"
    if isinstance(error, httpx.HTTPError | httpx.InvalidURL | TimeoutError):
        return f"it cannot be reached ({type(error).__name__})"
    return str(error)
