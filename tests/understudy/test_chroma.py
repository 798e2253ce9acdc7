"""The product on a Chroma server: chosen by one setting, and honest about its state."""

from pathlib import Path

import pytest

from domain.errors import PublicAddress
from domain.events import RoleDegraded
from evals.scripted import ScriptedServer
from tests.chroma_server import ChromaProcess, guarded
from understudy.orchestrator import Orchestrator
from understudy.settings import load_settings

GOAL = "What does net generation mean?"
ENERGY = Path(__file__).parents[2] / "examples" / "energy"
TOKEN = "s3cret-token"


def opened(home: Path, url: str, token: str | None = None) -> Orchestrator:
    return Orchestrator(load_settings(home=home, data=ENERGY, chroma_url=url, chroma_token=token))


async def test_a_run_is_found_again_through_a_server(shared_chroma: ChromaProcess, tmp_path: Path) -> None:
    with guarded(shared_chroma, TOKEN) as proxy:
        async with opened(tmp_path, proxy.url, TOKEN) as understudy:
            await understudy.run(GOAL)
        async with opened(tmp_path, proxy.url, TOKEN) as understudy:
            assert (await understudy.route(GOAL)).source == "memory"
            assert not any("Chroma" in note for note in (await understudy.status()).degraded)
            assert TOKEN not in repr(understudy.settings)
    assert not (tmp_path / "chroma").exists()


async def test_a_run_goes_on_without_the_server_says_so_and_is_found_later(
    chroma_process: ChromaProcess, tmp_path: Path
) -> None:
    chroma_process.kill()
    async with opened(tmp_path, chroma_process.url) as understudy:
        result = await understudy.run(GOAL)
        assert result.outcome is not None and result.outcome.status == "done"
        told = [e.event.reason for e in result.events if isinstance(e.event, RoleDegraded) and e.event.role == "memory"]
        assert told and told[0].startswith("Chroma at 127.0.0.1:")
        assert any("Chroma at" in note for note in (await understudy.status()).degraded)
        chroma_process.start()
        assert (await understudy.route(GOAL)).source == "memory"


async def test_a_task_forgotten_without_the_server_is_told(chroma_process: ChromaProcess, tmp_path: Path) -> None:
    async with opened(tmp_path, chroma_process.url) as understudy:
        await understudy.run(GOAL)
        (task,) = await understudy.memory.list("default")
        chroma_process.kill()
        done = await understudy.forget(task.id)
        assert done.there and any("Chroma at" in note for note in done.notes)


async def test_a_public_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PublicAddress):
        async with opened(tmp_path, "http://8.8.8.8:8000"):
            pass


async def test_a_run_goes_on_without_its_encoder_and_says_so(tmp_path: Path) -> None:
    replies = [{"status": 401, "body": {"error": {"message": "Incorrect API key provided: sk-s3cret"}}}]
    with ScriptedServer(replies, repeat="cycle") as server:
        settings = load_settings(
            home=tmp_path, data=ENERGY, encoder="openai:text-embedding-3-small", openai_base_url=server.base_url
        )
        async with Orchestrator(settings) as understudy:
            result = await understudy.run(GOAL)
            assert result.outcome is not None and result.outcome.status == "done"
            told = [
                e.event.reason for e in result.events if isinstance(e.event, RoleDegraded) and e.event.role == "memory"
            ]
            assert told and "refuses the key; correct OPENAI_API_KEY" in told[0]
            assert len(await understudy.memory.list("default")) == 1
