"""Signing in with an API key or at an issuer, and out again; pages without scripts, so that they need nothing."""

import html
from importlib import metadata
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from domain.errors import Unauthenticated, UnderstudyError
from understudy.console.guard import is_own_form
from understudy.console.visits import SESSION_COOKIE, visit_of
from understudy.identity.access import Identity
from understudy.identity.principals import Principal
from understudy.service.installation import Installation

_HERE = "/console"
_STATE_COOKIE = "understudy_state"
_MOST_BYTES = 10_000
"""Of the form with a key."""
_STATE_SECONDS = 600

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Understudy</title><link rel="icon" href="/console/static/favicon.svg">
<link rel="stylesheet" href="/console/static/console.css?{version}"><script src="/console/static/theme.js?{version}">
</script></head><body><main class="login"><div class="card"><h1>Understudy</h1>{problem}
<form method="post" action="/console/login/key" class="stack"><div class="field"><label for="key">API key</label>
<input class="input mono" id="key" name="key" type="password" autocomplete="off" required autofocus
 aria-describedby="key-hint"><p class="hint" id="key-hint">It begins with us_. An administrator makes one with
 understudy keys create.</p></div><button class="button main" type="submit">Sign in</button></form>{issuer}</div></main>
</body></html>"""
_ISSUER = '<a class="button plain" href="/console/login/issuer">Sign in with {name}</a>'


async def show_login(request: Request) -> Response:
    """Show how to sign in; whoever needs not to is sent on."""
    installation = _installation(request)
    if not installation.identity.is_configured:
        return RedirectResponse(f"{_HERE}/", 303)
    return _page(installation)


async def sign_in(request: Request) -> Response:
    """Begin a session with an API key."""
    installation = _installation(request)
    try:
        key = await _key(request)
        address = request.client.host if request.client else ""
        principal = await installation.identity.identify(authorization=f"Bearer {key}", session=None, address=address)
    except UnderstudyError as error:
        return _page(installation, str(error))
    return await _begun(request, installation.identity, principal)


async def start_login(request: Request) -> Response:
    """Send the browser to the issuer."""
    installation = _installation(request)
    if (oidc := installation.identity.oidc) is None:
        return _page(installation, "no issuer is configured")
    try:
        begun = await oidc.login_url(_back(request))
    except UnderstudyError as error:
        return _page(installation, str(error))
    answer = RedirectResponse(begun.url, 303)
    # The state must come back in the browser that was sent, or somebody could sign others in as themselves.
    _keep(request, answer, _STATE_COOKIE, begun.state, seconds=_STATE_SECONDS)
    return answer


async def finish_login(request: Request) -> Response:
    """Begin a session for whom the issuer has sent back."""
    installation = _installation(request)
    given, state = request.query_params, request.cookies.get(_STATE_COOKIE)
    try:
        if (oidc := installation.identity.oidc) is None or not state or given.get("state") != state:
            raise Unauthenticated("this sign-in was not begun here, or it took too long; begin again")
        if "code" not in given:
            raise Unauthenticated("the issuer did not sign you in")
        principal = await oidc.finish(given["code"], state, issuer=given.get("iss"))
    except UnderstudyError as error:
        return _page(installation, str(error))
    answer = await _begun(request, installation.identity, principal)
    answer.delete_cookie(_STATE_COOKIE, path=_HERE)
    return answer


async def sign_out(request: Request) -> Response:
    """End a session."""
    visit = visit_of(request.scope)
    form = await request.form()
    if not is_own_form(visit, str(form.get("csrf", ""))):
        return _page(visit.installation, "this form does not belong to your session; sign out from a page of yours")
    if visit.session is not None:
        await visit.installation.identity.sessions.drop(visit.session)
    answer = RedirectResponse(f"{_HERE}/login", 303)
    answer.delete_cookie(SESSION_COOKIE, path=_HERE)
    return answer


async def _key(request: Request) -> str:
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or len(length) > 6 or int(length) > _MOST_BYTES:
        raise Unauthenticated("this is no key")
    key = (await request.form()).get("key")
    if not isinstance(key, str) or not key.strip().isprintable():
        raise Unauthenticated("this is no key")
    return key.strip()


async def _begun(request: Request, identity: Identity, principal: Principal) -> Response:
    session = await identity.sessions.create(principal)
    answer = RedirectResponse(f"{_HERE}/", 303)
    _keep(request, answer, SESSION_COOKIE, session.token)
    return answer


def _keep(request: Request, answer: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Give the browser a cookie that scripts cannot read and other sites cannot send with what changes something."""
    identity = _installation(request).settings.identity
    secure = identity.has_secure_cookies(request.url.scheme, request.url.hostname or "")
    answer.set_cookie(name, value, max_age=seconds, path=_HERE, secure=secure, httponly=True, samesite="lax")


def _back(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{_HERE}/login/finish"


def _page(installation: Installation, problem: str = "") -> Response:
    oidc = installation.settings.identity.oidc
    shown = f'<p class="wrong" role="alert">{html.escape(problem)}</p>' if problem else ""
    issuer = _ISSUER.format(name=html.escape(urlsplit(oidc.issuer).hostname or "")) if oidc else ""
    text = _PAGE.format(version=metadata.version("understudy"), problem=shown, issuer=issuer)
    return HTMLResponse(text, 401 if problem else 200, {"cache-control": "no-store"})


def _installation(request: Request) -> Installation:
    """Return the installation that the guard has found; the console's own application does not know it."""
    installation: Installation = request.scope["understudy.installation"]
    return installation
