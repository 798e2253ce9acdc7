"""The front desk works beside whoever holds the data folder, and touches nothing of a run."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.errors import ForeignRecords, StorageError
from memory.audit import Audit
from memory.audit_check import checked
from memory.home import DataFolder
from tests.postgres import new_database
from tests.redis_server import RedisServer
from tests.understudy.durable.desks import question, request
from understudy.front_desk import open_front_desk
from understudy.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
SCRIPT = """
import asyncio, sys
from understudy.front_desk import open_front_desk
from understudy.settings import load_settings

async def main():
    async with open_front_desk(load_settings(user=sys.argv[1])) as front:
        for waiting in await front.inbox():
            await front.desk.answer("default", waiting.id, {"type": "approve"}, by=sys.argv[1], digest=waiting.digest)

asyncio.run(main())
print(*(name for name in ("chromadb", "langgraph", "apprise", "dbos") if name in sys.modules))
"""


def here(**given: object) -> Settings:
    return load_settings(**given)


async def test_several_processes_answer_beside_the_one_that_holds_the_folder() -> None:
    settings = here()
    folder = await DataFolder.open(settings.home, command="understudy worker")
    async with open_front_desk(settings) as front:
        for number in range(10):
            await front.desk.open(question(f"q{number}", request(quorum=3), opened=time.time()))
        command = [sys.executable, "-c", SCRIPT]
        running = [
            await asyncio.create_subprocess_exec(*command, by, cwd=ROOT, stdout=subprocess.PIPE)
            for by in ("ann", "bob", "cem")
        ]
        outputs = [(await each.communicate())[0] for each in running]
        assert [(each.returncode, output) for each, output in zip(running, outputs, strict=True)] == [(0, b"\n")] * 3
        decided = await front.inbox(closed=True)
        assert {(len(each.votes), each.status) for each in decided} == {(3, "decided")}
        assert len(decided) == 10
        found = await checked(Audit(front.records), "default")
        assert (found.sound, found.entries) == (True, 40)
    folder.close()


async def test_it_opens_neither_the_index_nor_the_checkpoints() -> None:
    settings = here()
    async with open_front_desk(settings) as front:
        assert await front.inbox() == []
    names = {path.name.split(".")[0] for path in await asyncio.to_thread(lambda: list(settings.home.iterdir()))}
    assert names == {"clock", "records", "runs"}


async def test_it_works_on_redis_and_postgresql(shared_redis: RedisServer) -> None:
    await shared_redis.empty()
    with new_database() as url:
        settings = here(redis_url=shared_redis.url, database_url=url)
        async with open_front_desk(settings) as front:
            await front.desk.open(question(opened=time.time()))
        async with open_front_desk(settings) as front:
            assert [each.id for each in await front.inbox()] == ["q1"]
            assert (await front.question("t-q1")).id == "q1"


async def test_a_database_of_other_records_is_refused() -> None:
    with new_database() as url:
        async with open_front_desk(here(database_url=url)):
            pass
        with pytest.raises(ForeignRecords):
            async with open_front_desk(here(database_url=url, home=here().home / "other")):
                pass


async def test_a_place_that_is_no_folder_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StorageError, match="not a folder"):
        async with open_front_desk(here(home=file)):
            pass


async def test_a_password_is_not_told() -> None:
    away = SecretStr("postgresql://me:hush-hush@127.0.0.1:1/none")
    with pytest.raises(StorageError) as told:
        async with open_front_desk(here(database_url=away)):
            pass
    assert "hush" not in str(told.value)
