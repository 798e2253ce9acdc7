"""Stopping from outside, with a model that never answers: cancelled or told to end, a run stops and goes on later."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.errors import GraphDrained

from domain.events import RunFinished, RunStopped
from evals.scripted import ScriptedServer
from tests.forks import Forks, command
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings, load_settings
from understudy.stopping import Brake

GOAL = "Explain in detail what a heat pump does"
SILENCE = {"hang": 60}


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A model that is asked and never answers."""
    with ScriptedServer([SILENCE], repeat="cycle") as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-0123456789")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        yield server


def by_rules(settings: Settings) -> Settings:
    """Return settings without a model, so that the rest is done by the rule-based twins."""
    return settings.model_copy(update={"openai_api_key": None, "openai_base_url": None})


async def test_a_cancelled_run_stops_and_goes_on_later(silent: ScriptedServer) -> None:
    settings = load_settings()
    async with Orchestrator(settings) as orchestrator:
        events: list[Any] = []
        async for stamped in orchestrator.stream(GOAL, thread="t"):
            events.append(stamped.event)
            if len(events) == 2:
                assert await orchestrator.cancel("t", grace=0.05)
        assert isinstance(events[-1], RunStopped) and events[-1].reason == "cancelled"
        assert not await orchestrator.cancel("t")
        assert [thread.state for thread in (await orchestrator.status()).open_threads] == ["stopped"]
    async with Orchestrator(by_rules(settings)) as orchestrator:
        ended = [stamped.event async for stamped in orchestrator.resume("t")]
    assert isinstance(ended[-1], RunFinished)


def test_sigterm_waits_no_longer_than_its_grace(forks: Forks, silent: ScriptedServer, tmp_path: Path) -> None:
    grace = {"UNDERSTUDY_DRAIN_GRACE": "0.2"}
    with forks.start(command, "run", GOAL, "--json", environment=grace, folder=tmp_path) as run:
        assert json.loads(run.stdout.readline())["type"] == "run_started"
        asked = time.monotonic()
        run.send_signal(signal.SIGTERM)
        rest = [json.loads(line) for line in run.stdout]
        assert run.wait() == 130
    assert rest[-1]["type"] == "run_stopped"
    assert time.monotonic() - asked < 20  # a model call alone may take 90


async def endless(began: asyncio.Event, ended: asyncio.Event) -> AsyncIterator[int]:
    try:
        yield 1
        began.set()
        await asyncio.Event().wait()
    finally:
        ended.set()


async def test_a_brake_cuts_after_its_grace_and_lets_the_run_tidy_up() -> None:
    brake, began, ended = Brake(), asyncio.Event(), asyncio.Event()
    seen = []
    with pytest.raises(GraphDrained, match="why"):
        async for chunk in brake.followed(endless(began, ended)):
            seen.append(chunk)
            brake.stop("why", grace=0)
    assert (seen, ended.is_set(), brake.drain_reason) == ([[1]], True, "why")


async def test_a_brake_passes_on_what_a_run_raises() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async for _ in Brake().followed(broken()):
            pass


async def test_whoever_stops_looking_stops_the_run() -> None:
    began, ended = asyncio.Event(), asyncio.Event()
    following = Brake().followed(endless(began, ended))
    assert await anext(following) == [1]
    await following.aclose()  # type: ignore[attr-defined]
    assert ended.is_set()
