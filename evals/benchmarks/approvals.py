"""Whether people stay in command: decisions, deadlines and waiting runs under concurrency, kills and restarts.

Every part works with real processes on a PostgreSQL and a Redis of its own, which are as durable as in earnest, and
counts in the world outside, in the desk's rows and in the audit what happened how often.
"""

import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from domain.errors import UserError
from evals.benchmarks import approvals_desk as desk
from evals.benchmarks import approvals_runs as runs
from evals.benchmarks.approvals_crew import Crew, Worker
from evals.benchmarks.approvals_desk import Ground, Part
from evals.benchmarks.private_servers import Servers
from evals.report import Aim, Report

_PROCESSES = 3
"""Orders that are done at a time at most: two workers, and who decides."""


class Sizes(NamedTuple):
    """How much of each part is done."""

    twice: int = 10_000
    """Decisions."""
    race: int = 1_000
    """Decisions that race their deadlines."""
    deadlines: int = 1_000
    waiting: int = 10_000
    """Threads."""
    claims: int = 1_000
    """Runs."""
    kills: int = 50
    restarts: int = 1_000
    """Runs."""
    shortest_pause: float = 5.0
    longest_pause: float = 40.0
    """Seconds between two restarts of a server."""


FULL = Sizes()
QUICK = Sizes(150, 50, 100, 60, 16, 8, 30, shortest_pause=3, longest_pause=8)
PARTS = ("twice", "race", "deadlines", "waiting", "claims", "kills", "restarts")


def chosen_parts(names: Sequence[str]) -> tuple[str, ...]:
    """Return the parts of these names in their order, all of them where none is named, or raise `UserError`."""
    if unknown := sorted(set(names) - set(PARTS)):
        msg = f"the benchmark has no part {unknown[0]!r:.40}; it has {', '.join(PARTS)}"
        raise UserError(msg)
    return tuple(part for part in PARTS if not names or part in names)


def run(
    worker: Worker, sizes: Sizes, *, parts: Sequence[str] = PARTS, seed: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:  # fmt: skip
    """Measure the parts, one after the other, each on servers and folders of its own.

    Args:
        worker: Importable by name: makes what does an order in a process.
        sizes: How much is done.
        parts: Which ones.
        seed: Of the random times.
        progress: Is told how many parts are done.

    Raises:
        MissingServer: PostgreSQL or Redis is not installed.
    """
    began, found = time.monotonic(), dict[str, Part]()
    with tempfile.TemporaryDirectory(prefix="approvals-") as folder, Crew(worker, Path(folder), _PROCESSES) as crew:
        for number, name in enumerate(parts):
            with Servers() as servers:
                own = Path(folder, name)
                own.mkdir()
                found[name] = _measured(_measures(sizes)[name], Ground(servers, crew, own, random.Random(seed)))
            progress(number + 1)
    return _report(found, time.monotonic() - began)


def _measured(measure: Callable[[Ground], Part], ground: Ground) -> Part:
    """Measure a part; one that breaks off is a finding, too, and the others are measured all the same."""
    try:
        return measure(ground)
    except RuntimeError as error:
        return Part({"broke_off": 1}, (Aim("broke_off", "<=", 0),), (str(error),))


def _measures(sizes: Sizes) -> Mapping[str, Callable[[Ground], Part]]:
    restarts = partial(runs.restarts, shortest=sizes.shortest_pause, longest=sizes.longest_pause)
    return {
        "twice": partial(desk.twice, count=sizes.twice),
        "race": partial(desk.race, count=sizes.race),
        "deadlines": partial(desk.deadlines, count=sizes.deadlines),
        "waiting": partial(runs.waiting, count=sizes.waiting),
        "claims": partial(runs.claims, count=sizes.claims),
        "kills": partial(runs.kills, count=sizes.kills),
        "restarts": partial(restarts, count=sizes.restarts),
    }


def _report(found: Mapping[str, Part], seconds: float) -> Report:
    figures: dict[str, Any] = {name: part.figures for name, part in found.items()}
    aims = [replace(aim, figure=f"{name}.{aim.figure}") for name, part in found.items() for aim in part.aims]
    notes = [f"{name}: {note}" for name, part in found.items() for note in part.notes]
    return Report("approvals", figures | {"seconds": seconds}, tuple(aims), tuple(notes))
