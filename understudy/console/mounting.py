"""Putting the console into the service: its pages, its static files, its gate."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from jinja2 import BaseLoader, Environment
from nicegui import app as console
from nicegui import client as nicegui_client
from nicegui import core, ui
from starlette.middleware import Middleware

from understudy.console import pages
from understudy.console.frame import PREFIX, shown
from understudy.console.guard import NONCE, Guard, Room
from understudy.console.routes import ROUTES
from understudy.console.theme import STATIC
from understudy.settings import Settings

_SLOW = 30.0
"""Seconds that a page may take to be built, for example while records are away."""
_RECONNECT = 5.0
"""Seconds for which the page of a browser that went away is kept."""


def mount(app: FastAPI, settings: Settings) -> None:
    """Serve the console below `/console`; the application's lifespan opens and closes it.

    Args:
        app: The service; its state holds the installation by the time of the first request.
        settings: What is configured.
    """
    _with_nonces()
    for each in pages.all_pages():
        ui.page(each.path, title=f"{each.title} · Understudy", response_timeout=_SLOW)(shown(each))
    for path, methods, answer in ROUTES:
        console.remove_route(path)
        console.add_api_route(path, answer, methods=methods, include_in_schema=False)
    console.remove_route("/static/{path:path}")
    console.add_static_files("/static", STATIC, max_cache_age=86_400)
    # A process may have more than one service, one after the other; the middleware of the last one is the same.
    core.app.middleware_stack = None
    core.app.user_middleware.clear()
    tasks = app.state.console_tasks = set[asyncio.Task[None]]()
    _end_before_closing(app, tasks)
    ui.run_with(
        app,
        mount_path=PREFIX,
        title="Understudy",
        favicon=STATIC / "favicon.svg",
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=_RECONNECT,
        binding_refresh_interval=None,
    )
    app.add_middleware(Room, prefix=PREFIX)
    # Inside of everything else: what it says to browsers about pages comes before what the service says about the rest.
    app.user_middleware.append(Middleware(Guard, prefix=PREFIX, tasks=tasks))


def _end_before_closing(app: FastAPI, tasks: set[asyncio.Task[None]]) -> None:
    """Have what goes on for pages end before the application closes what they read."""
    whole = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(opened: FastAPI) -> AsyncIterator[Any]:
        async with whole(opened) as state:
            yield state
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app.router.lifespan_context = lifespan


def _with_nonces() -> None:
    """Have the scripts of the page's template carry the nonce of the answer; what a page shows cannot."""
    environment = nicegui_client.templates.env
    if not isinstance(environment.loader, _Nonces) and environment.loader is not None:
        environment.loader = _Nonces(environment.loader)
        if environment.cache is not None:
            environment.cache.clear()


class _Nonces(BaseLoader):
    """Loads templates with nonces in their script elements."""

    def __init__(self, loader: BaseLoader) -> None:
        self._loader = loader

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Return the source of a template."""
        source, name, is_current = self._loader.get_source(environment, template)
        nonce = f"{{{{ request.scope.get('{NONCE}', '') }}}}"
        return source.replace("<script", f'<script nonce="{nonce}"'), name, is_current
