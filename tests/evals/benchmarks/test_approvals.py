"""The approvals benchmark, shortened: its figures are what the product promises, and it sees when they are not."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis

from domain.errors import UserError
from evals.benchmarks import approvals_desk, approvals_runs, private_servers
from evals.benchmarks.approvals import FULL, PARTS, QUICK, chosen_parts
from evals.benchmarks.approvals_crew import Crew
from evals.benchmarks.approvals_desk import Ground, Part
from evals.benchmarks.private_servers import MissingServer, Servers
from understudy.approving import worker


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """The processes that all parts share."""
    with Crew(worker, tmp_path_factory.mktemp("crew"), 3) as opened:
        yield opened


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """The servers that all parts restart."""
    with Servers() as opened:
        yield opened


@pytest.fixture
def ground(servers: Servers, crew: Crew, tmp_path: Path) -> Ground:
    """Servers as empty as in the benchmark, where each part has its own."""
    with psycopg.connect(servers.postgres.url) as database:
        database.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
        database.execute("DROP SCHEMA public CASCADE")
        database.execute("CREATE SCHEMA public")
    with Redis.from_url(servers.redis.url) as redis:
        redis.flushall()
    return Ground(servers, crew, tmp_path, random.Random(1))


def unmet(part: Part) -> list[str]:
    return [str(aim) for aim in part.aims if not aim.met(part.figures)]


def test_a_decision_that_is_delivered_twice_is_applied_once(ground: Ground) -> None:
    part = approvals_desk.twice(ground, 10)
    assert unmet(part) == []
    assert part.figures["deliveries"] == 20


def test_a_decision_and_its_deadline_have_one_winner(ground: Ground) -> None:
    part = approvals_desk.race(ground, 20)
    never = {"won_by_person >= 1", "won_by_deadline >= 1"}  # on a slow machine all may go one way
    assert set(unmet(part)) - never == set()


def test_deadlines_that_pass_while_all_is_down_fire_once(ground: Ground) -> None:
    part = approvals_desk.deadlines(ground, 10)
    slow = {"seconds_after_start_worst <= 5"}
    assert set(unmet(part)) - slow == set()


def test_two_workers_do_each_run_once(ground: Ground) -> None:
    assert unmet(approvals_runs.claims(ground, 3)) == []


def test_killed_runs_lose_and_double_nothing(ground: Ground) -> None:
    part = approvals_runs.kills(ground, 3)
    assert unmet(part) == []
    assert part.figures["boundaries"] >= 12  # before and after each of ask, decide, resume, act, record


def test_restarted_servers_lose_and_double_nothing(ground: Ground) -> None:
    part = approvals_runs.restarts(ground, 4, shortest=2.0, longest=4.0)
    assert unmet(part) == []


def test_waiting_threads_are_woken_after_a_restart(ground: Ground) -> None:
    part = approvals_runs.waiting(ground, 4, idle_seconds=0.2)
    assert (part.figures["not_resumed"], part.figures["doubled"]) == (0, 0)


def test_an_effect_that_happened_twice_is_counted(ground: Ground) -> None:
    troop = approvals_runs.Troop(ground, "twice-over")
    for _ in range(2):
        troop.world.add("+", "sent1", "")
    assert troop.doubled() == 1


@pytest.mark.parametrize(
    ("end", "winner"),
    [
        ({"status": "decided", "by": ["ann"], "decisions": ["approve"]}, "ann"),
        ({"status": "decided", "by": ["timeout"], "decisions": ["reject"]}, "timeout"),
        ({"status": "decided", "by": ["ann", "timeout"], "decisions": ["approve"]}, ""),
        ({"status": "decided", "by": ["ann"], "decisions": ["reject"]}, ""),
        ({"status": "open", "by": [], "decisions": []}, ""),
    ],
    ids=["person", "clock", "both", "mixed up", "nobody"],
)
def test_a_winner_is_one_alone(end: dict[str, Any], winner: str) -> None:
    assert approvals_desk.winner(end) == winner


def test_parts_are_chosen_by_name() -> None:
    assert chosen_parts([]) == PARTS
    assert chosen_parts(["kills", "race"]) == ("race", "kills")
    with pytest.raises(UserError, match="no part 'rice'"):
        chosen_parts(["rice"])


def test_the_quick_one_is_smaller_in_everything() -> None:
    assert all(small < full for small, full in zip(QUICK, FULL, strict=True))


def test_a_missing_server_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda command: None)
    monkeypatch.setattr(private_servers, "POSTGRES_VERSIONS", Path("/nonexistent"))
    with pytest.raises(MissingServer, match="apt-get install postgresql"):
        private_servers.PostgresServer()
    with pytest.raises(MissingServer, match="apt-get install redis-server"):
        private_servers.RedisServer()
