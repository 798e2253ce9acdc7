"""The application: everything that is offered over HTTP, with what stands before it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import Scope

from understudy.console.mounting import mount
from understudy.identity.local import is_local_request
from understudy.known_secrets import known_secrets
from understudy.service.document import PROBLEMS, describe_all
from understudy.service.guards import Guards
from understudy.service.idempotency import AnsweredBefore, Idempotency, answered_before
from understudy.service.installation import Installation, open_installation
from understudy.service.problems import handle_errors
from understudy.service.routes import ROUTERS
from understudy.settings import Settings
from understudy.telemetry.http import Observed

DESCRIPTION = """\
A team of LLM agents that remembers what worked, checks its own work, and asks a person when it matters.

Errors are problem details (RFC 9457) with a stable `code`. Every POST takes an `Idempotency-Key`. Streams are
server-sent events of the stored log: whoever was cut off joins again with `Last-Event-ID`, on any node."""


def create_app(settings: Settings, *, with_engine: bool = True) -> FastAPI:
    """Return the application; everything is opened when it starts.

    Args:
        settings: What is configured.
        with_engine: Whether runs are carried out in this process, too.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if hasattr(app.state, "installation"):  # whoever serves it has opened it
            yield
            return
        async with open_installation(settings, with_engine=with_engine) as installation:
            app.state.installation = installation
            yield

    app = FastAPI(
        title="Understudy",
        version=version("understudy"),
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=PROBLEMS,
        docs_url=None,  # its scripts would come from elsewhere
        redoc_url=None,
    )
    for router in ROUTERS:
        app.include_router(router)
    describe_all(app)
    app.add_exception_handler(AnsweredBefore, answered_before)
    handle_errors(app, known_secrets(settings).text)

    def installation() -> Installation:
        opened: Installation = app.state.installation
        return opened

    def admitted(scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if "authorization" in headers or installation().identity.is_configured:
            return True  # who asks is looked at by every route
        return is_local_request(headers.get("host"), headers.get("origin"), headers.keys())

    app.add_middleware(Idempotency, replays=lambda: installation().replays)
    app.add_middleware(Guards, settings=settings.service, admitted=admitted)
    mount(app, settings)
    app.add_middleware(
        Observed, telemetry=lambda _: getattr(app.state, "installation", None) and installation().telemetry
    )
    return app
