"""`understudy cluster`: API processes, workers and their servers on this machine, kept alive until Ctrl-C."""

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from evals.benchmarks.cluster import Cluster

EXAMPLES = """\b
Examples:
  understudy cluster
  understudy cluster --api 1 --workers 2 --folder ~/understudy-cluster

\b
PostgreSQL and Redis must be installed; both, and Chroma, run privately on free ports of this machine. A process that
dies is started again. Ctrl-C lets runs come to a safe point and ends everything; a second one ends it at once.
"""
_NAME_WIDTH = 9


def cluster(
    api: Annotated[int, typer.Option("--api", min=1, max=16, help="API processes.")] = 2,
    workers: Annotated[int, typer.Option("--workers", min=0, max=32, help="Workers.")] = 4,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", metavar="DIR", file_okay=False, resolve_path=True,
            help="Where everything stays; else a temporary folder that is deleted at the end.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Run a whole installation on this machine, as many processes.

    It is the shape of a large one in small: two API processes, four workers, PostgreSQL, Redis and Chroma.
    """
    from evals.benchmarks.cluster import Cluster

    ended = threading.Event()
    with Cluster(api=api, workers=workers, folder=folder, tell=_tell) as running:
        before = {number: signal.signal(number, _ender(running, ended)) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for url in running.urls:
                _tell("cluster", f"ready at {url} (console: {url}/console)")
            ended.wait()
            _tell("cluster", "ends: workers, API, servers")
            running.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _ender(running: "Cluster", ended: threading.Event) -> "Callable[[int, FrameType | None], None]":
    def end(number: int, frame: FrameType | None) -> None:
        if ended.is_set():
            running.kill_all()
        ended.set()

    return end


def _tell(name: str, line: str) -> None:
    """Print one line at once, so that those of many threads stay apart."""
    from understudy.cli.text import clean

    sys.stdout.write(f"{name:<{_NAME_WIDTH}} | {clean(line)}\n")
    sys.stdout.flush()
