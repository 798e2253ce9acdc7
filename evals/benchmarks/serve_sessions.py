"""Many conversations at once with pauses between their turns, and a client that comes back at another node."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import aclosing

import httpx

from evals.benchmarks.serve_clients import Session, Turn, open_http, quantile, warm
from evals.benchmarks.serve_effects import GREETING
from evals.benchmarks.serve_stage import MemoryWatch, Stage
from evals.report import Aim

SESSIONS_AIMS = (
    Aim("sessions.added_p95_ms", "<=", 150),
    Aim("sessions.lost_events", "<=", 0),
    Aim("sessions.events_twice", "<=", 0),
    Aim("sessions.failed_turns", "<=", 0),
)
REJOIN_AIMS = (Aim("rejoin.p95_ms", "<=", 100), Aim("rejoin.wrong_events", "<=", 0))


async def sessions(
    stage: Stage, *, sessions: int, seconds: float, think: float, delay: float, seed: int = 1
) -> dict[str, object]:
    """Hold conversations for a time and return the figures.

    Args:
        stage: The installation.
        sessions: How many go on at once.
        seconds: How long.
        think: Seconds between two turns of one, on average; each pause is drawn, exponentially distributed.
        delay: Seconds that the model takes for an answer.
        seed: Of the pauses.
    """
    dice, turns = random.Random(seed), list[Turn]()
    async with open_http(stage.urls) as http:
        await warm(stage.urls, http, GREETING)
        held = [_session(stage, http, number) for number in range(sessions)]
        until = time.monotonic() + seconds

        async def talk(session: Session) -> None:
            await asyncio.sleep(dice.uniform(0, think))
            while time.monotonic() < until:
                turns.append(await session.say(GREETING))
                await asyncio.sleep(dice.expovariate(1 / think) if think else 0)

        with MemoryWatch(stage.cluster) as watch:
            ended = await asyncio.gather(*map(talk, held), return_exceptions=True)
    return {
        "sessions": sessions, "seconds": seconds, "think_seconds": think, "model_ms": 1000 * delay,
        "turns": len(turns), "turns_per_second": len(turns) / seconds,
        **_latencies(turns, delay),
        "failed_turns": sum(turn.status != "replied" for turn in turns) + sum(each is not None for each in ended),
        "lost_events": sum(session.missed for session in held),
        "events_twice": sum(session.twice for session in held),
        "joined_again": sum(session.joined for session in held),
        "rss_mb": watch.figures(),
    }  # fmt: skip


async def rejoin(stage: Stage, *, joins: int) -> dict[str, object]:
    """Come back to a conversation at the other node, and time the first event that was missed."""
    waits, wrong = list[float](), 0
    async with open_http(stage.urls) as http:
        for number in range(joins):
            session = Session(http, stage.urls[number % len(stage.urls) :] + stage.urls[: number % len(stage.urls)])
            last = (await session.say(GREETING)).events[-1]["seq"]
            after, other = last // 2, session.urls[-1]
            began = time.perf_counter()
            async with aclosing(session.join(after=after, at=other)) as events:
                async for event in events:
                    waits.append(1000 * (time.perf_counter() - began))
                    wrong += event["seq"] != after + 1
                    break
    return {"joins": joins, "p50_ms": quantile(waits, 0.5), "p95_ms": quantile(waits, 0.95), "wrong_events": wrong}


def _session(stage: Stage, http: httpx.AsyncClient, number: int) -> Session:
    """Return a session whose preferred API process is another one than that of the next."""
    first = number % len(stage.urls)
    return Session(http, [*stage.urls[first:], *stage.urls[:first]])


def _latencies(turns: Sequence[Turn], delay: float) -> dict[str, float]:
    """Return what turns took beyond the model: beyond what its calls took, and beyond what it means to take."""
    added = [1000 * (turn.seconds - turn.model_seconds) for turn in turns]
    beyond = [1000 * (turn.seconds - delay * len(turn.calls)) for turn in turns]
    first = [1000 * turn.first for turn in turns]
    return {
        "added_p50_ms": quantile(added, 0.5), "added_p95_ms": quantile(added, 0.95),
        "beyond_model_p50_ms": quantile(beyond, 0.5), "beyond_model_p95_ms": quantile(beyond, 0.95),
        "first_event_p50_ms": quantile(first, 0.5), "first_event_p95_ms": quantile(first, 0.95),
        "calls_per_turn": sum(len(turn.calls) for turn in turns) / max(1, len(turns)),
    }  # fmt: skip
