import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.benchmarks.nursery import Nursery
from tests import postgres
from tests.chroma_server import ChromaProcess
from tests.forks import Forks, warm
from tests.redis_server import RedisServer

_PREFIXES = ("OPENAI_", "UNDERSTUDY_", "LANGCHAIN_", "LANGSMITH_", "LANGGRAPH_", "ANTHROPIC_", "XDG_")
_QUIET = {
    "ANONYMIZED_TELEMETRY": "False",  # chromadb
    "DO_NOT_TRACK": "1",
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGSMITH_TRACING": "false",
}


def pytest_sessionfinish() -> None:
    """End what tests of this process have started for all of them."""
    postgres.stop()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A developer's keys, settings and files cannot change a result, and nothing phones home."""
    for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
        monkeypatch.delenv(name)
    for name, value in _QUIET.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("UNDERSTUDY_HOME", str(home / "understudy"))


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Processes of the product, all from one that has imported it."""
    with Nursery(warm) as nursery:
        yield Forks(nursery)


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One server for all tests that leave it running."""
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A server that a test may kill."""
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def shared_chroma() -> Iterator[ChromaProcess]:
    """One server for all tests that leave it running."""
    server = ChromaProcess()
    yield server
    server.remove()


@pytest.fixture
def chroma_process() -> Iterator[ChromaProcess]:
    """A server that a test may kill."""
    server = ChromaProcess()
    yield server
    server.remove()
