"""Processes of an installation are killed again and again while clients have it change the world outside."""

import asyncio
import random
from collections.abc import Sequence
from typing import NamedTuple

from evals.benchmarks.serve_clients import GivenUp, Session, Turn, open_http, quantile, warm
from evals.benchmarks.serve_effects import GREETING, happened, mark_of, recording
from evals.benchmarks.serve_stage import Stage, Tell
from evals.report import Aim

KILLS_AIMS = (
    Aim("kills.lost_runs", "<=", 0),
    Aim("kills.effects_twice", "<=", 0),
    Aim("kills.effects_missing", "<=", 0),
    Aim("kills.restarted_by_hand", "<=", 0),
    Aim("kills.lost_events", "<=", 0),
    Aim("kills.events_twice", "<=", 0),
)
MOST_RUNS = 2000
SERVERS = ("postgres", "redis")
"""What can be killed beside API processes and workers."""


class Ended(NamedTuple):
    """A run and what its client heard of it."""

    number: int
    turn: Turn | None
    """None where the client gave up."""
    session: Session


async def kills(
    stage: Stage, *, clients: int, kills: int, every: float, seed: int, tell: Tell, servers: bool = False
) -> dict[str, object]:
    """Kill so many processes under load and return the figures.

    Args:
        stage: The installation.
        clients: How many have runs go on at once.
        kills: How many processes are killed.
        every: Seconds between two of them.
        seed: Of whom it hits.
        tell: Shows what is being done.
        servers: Whether PostgreSQL and Redis are killed, too.
    """
    ending, ended, numbers = asyncio.Event(), list[Ended](), iter(range(MOST_RUNS))
    async with open_http(stage.urls) as http:
        tell("waiting until every worker is warm")
        await warm(stage.urls, http, GREETING)

        async def work(first: int) -> None:
            urls = [*stage.urls[first % len(stage.urls) :], *stage.urls[: first % len(stage.urls)]]
            while not ending.is_set() and (number := next(numbers, None)) is not None:
                session = Session(http, urls)
                try:
                    ended.append(Ended(number, await session.say(recording(number)), session))
                except GivenUp:
                    ended.append(Ended(number, None, session))

        working = [asyncio.create_task(work(number)) for number in range(clients)]
        killed = await _killing(stage, kills, every, seed, tell, servers)
        ending.set()
        await asyncio.gather(*working)
    return {"kills": len(killed), "killed": _counted(killed), **_figures(stage, ended)}


async def _killing(stage: Stage, kills: int, every: float, seed: int, tell: Tell, servers: bool) -> list[str]:
    """Kill a process every so often, and return whom, with a moment before the first and after the last."""
    dice, killed = random.Random(seed), list[str]()
    candidates = [name for name in stage.cluster.names if name.startswith(("api-", "worker-"))]
    if servers:
        candidates += SERVERS
    await asyncio.sleep(every)
    for number in range(kills):
        name = dice.choice(candidates)
        tell(f"kill {number + 1} of {kills}: {name}")
        await asyncio.to_thread(stage.cluster.kill, name)
        killed.append(name)
        await asyncio.sleep(every * dice.uniform(0.5, 1.5))
    return killed


def _figures(stage: Stage, ended: Sequence[Ended]) -> dict[str, object]:
    world = happened(stage.effects)
    heard = [each for each in ended if each.turn is not None]
    statuses = [each.turn.status for each in heard if each.turn is not None]
    done = [each for each in heard if each.turn is not None and each.turn.status == "done"]
    return {
        "runs": len(ended), "statuses": _counted(statuses),
        "lost_runs": len(ended) - len(done),
        "effects_twice": sum(world[f"+{mark_of(each.number)}"] > 1 for each in ended),
        "effects_missing": sum(world[f"+{mark_of(each.number)}"] == 0 for each in done),
        "restarted_by_hand": len(ended) - len(heard),
        "lost_events": sum(each.session.missed for each in ended),
        "events_twice": sum(each.session.twice for each in ended),
        "joined_again": sum(each.session.joined for each in ended),
        "run_p50_s": quantile([each.turn.seconds for each in ended if each.turn], 0.5),
        "run_max_s": max((each.turn.seconds for each in ended if each.turn), default=float("nan")),
    }  # fmt: skip


def _counted(names: Sequence[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}
