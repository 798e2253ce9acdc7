"""OpenID Connect: bearer tokens of an issuer, and signing in there (authorization code with PKCE)."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx
import sqlalchemy as sa

from domain.errors import InvalidSettings, IssuerAway
from understudy.durable.database import Database
from understudy.identity.hashing import SECRET_CHARS, drawn, hashed
from understudy.identity.issuer import ANSWER_SECONDS, Issuer, issuer_client, json_of
from understudy.identity.members import Members
from understudy.identity.names import claimed_memberships, joined
from understudy.identity.principals import Principal
from understudy.identity.settings import OidcSettings, is_safe_url
from understudy.identity.tables import LOGINS
from understudy.identity.tokens import Claims, Tokens, refused

_LOGIN_SECONDS = 600.0
"""Time that somebody has to sign in at the issuer."""
_MOST_LOGINS = 10_000
"""Sign-ins that may have begun and not ended; beyond that the oldest are dropped, as anybody can begin one."""
_MOST_CODE = 4096


class Login(NamedTuple):
    """A sign-in that has begun."""

    url: str
    """Where the browser is sent."""
    state: str
    """Comes back with the browser. Keep it in a cookie of that browser until then, and compare the two: else somebody
    could have another person's browser signed in as himself."""


class _Begun(NamedTuple):
    nonce: str
    verifier: str
    redirect: str


