import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from understudy.service.app import create_app
from understudy.settings import Settings

ENERGY = Path(__file__).parents[3] / "examples" / "energy"
GOAL = "Which source of electricity grew most, and why?"
BASE = "http://127.0.0.1:8321"


def settings_in(home: Path, **given: object) -> Settings:
    """Return settings of a data folder with the rule-based twins, whatever the developer has configured."""
    for name in [name for name in os.environ if name.startswith(("UNDERSTUDY_", "OPENAI_"))]:
        del os.environ[name]
    return Settings(home=home, data=ENERGY, user="ada", **given)  # type: ignore[arg-type]  # a test's own


def client_of(app: FastAPI, **given: object) -> httpx.AsyncClient:
    """Return a client whose requests come from this machine, without a socket."""
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60, **given)  # type: ignore[arg-type]


@asynccontextmanager
async def opened(settings: Settings, *, with_engine: bool = True) -> AsyncIterator[FastAPI]:
    """Have the application open for the length of the block."""
    app = create_app(settings, with_engine=with_engine)
    async with app.router.lifespan_context(app):
        yield app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """The application of one person on this machine, one for all tests of a file."""
    async with opened(settings_in(tmp_path_factory.mktemp("service"))) as app:
        yield app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with client_of(app) as client:
        yield client
