"""Whether effects happen once: runs that write are killed at every boundary and at random, and carried on.

A boundary is a moment before or after a write of a checkpoint or of the effect ledger. The worker counts these writes
in the code that really runs and sends itself SIGKILL at the chosen one; other kills come from outside after a random
time. A run that was killed is carried on, and most are killed again while they recover. In the end the file outside
says what happened, and it is compared with what the plans called for.
"""

import json
import random
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from evals.benchmarks.crash_worker import Order
from evals.benchmarks.crash_world import KINDS, World, expected
from evals.benchmarks.nursery import Ended, Job, Nursery
from evals.report import Aim, Report

MAX_RESUMES = 12
"""Starts after which a run that has not ended counts as lost."""
KILLS_PER_RUN = 3
"""Times a run is killed at most: the first worker, and those that carry it on."""


@dataclass
class Tally:
    """What the kills led to."""

    kills: int = 0
    at_boundary: int = 0
    runs: int = 0
    lost: list[str] = field(default_factory=list)
    recovery: list[float] = field(default_factory=list)
    """Seconds of workers that carried a killed run on to its end."""
    reached: dict[str, set[int]] = field(default_factory=lambda: {kind: set() for kind in KINDS})
    """Boundaries at which a first worker was killed, by kind of plan."""


def run(
    worker: Callable[[], Callable[[Order], None]], *, kills: int, seed: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:  # fmt: skip
    """Kill runs until there were so many kills, and count what went wrong.

    Args:
        worker: Importable by name; called once in the nursery, loads everything and returns what does an order.
        kills: How many there shall be.
        seed: Of the random times.
        progress: Is told the number of kills so far.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Nursery(worker) as nursery:
        trial = Trial(nursery, Path(folder), random.Random(seed))
        baseline = {kind: trial.undisturbed(kind) for kind in KINDS}
        prepared = time.monotonic() - started
        for plan in _orders(baseline):
            if trial.tally.kills >= kills:
                break
            trial.attempt(plan, kills)
            progress(trial.tally.kills)
        unknown = trial.unknown()
        return _report(trial, baseline, unknown, prepared, time.monotonic() - started)


class Baseline(NamedTuple):
    """An undisturbed run."""

    boundaries: int
    seconds: float


class Kill(NamedTuple):
    """Where the first worker of a run is killed; at random where there is no boundary."""

    kind: str
    boundary: int | None


def _orders(baseline: Mapping[str, Baseline]) -> Iterator[Kill]:
    """Yield every boundary of every kind of plan, with a random kill now and then; over and over."""
    while True:
        longest = max(base.boundaries for base in baseline.values())
        for boundary in range(longest):
            for kind, base in baseline.items():
                if boundary < base.boundaries:
                    yield Kill(kind, boundary)
            if boundary % 2:
                yield Kill(KINDS[boundary % len(KINDS)], None)


@dataclass
class Trial:
    """Runs in one folder, killed and carried on."""

    nursery: Nursery[Order]
    folder: Path
    rng: random.Random
    tally: Tally = field(default_factory=Tally)
    names: list[tuple[str, int]] = field(default_factory=list)
    """Kind and number of every run."""
    _usual: dict[str, Baseline] = field(default_factory=dict)

    def undisturbed(self, kind: str) -> Baseline:
        """Run a plan without a kill, twice, and return how many boundaries it has and how long it takes."""
        for _ in range(2):
            ended = self._worker(kind, self._next(kind), None, None)
            if ended.code:
                raise RuntimeError(f"an undisturbed run ended with {ended.code}")
        self._usual[kind] = Baseline(self._last()["boundaries"], ended.seconds)
        return self._usual[kind]

    def attempt(self, kill: Kill, kills: int) -> None:
        """Run a plan, killing it as told and then at random boundaries, and carry it on to its end."""
        number, base = self._next(kill.kind), self._usual[kill.kind]
        at, after = kill.boundary, None if kill.boundary is not None else self.rng.uniform(0, base.seconds)
        for start in range(MAX_RESUMES):
            ended = self._worker(kill.kind, number, at, after)
            if ended.code == -signal.SIGKILL:
                self._killed(kill, at, first=start == 0)
            elif ended.code:
                break
            else:
                if start:
                    self.tally.recovery.append(ended.seconds)
                return
            again = start + 1 < KILLS_PER_RUN and self.tally.kills < kills
            at, after = (self.rng.randrange(base.boundaries), None) if again else (None, None)
        self.tally.lost.append(f"{kill.kind} {number}, first killed at {kill.boundary}")

    def unknown(self) -> int:
        """Return how many effects are of unknown outcome in the end."""
        self._worker("", len(self.names), None, None)
        return int(self._last()["unknown"])

    def _killed(self, kill: Kill, at: int | None, *, first: bool) -> None:
        self.tally.kills += 1
        self.tally.at_boundary += at is not None
        if first and at is not None:
            self.tally.reached[kill.kind].add(at)

    def _next(self, kind: str) -> int:
        self.names.append((kind, len(self.names)))
        return len(self.names) - 1

    def _worker(self, kind: str, number: int, at: int | None, after: float | None) -> Ended:
        return self.nursery.run(Job(Order(str(self.folder), kind, number, at), after))

    def _last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "last.json").read_text())
        return found


def _report(trial: Trial, baseline: Mapping[str, Baseline], unknown: int, prepared: float, seconds: float) -> Report:
    tally, happened = trial.tally, World(trial.folder / "effects").happened()
    wanted: Counter[str] = sum((expected(kind, f"{kind}{number}") for kind, number in trial.names), Counter())
    asked = trial.folder / "asked"
    return Report(
        name="crash",
        figures={
            "kills": tally.kills,
            "kills_at_boundaries": tally.at_boundary,
            "runs": len(trial.names),
            "boundaries": sum(base.boundaries for base in baseline.values()),
            "boundaries_killed_at": sum(len(reached) for reached in tally.reached.values()),
            "lost_runs": len(tally.lost),
            "effects": happened.total(),
            "duplicate_effects": (happened - wanted).total(),
            "missing_effects": (wanted - happened).total(),
            "asked_a_person": len(asked.read_text().splitlines()) if asked.exists() else 0,
            "open_unknowns": unknown,
            "seconds": seconds,
            "seconds_per_kill": (seconds - prepared) / max(1, tally.kills),
            "recovery_seconds_median": statistics.median(tally.recovery) if tally.recovery else 0.0,
        },
        aims=(
            Aim("lost_runs", "<=", 0),
            Aim("duplicate_effects", "<=", 0),
            Aim("missing_effects", "<=", 0),
            Aim("open_unknowns", "<=", 0),
        ),
        notes=tuple(f"lost: {name}" for name in tally.lost),
    )
