"""Our application beside the LangGraph server's own routes: the API below `/understudy`, the console at `/console`.

The server imports `app` by name, as `langgraph.json` says. It holds nothing until the server starts; then it opens the
installation, in which the server's runs of the graph and its identities work, too.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from domain.errors import StorageAway
from understudy.installed import Installed, installed
from understudy.service.installation import Installation, open_installation
from understudy.settings import Settings, load_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

API, CONSOLE = "/understudy", "/console"


class Served:
    """The service while a LangGraph server runs."""

    def __init__(self, lent_to: Installed) -> None:
        """Set up what is opened with the server.

        Args:
            lent_to: Has the graph's runs work in the same installation.
        """
        self._lent_to = lent_to
        self._installation: Installation | None = None
        self._app: FastAPI | None = None
        lent_to.expect()

    @property
    def installation(self) -> Installation:
        """What requests work with.

        Raises:
            StorageAway: The server is starting or ending.
        """
        if self._installation is None:
            raise StorageAway("the installation is not open; the server is starting or ending")
        return self._installation

    @asynccontextmanager
    async def open(self, _: Starlette) -> AsyncIterator[None]:
        """Open the installation for as long as the server runs.

        Raises:
            StorageError: The data folder is in use, or a server cannot be reached.
        """
        settings = await asyncio.to_thread(load_settings)
        with_engine = settings.database_url is None  # with PostgreSQL, workers carry out what the API starts
        app = await asyncio.to_thread(_application, settings, with_engine)
        async with open_installation(settings, with_engine=with_engine) as opened:
            app.state.installation = opened
            self._installation, self._app = opened, app
            self._lent_to.lend(opened.house)
            try:
                async with app.router.lifespan_context(app):
                    yield
            finally:
                self._lent_to.take_back()
                self._installation = self._app = None

    async def api(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the service does, for a request below our prefix."""
        await self._answer("", scope, receive, send)

    async def console(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the service does, at the path that the console has in it, too."""
        await self._answer(CONSOLE, scope, receive, send)

    async def _answer(self, place: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on as if the service stood alone: its guards go by the whole path."""
        path = place + scope["path"].removeprefix(scope["root_path"])
        if (app := self._app) is None:
            raise StorageAway("the server is starting or ending")
        await app({**scope, "path": path, "raw_path": path.encode(), "root_path": ""}, receive, send)


def _application(settings: Settings, with_engine: bool) -> "FastAPI":
    # Imported here, in a thread: the console reads hundreds of files, which the server forbids on its event loop.
    from understudy.service.app import create_app

    return create_app(settings, with_engine=with_engine)


served = Served(installed())
"""The one of this process."""
app = Starlette(
    routes=[
        Route(CONSOLE, RedirectResponse(f"{CONSOLE}/")),
        Mount(API, served.api),
        Mount(CONSOLE, served.console),
    ],
    lifespan=served.open,
)
