"""Workers as they really run: processes that are killed, paused and drained, on files and on real servers."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.benchmarks.private_servers import PostgresServer
from tests.forks import Forks
from tests.postgres import new_database
from tests.redis_server import RedisServer
from tests.understudy.durable.children import Stage, hear, staged

BOTH = Counter(["+chain1.a", "+chain1.b"])


@pytest.fixture
def stage(forks: Forks, tmp_path: Path) -> Iterator[Stage]:
    """Files only: one process at a time."""
    with staged(forks, tmp_path) as made:
        yield made


@pytest.fixture
def shared(forks: Forks, tmp_path: Path, redis_server: RedisServer) -> Iterator[Stage]:
    """PostgreSQL and Redis: several workers."""
    with new_database() as database:
        urls = {"UNDERSTUDY_DATABASE_URL": database, "UNDERSTUDY_REDIS_URL": redis_server.url}
        with staged(forks, tmp_path, **{name: url.get_secret_value() for name, url in urls.items()}) as made:
            yield made


def asked(stage: Stage, goal: str = "chain 1") -> None:
    """Start a run that stops at its first question."""
    first = stage.child("start", goal)
    assert first.ended() == 0
    assert first.heard[-1].startswith("approval_requested")


async def test_a_run_goes_on_where_it_was_approved_and_nobody_looked(stage: Stage) -> None:
    asked(stage)
    await stage.approve("chain1")
    once = stage.child("once")
    assert once.ended() == 0
    assert [line.split()[0] for line in (once.heard[0], once.heard[-2], once.heard[-1])] == [
        "began", "approval_requested", "ended",
    ]  # fmt: skip
    assert stage.world.happened() == Counter(["+chain1.a"])
    worker = stage.worker()
    await stage.approve("chain1")  # while the worker has the data folder
    worker.until("run_finished")
    assert worker.stop() == 0
    assert stage.world.happened() == BOTH
    idle = stage.child("once")
    assert (idle.ended(), len(idle.heard)) == (0, 2)


async def test_a_run_whose_process_was_killed_is_carried_on(stage: Stage) -> None:
    asked(stage)
    assert stage.child("approve", "chain1").ended() == 0
    killed = stage.child("approve", "chain1", stop_at="kill:end")
    assert killed.ended() == -signal.SIGKILL
    once = stage.child("once")
    assert once.ended() == 0
    assert any(line.startswith("run_finished") for line in once.heard)
    assert stage.world.happened() == BOTH


async def test_what_a_worker_leaves_when_it_is_told_to_end_goes_on_with_the_next(stage: Stage) -> None:
    asked(stage)
    await stage.approve("chain1")
    worker = stage.worker(stop_at="end")
    worker.until("approval_requested")
    await stage.approve("chain1")
    worker.halted()
    worker.process.send_signal(signal.SIGTERM)
    worker.process.send_signal(signal.SIGCONT)
    assert worker.ended() == 0
    second = stage.child("once")
    assert second.ended() == 0
    finished = [line for line in worker.heard + second.heard if line.startswith("run_finished")]
    assert (len(finished), stage.world.happened()) == (1, BOTH)


async def test_a_paused_worker_that_wakes_does_and_writes_nothing_more(shared: Stage) -> None:
    asked(shared)
    await shared.approve("chain1")
    paused = shared.worker(home="b", stop_at="end")
    paused.until("approval_requested")
    await shared.approve("chain1")
    paused.halted()
    other = shared.worker(home="c")
    other.until("run_finished")
    paused.process.send_signal(signal.SIGCONT)
    paused.until("failed")
    assert "by another process by now" in paused.heard[-1]
    assert (paused.stop(), other.stop()) == (0, 0)
    assert not [line for line in paused.heard if line.startswith("run_finished")]
    assert shared.world.happened() == BOTH


async def test_what_a_killed_worker_did_another_takes_over(shared: Stage) -> None:
    asked(shared)
    await shared.approve("chain1")
    killed = shared.worker(home="b", stop_at="kill:end")
    killed.until("approval_requested")
    await shared.approve("chain1")
    assert killed.ended() == -signal.SIGKILL
    other = shared.worker(home="c")
    other.until("run_finished")
    assert other.stop() == 0
    assert shared.world.happened() == BOTH


async def test_two_workers_do_once_what_is_decided(shared: Stage) -> None:
    goals = [f"fan {number}" for number in range(3)]
    for goal in goals:
        asked(shared, goal)
    workers = [shared.worker(home="b"), shared.worker(home="c")]
    for goal in goals:
        await shared.approve(goal.replace(" ", ""))
    hear(workers, "run_finished", len(goals))
    assert [worker.stop() for worker in workers] == [0, 0]
    assert shared.world.happened() == Counter(f"+fan{number}.{step}" for number in range(3) for step in "abc")


async def test_a_database_that_restarts_is_waited_for(forks: Forks, tmp_path: Path, redis_server: RedisServer) -> None:
    server = PostgresServer()
    try:
        urls = {"UNDERSTUDY_DATABASE_URL": server.url, "UNDERSTUDY_REDIS_URL": redis_server.url.get_secret_value()}
        with staged(forks, tmp_path, **urls) as stage:
            asked(stage)
            worker = stage.worker(home="b")
            server.kill()
            worker.until("away")
            server.start()
            worker.until("back")
            await stage.approve("chain1")
            worker.until("approval_requested")
            assert worker.stop() == 0
            assert stage.world.happened() == Counter(["+chain1.a"])
    finally:
        server.remove()


async def test_a_worker_with_other_records_refuses_to_start(
    forks: Forks, shared: Stage, shared_redis: RedisServer
) -> None:
    asked(shared)
    with staged(
        forks, shared.folder, **{**shared._environment, "UNDERSTUDY_REDIS_URL": shared_redis.url.get_secret_value()}
    ) as other:
        refused = other.child("worker", home="d")
        assert refused.ended() == 1
        assert refused.heard == []