class Oidc:
    """One issuer whose tokens are believed. Open it with `open_oidc`."""

    def __init__(
        self, settings: OidcSettings, database: Database, members: Members, clock: Callable[[], float],
        client: httpx.AsyncClient,
    ) -> None:  # fmt: skip
        self._settings, self._database, self._members, self._clock = settings, database, members, clock
        self._client = client
        self._issuer = Issuer(settings.issuer, client, clock)
        self._tokens = Tokens(settings, self._issuer, clock)

    async def identify(self, token: str) -> Principal:
        """Return who asks with a bearer token.

        Raises:
            Unauthenticated: It is not to be believed.
            IssuerAway: It cannot be checked now.
        """
        return await self._principal(await self._tokens.claims(token, self._settings.audiences))

    async def login_url(self, redirect: str) -> Login:
        """Begin to sign somebody in.

        Args:
            redirect: URL of our own that the issuer sends the browser back to; it must be registered there.

        Raises:
            InvalidSettings: It is not served over HTTPS, or the issuer has nothing to sign in at.
            IssuerAway: The issuer cannot be reached.
        """
        endpoint = (await self._issuer.metadata()).authorization_endpoint
        if endpoint is None or not is_safe_url(redirect):
            raise InvalidSettings("nobody can sign in here: it takes HTTPS, and an issuer with a sign-in page")
        state, begun = drawn(), _Begun(drawn(), drawn(), redirect)
        await self._keep(state, begun)
        asked = {
            "response_type": "code", "client_id": self._settings.client_id, "redirect_uri": redirect,
            "scope": " ".join(self._settings.scopes), "state": state, "nonce": begun.nonce,
            "code_challenge": _challenge(begun.verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        return Login(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked, quote_via=quote)}", state)

    async def finish(self, code: str, state: str, *, issuer: str | None = None) -> Principal:
        """Return who has signed in; a sign-in is finished once, whether it succeeds or not.

        Args:
            code: What the issuer sent with the browser.
            state: What came back with it, compared with the browser's own before.
            issuer: The parameter `iss` that came back, where there was one (RFC 9207).

        Raises:
            Unauthenticated: There is no such sign-in, its time is over, or the issuer does not confirm it.
            IssuerAway: It cannot be confirmed now.
        """
        begun = await self._taken(state)
        if begun is None or not 0 < len(code) <= _MOST_CODE:
            raise refused("no such sign-in has begun, or its time is over")
        if issuer is not None and issuer != self._settings.issuer:
            raise refused("another issuer has answered")
        token = await self._exchanged(code, begun)
        claims = await self._tokens.claims(token, (self._settings.client_id,))
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode("utf-8", "replace"), begun.nonce.encode()):
            raise refused("it belongs to another sign-in")
        if claims.get("azp", self._settings.client_id) != self._settings.client_id:
            raise refused("it was made for another client")
        return await self._principal(claims)

    async def _principal(self, claims: Claims) -> Principal:
        user = self._tokens.user_in(claims)
        name = self._settings.workspaces_claim
        claimed = claimed_memberships(claims.get(name)) if name else {}
        memberships = joined(claimed, await self._members.of(user))
        return Principal(user=user, memberships=memberships, claimed=claimed, via="oidc")

    async def _exchanged(self, code: str, begun: _Begun) -> str:
        """Return the ID token that a code stands for."""
        endpoint = (await self._issuer.metadata()).token_endpoint
        if endpoint is None:
            raise refused("the issuer exchanges no codes")
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": begun.redirect,
            "code_verifier": begun.verifier,
        }  # fmt: skip
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._posted(endpoint, form)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            msg = f"{self._settings.issuer} cannot confirm the sign-in now ({type(error).__name__})"
            raise IssuerAway(msg) from error
        except ValueError as error:
            raise refused("the issuer's answer cannot be read") from error
        if not isinstance(token := answer.get("id_token"), str):
            raise refused("the issuer gave no ID token")
        return token

    async def _posted(self, endpoint: str, form: dict[str, str]) -> dict[str, Any]:
        secret, auth, client = self._settings.client_secret, None, self._settings.client_id
        if secret is None:
            form = form | {"client_id": client}
        else:
            # RFC 6749 has both encoded as in a form before they are joined.
            auth = httpx.BasicAuth(quote(client, safe=""), quote(secret.get_secret_value(), safe=""))
        async with self._client.stream("POST", endpoint, data=form, auth=auth) as response:
            if response.is_server_error:
                response.raise_for_status()
            if not response.is_success:
                raise refused(f"the issuer does not confirm it (status {response.status_code})")
            return await json_of(response)

    async def _keep(self, state: str, begun: _Begun) -> None:
        now = self._clock()
        row = begun._asdict() | {"state": hashed(state), "expires": now + _LOGIN_SECONDS}
        await self._database.write(lambda connection: _insert(connection, row, now))

    async def _taken(self, state: str) -> _Begun | None:
        """Return a sign-in that has begun and take it away, so that it is finished once."""
        if len(state) != SECRET_CHARS:
            return None
        columns = (LOGINS.c.nonce, LOGINS.c.verifier, LOGINS.c.redirect, LOGINS.c.expires)
        query = sa.delete(LOGINS).where(LOGINS.c.state == hashed(state)).returning(*columns)
        row = await self._database.write(lambda connection: connection.execute(query).first())
        return _Begun(*row[:3]) if row is not None and row.expires > self._clock() else None


@asynccontextmanager
async def open_oidc(
    settings: OidcSettings | None, database: Database, members: Members, clock: Callable[[], float]
) -> AsyncIterator[Oidc | None]:
    """Open the issuer of the settings, where there is one; it is not asked before somebody comes with a token."""
    if settings is None:
        yield None
        return
    async with issuer_client() as client:
        yield Oidc(settings, database, members, clock, client)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _insert(connection: sa.Connection, row: dict[str, Any], now: float) -> None:
    connection.execute(sa.delete(LOGINS).where(LOGINS.c.expires <= now))
    newest = sa.select(LOGINS.c.state).order_by(LOGINS.c.expires.desc()).limit(_MOST_LOGINS - 1)
    if connection.execute(sa.select(sa.func.count()).select_from(LOGINS)).scalar_one() >= _MOST_LOGINS:
        connection.execute(sa.delete(LOGINS).where(LOGINS.c.state.not_in(newest)))
    connection.execute(sa.insert(LOGINS).values(row))
