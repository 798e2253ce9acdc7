"""The service under load, on this machine: latency, throughput, scale, joining again, kills and pages.

Every scenario starts an installation of its own with `serve --no-worker` processes, workers, PostgreSQL, Redis and
Chroma on the loopback, and a model that answers after a fixed time.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from domain.errors import UserError
from evals.benchmarks.serve_kills import KILLS_AIMS, MOST_RUNS, kills
from evals.benchmarks.serve_load import RUNS_AT_ONCE, SCALE_AIMS, THROUGHPUT_AIMS, rate, throughput
from evals.benchmarks.serve_pages import PAGES_AIMS, pages
from evals.benchmarks.serve_sessions import REJOIN_AIMS, SESSIONS_AIMS, rejoin, sessions
from evals.benchmarks.serve_stage import Tell, open_stage
from evals.report import Aim, Report

MODEL_SECONDS = 0.2
"""What the model takes for an answer where nothing else is said."""
_SLOW_MODEL_SECONDS = 2.0
"""Where the model is to be what one waits for."""
_KILL_EVERY = 5.0
_JOINS, _VISITS = 40, 5


class UnknownScenario(UserError):
    """The benchmark has no scenario of this name."""

    code = "unknown_scenario"


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    sessions: int = 200
    seconds: float = 60.0
    """Of the conversations; the load of `throughput` and `scale` lasts a third of it."""
    think: float = 60.0
    """Seconds between two turns of a conversation, on average."""
    workers: int = 4
    kills: int = 12
    seed: int = 1
    servers: bool = False
    """Whether PostgreSQL and Redis are killed, too."""


Figures = Mapping[str, object]
Scenario = Callable[[Size, Tell], Awaitable[Figures]]


async def _sessions(size: Size, tell: Tell) -> Figures:
    with open_stage(workers=size.workers, delay=MODEL_SECONDS, tell=tell) as stage:
        tell(f"{size.sessions} sessions for {size.seconds:g} s")
        return await sessions(
            stage, sessions=size.sessions, seconds=size.seconds, think=size.think, delay=MODEL_SECONDS, seed=size.seed
        )


async def _throughput(size: Size, tell: Tell) -> Figures:
    with open_stage(workers=size.workers, delay=0, tell=tell) as stage:
        tell("the service and a bare graph in turn")
        return await throughput(stage, workers=size.workers, seconds=size.seconds / 3)


async def _scale(size: Size, tell: Tell) -> Figures:
    rates = []
    for workers in (1, 2):
        with open_stage(workers=workers, delay=_SLOW_MODEL_SECONDS, tell=tell) as stage:
            tell(f"load for {workers} worker(s)")
            rates.append(await rate(stage, clients=3 * RUNS_AT_ONCE, seconds=size.seconds / 3))
    one, two = rates
    return {
        "ratio": two / one, "one_worker_turns_per_second": one, "two_workers_turns_per_second": two,
        "model_ms": 1000 * _SLOW_MODEL_SECONDS, "clients": 3 * RUNS_AT_ONCE,
    }  # fmt: skip


async def _rejoin(size: Size, tell: Tell) -> Figures:
    with open_stage(workers=1, delay=MODEL_SECONDS, tell=tell) as stage:
        tell("joining again at the other node")
        return await rejoin(stage, joins=_JOINS)


async def _kills(size: Size, tell: Tell) -> Figures:
    with open_stage(workers=size.workers, delay=MODEL_SECONDS, tell=tell, marks=MOST_RUNS) as stage:
        return await kills(
            stage, clients=2 * size.workers, kills=size.kills, every=_KILL_EVERY, seed=size.seed, tell=tell,
            servers=size.servers,
        )  # fmt: skip


async def _pages(size: Size, tell: Tell) -> Figures:
    with open_stage(workers=1, api=1, delay=MODEL_SECONDS, tell=tell) as stage:
        tell("looking at the console")
        return await pages(stage, visits=_VISITS)


SCENARIOS: Mapping[str, tuple[Scenario, tuple[Aim, ...]]] = {
    "sessions": (_sessions, SESSIONS_AIMS),
    "throughput": (_throughput, THROUGHPUT_AIMS),
    "scale": (_scale, SCALE_AIMS),
    "rejoin": (_rejoin, REJOIN_AIMS),
    "kills": (_kills, KILLS_AIMS),
    "pages": (_pages, PAGES_AIMS),
}


def chosen_scenarios(names: Sequence[str]) -> list[str]:
    """Return the scenarios that are meant, in their order; all where none is named.

    Raises:
        UnknownScenario: There is none of this name.
    """
    for name in names:
        if name not in SCENARIOS:
            msg = f"there is no scenario {name!r}; there are {', '.join(SCENARIOS)}"
            raise UnknownScenario(msg)
    return [name for name in SCENARIOS if not names or name in names]


async def run(names: Sequence[str], size: Size, *, tell: Tell) -> Report:
    """Measure scenarios one after the other.

    Args:
        names: Which ones.
        size: How much.
        tell: Shows what is being done.

    Raises:
        MissingServer: PostgreSQL, Redis or Chroma is not installed.
        MissingExtra: `pages` needs a browser that is not installed.
    """
    figures: dict[str, object] = {}
    for name in names:
        measure, _ = SCENARIOS[name]
        figures[name] = await measure(size, lambda said, name=name: tell(f"{name}: {said}"))  # type: ignore[misc]
    aims = tuple(aim for name in names for aim in SCENARIOS[name][1])
    return Report("serve", figures, aims, _NOTES)


_NOTES = (
    "One machine carries everything: clients, model, servers and all processes.",
    "added_*: what a turn took beyond the calls of its model, as its worker timed them.",
    "beyond_model_*: what it took beyond the time that the model means to take.",
)
