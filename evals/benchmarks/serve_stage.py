"""The installation that is measured: a cluster on this machine, and a model that answers after a fixed time."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.benchmarks.cluster import Cluster
from evals.benchmarks.serve_effects import TEAM, VARIABLE, scenes
from evals.scripted import ImprovisingServer, ScriptedServer

Tell = Callable[[str], None]
"""Shows what is being done."""
_SAMPLE_SECONDS = 1.0
_MEGABYTE = 1e6
_PAGES_FIELD = 1
_PAGE_BYTES = 4096
_TIMES = slice(11, 13)
"""In user and in system mode, among what follows the program's name in `/proc/PID/stat`."""


@dataclass(frozen=True)
class Stage:
    """What a scenario works on."""

    cluster: Cluster
    model: ScriptedServer
    effects: Path
    """The file in which runs record their marks."""

    @property
    def urls(self) -> list[str]:
        """Where the API processes answer."""
        return self.cluster.urls

    def cpu_seconds(self) -> float:
        """Return the CPU time that API processes and workers have taken so far."""
        names = (name for name in self.cluster.names if name.startswith(("api-", "worker-")))
        return sum(_cpu_seconds(self.cluster.pid(name)) for name in names)


@contextmanager
def open_stage(*, workers: int, delay: float, tell: Tell, api: int = 2, marks: int = 0) -> Iterator[Stage]:
    """Open an installation with a model of its own for the length of the block.

    Args:
        workers: How many workers there are.
        delay: Seconds that the model takes for every answer.
        tell: Shows what is being done.
        api: How many API processes there are.
        marks: How many runs can record something.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="understudy-bench-")))
        team, effects = folder / "bench.toml", folder / "effects"
        team.write_text(TEAM)
        model = stack.enter_context(_Model(list(scenes(marks)), {}, delay=delay))
        tell(f"starting {api} API processes and {workers} workers with their servers")
        cluster = Cluster(api=api, workers=workers, environment=_environment(folder, team, effects, model.base_url))
        yield Stage(stack.enter_context(cluster), model, effects)


class _Model(ImprovisingServer):
    """A model whose calls are not checked at the end: what is killed asks again."""

    def verify(self) -> None:
        """Leave it to the scenario."""


def _environment(folder: Path, team: Path, effects: Path, model: str) -> dict[str, str]:
    return {
        "HOME": str(folder),
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": model,
        "UNDERSTUDY_MODEL": "openai:bench",
        "UNDERSTUDY_TEAM": str(team),
        "UNDERSTUDY_REUSE_ABOVE": "1",  # every goal is planned, so that all runs cost the same
        VARIABLE: str(effects),
    }


@dataclass
class MemoryWatch:
    """Samples what the processes of a cluster take, in a thread, for the length of the block."""

    cluster: Cluster
    samples: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Seconds and megabytes, by process."""

    def __enter__(self) -> "MemoryWatch":
        """Begin."""
        self._ending, self._began = threading.Event(), time.monotonic()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ending.set()
        self._thread.join()

    def figures(self) -> dict[str, dict[str, float]]:
        """Return by process what it took first and last, and how it grew over the second half, a minute."""
        return {name: _grown(samples) for name, samples in self.samples.items() if samples}

    def _watch(self) -> None:
        while True:
            for name in self.cluster.names:
                taken = _resident(self.cluster.pid(name))
                if taken is not None:
                    self.samples.setdefault(name, []).append((time.monotonic() - self._began, taken))
            if self._ending.wait(_SAMPLE_SECONDS):
                return


def _resident(pid: int | None) -> float | None:
    """Return the megabytes that a process has in memory."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[_PAGES_FIELD]
    except OSError:
        return None
    return int(pages) * _PAGE_BYTES / _MEGABYTE


def _cpu_seconds(pid: int | None) -> float:
    """Return the CPU time of a process; 0 where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[_TIMES])) / os.sysconf("SC_CLK_TCK")


def _grown(samples: list[tuple[float, float]]) -> dict[str, float]:
    late = samples[len(samples) // 2 :]
    return {"first": samples[0][1], "last": samples[-1][1], "mb_per_minute": 60 * _slope(late)}


def _slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the line of least squares; 0 for less than two points."""
    if len(points) < 2:
        return 0.0
    middle = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    spread = sum((x - middle[0]) ** 2 for x, _ in points)
    return sum((x - middle[0]) * (y - middle[1]) for x, y in points) / spread if spread else 0.0
