"""The product on Redis: chosen by one setting, and honest about its state."""

from pathlib import Path

from pydantic import SecretStr

from tests.redis_server import RedisServer
from understudy.orchestrator import Orchestrator
from understudy.settings import load_settings
from understudy.standing import Status


async def status(home: Path, url: SecretStr) -> Status:
    async with Orchestrator(load_settings(home=home, redis_url=url.get_secret_value())) as understudy:
        return await understudy.status()


async def test_a_run_is_kept_in_redis(redis_server: RedisServer, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, redis_url=redis_server.url.get_secret_value())
    async with Orchestrator(settings) as understudy:
        result = await understudy.run("What can you do?", thread="t")
        assert await understudy.events("t") == result.events
    async with redis_server.client() as client:
        assert await client.llen("understudy:log:journal:default:t") == len(result.events)
    assert not (tmp_path / "records.sqlite").exists()


async def test_a_server_that_is_there_needs_no_note(redis_server: RedisServer, tmp_path: Path) -> None:
    found = await status(tmp_path, redis_server.url)
    assert (found.tasks, [note for note in found.degraded if "Redis" in note]) == (0, [])


async def test_the_status_says_that_redis_is_away_and_keeps_the_password(tmp_path: Path) -> None:
    found = await status(tmp_path, SecretStr("redis://:s3cret@127.0.0.1:1"))
    assert (found.tasks, found.open_threads) == (None, [])
    assert any(note.startswith("Redis at 127.0.0.1:1 is away") for note in found.degraded)
    assert "s3cret" not in found.model_dump_json()


def test_the_password_is_no_part_of_the_settings_text() -> None:
    assert "s3cret" not in repr(load_settings(redis_url="redis://:s3cret@host"))
