"""The console's gate: who comes in, from which page, and what the browser is told about the answer.

What its policy for content allows beyond the strictest, and why: `unsafe-eval`, since Vue compiles templates and
NiceGUI its handlers in the browser; inline styles, since elements carry theirs in an attribute. Scripts come from this
host or carry the nonce of the answer, which only the template of the page puts there; nothing comes from another host.
"""

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from nicegui import Client
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import UnderstudyError
from understudy.console.visits import SESSION_COOKIE, VISIT, Visit
from understudy.document_store import MAX_BYTES
from understudy.identity.hashing import csrf_of
from understudy.identity.local import is_local_request
from understudy.service.guards import OWN_LIMIT
from understudy.service.installation import Installation

NONCE = "understudy.nonce"
"""Under which a request's scope holds the nonce of its scripts."""
INSTALLATION = "understudy.installation"
"""Under which a request's scope holds the installation."""
CSRF_HEADER = "x-csrf-token"
_SAFE = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Middleware before everything below one path."""

    def __init__(self, app: ASGIApp, *, prefix: str, tasks: set[asyncio.Task[None]]) -> None:
        """Stand before an application.

        Args:
            app: What is guarded.
            prefix: Where the console is; the rest is let through untouched.
            tasks: What goes on for open pages.
        """
        self._app, self._prefix, self._tasks = app, prefix, tasks
        self._csrf = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through who may come in."""
        path = scope.get("path", "")
        if scope["type"] not in ("http", "websocket") or not (
            path == self._prefix or path.startswith(f"{self._prefix}/")
        ):
            await self._app(scope, receive, send)
            return
        scope[NONCE] = secrets.token_urlsafe(16)
        scope[INSTALLATION] = scope["app"].state.installation
        guarded = _Guarded(send, scope[NONCE], path.startswith(f"{self._prefix}/_nicegui/"))
        refusal = await self._refusal(scope, path.removeprefix(self._prefix))
        if refusal is not None:
            await _refuse(refusal, scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

    async def _refusal(self, scope: Scope, path: str) -> Response | None:
        """Return what is answered in place of what was asked for; None lets it through."""
        headers, installation = Headers(scope=scope), scope[INSTALLATION]
        if (wrong := _foreign(scope, headers, installation)) is not None:
            return PlainTextResponse(wrong, 403)
        if _is_public(scope, path):
            return None
        connection = HTTPConnection(scope)
        session = connection.cookies.get(SESSION_COOKIE)
        address = connection.client.host if connection.client else ""
        try:
            is_local = is_local_request(headers.get("host"), headers.get("origin"), headers.keys())
            principal = await installation.identity.identify(
                authorization=None, session=session, address=address, is_local=is_local
            )
            found = await installation.identity.sessions.find(session) if session else None
        except UnderstudyError:
            if scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
                return RedirectResponse(f"{self._prefix}/login", 303)
            return PlainTextResponse("sign in first", 401)
        token = session if found else None
        visit = Visit(installation, principal, token, csrf_of(token) if token else self._csrf, address, self._tasks)
        if _is_of_another(connection, visit):
            return PlainTextResponse("this page was opened by somebody else; reload it", 403)
        scope[VISIT] = visit
        return None


class Room:
    """Middleware before all other: says of documents how large they may be, which is more than any other request."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        """Stand before an application; `prefix` is where the console is."""
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        path = scope.get("path", "")
        if path.startswith(f"{self._prefix}/c/") and path.endswith("/documents"):
            scope[OWN_LIMIT] = MAX_BYTES
        await self._app(scope, receive, send)


@dataclass
class _Guarded:
    """Adds to what is answered what the browser must know."""

    send: Send
    nonce: str
    is_library: bool
    """Whether it is a script or style whose address changes with what is in it."""

    async def __call__(self, message: Message) -> None:
        """Send a message on."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self.is_library and message["status"] == 200:
                headers["cache-control"] = "public, max-age=31536000, immutable"
            # An answer with a policy of its own is one that a page shows in a frame.
            own = "content-security-policy" in headers
            headers.setdefault("content-security-policy", _policy(self.nonce))
            headers["x-frame-options"] = "SAMEORIGIN" if own else "DENY"
        await self.send(message)


def is_own_form(visit: Visit, given: str | None) -> bool:
    """Return whether a request carries what only pages of the same visitor know."""
    return hmac.compare_digest(visit.csrf.encode(), (given or "").encode("utf-8", "surrogatepass"))


def _policy(nonce: str) -> str:
    return (
        "default-src 'none'; "
        f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _is_public(scope: Scope, path: str) -> bool:
    """Return whether everybody may have it: how to sign in, and scripts and styles without anything in them."""
    if path.rstrip("/") == "/login" or path.startswith("/login/"):
        return True
    return scope["type"] == "http" and scope["method"] in _SAFE and path.startswith(("/static/", "/_nicegui/", "/fav"))


def _foreign(scope: Scope, headers: Headers, installation: Installation) -> str | None:
    """Return why a request does not come from one of our own pages, or None."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if not installation.identity.is_configured and not is_local_request(host, origin, headers.keys()):
        return "this address is not one of this machine"
    changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
    if not changes:
        return None
    if origin is None:
        same = headers.get("sec-fetch-site") == "same-origin"
    else:
        same = urlsplit(origin).netloc.lower() == host.lower()
    return None if same else "the request comes from a page of another host"


def _is_of_another(connection: HTTPConnection, visit: Visit) -> bool:
    """Return whether somebody speaks for a page that another session opened."""
    page = Client.instances.get(connection.query_params.get("client_id", ""))
    opened = page.request.scope.get(VISIT) if page is not None else None
    return isinstance(opened, Visit) and opened.session != visit.session


async def _refuse(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await refusal(scope, receive, send)
