"""A whole installation on this machine: PostgreSQL, Redis, Chroma, API processes and workers, all kept alive.

    with Cluster(api=2, workers=4) as cluster:
        cluster.urls            # of the API processes
        cluster.kill("worker-1")
        cluster.restart("api-2")

Every API process and every worker has a data folder of its own; the servers are shared. What all of them say is handed
on with their names. Methods block; they may be called from any thread.
"""

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from domain.errors import UserError
from evals.benchmarks.cluster_servers import Server, answers, chroma, password_of, postgres, redis
from evals.benchmarks.private_servers import free_port
from evals.benchmarks.supervised import Program, Supervised, Tell

_GRACE = 30.0
"""Seconds beyond which an API process or a worker that was asked to end is killed; their own limit is `drain_grace`."""
_READY_SECONDS = 90.0


class UnknownProcess(UserError):
    """The cluster has no process of this name."""

    code = "unknown_process"


def _silent(name: str, line: str) -> None:
    """Tell nobody."""


class Cluster:
    """The installation; a context manager that starts and stops it."""

    def __init__(
        self,
        *,
        api: int = 2,
        workers: int = 4,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = (sys.executable, "-m", "understudy"),
        tell: Tell = _silent,
    ) -> None:
        """Set up what is started later.

        Args:
            api: How many API processes there are.
            workers: How many workers there are.
            folder: Where everything is kept; None takes a temporary one, which is deleted at the end.
            environment: Variables of API processes and workers, beside those of this process.
            program: How Understudy is called.
            tell: Is given a name and a line, from many threads.
        """
        self._counts, self._program, self._tell = (api, workers), tuple(program), tell
        self._environment = dict(environment or {})
        self._is_ours = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="understudy-cluster-"))
        """Where everything is kept."""
        self._servers: dict[str, Supervised] = {}
        self._api: dict[str, Supervised] = {}
        self._workers: dict[str, Supervised] = {}
        self._ports: dict[str, int] = {}
        self._stopping = threading.Lock()
        self.settings: dict[str, str] = {}
        """The variables that lead another process to the servers; they hold passwords."""

    def __enter__(self) -> "Cluster":
        """Start everything, and wait until it works."""
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self.stop()

    @property
    def urls(self) -> list[str]:
        """Where the API processes answer."""
        return [f"http://127.0.0.1:{self._ports[name]}" for name in self._api]

    @property
    def names(self) -> list[str]:
        """The names of all processes, in the order in which they are started."""
        return [*self._servers, *self._api, *self._workers]

    def pid(self, name: str) -> int | None:
        """Return the process that has this name now, None while it is dead."""
        return self._named(name).pid

    def starts(self, name: str) -> int:
        """Return how often a process was started."""
        return self._named(name).starts

    def start(self) -> None:
        """Start the servers, wait until they work, and start the rest.

        Raises:
            MissingServer: A server is not installed.
            ProcessFailed: A server does not start.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self.folder.chmod(0o711)  # PostgreSQL, as its own user, passes through
        servers = self._made_servers()
        for server in servers.values():
            self._servers[server.program.name] = Supervised(server.program, self._tell)
        for process in self._servers.values():
            process.start()
        for process in self._servers.values():
            process.wait_ready(_READY_SECONDS)
        self.settings = {f"UNDERSTUDY_{name}": server.url for name, server in servers.items()}
        api, workers = self._counts
        for number in range(1, api + 1):
            self._api[f"api-{number}"] = self._made_api(f"api-{number}")
        for number in range(1, workers + 1):
            self._workers[f"worker-{number}"] = self._made_worker(f"worker-{number}")
        for process in (*self._api.values(), *self._workers.values()):
            process.start()

    def wait_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Wait until every process works, or raise `ProcessFailed` with what it said last."""
        for process in (*self._servers.values(), *self._api.values(), *self._workers.values()):
            process.wait_ready(seconds)

    def kill(self, name: str) -> None:
        """End a process at once, as a crash would; it is started again by itself."""
        self._named(name).kill()

    def restart(self, name: str) -> None:
        """Have a process end as it does on SIGTERM, and wait until it works again."""
        self._named(name).restart(_READY_SECONDS)

    def stop(self) -> None:
        """Have everything end, workers first, then the API, then the servers, and delete a temporary folder."""
        with self._stopping:
            for group in (self._workers, self._api, self._servers):
                for process in group.values():
                    process.ask_to_stop()
                for process in group.values():
                    process.stop()
            if self._is_ours:
                shutil.rmtree(self.folder, ignore_errors=True)

    def kill_all(self) -> None:
        """End everything at once; nothing is started again."""
        for process in (*self._workers.values(), *self._api.values(), *self._servers.values()):
            process.ask_to_stop()
            process.kill()

    def _named(self, name: str) -> Supervised:
        found = self._servers.get(name) or self._api.get(name) or self._workers.get(name)
        if found is None:
            raise UnknownProcess(f"there is no process {name!r}; there are {', '.join(self.names) or 'none yet'}")
        return found

    def _made_servers(self) -> dict[str, Server]:
        """Return the servers by the setting that names them."""
        password = password_of(self.folder)
        return {
            "DATABASE_URL": postgres(self.folder / "postgres", password),
            "REDIS_URL": redis(self.folder / "redis", password),
            "CHROMA_URL": chroma(self.folder / "chroma"),
        }

    def _made_api(self, name: str) -> Supervised:
        port = self._ports[name] = free_port()
        arguments = ("serve", "--no-worker", "--host", "127.0.0.1", "--port", f"{port}")
        return self._made(name, arguments, is_ready=port)

    def _made_worker(self, name: str) -> Supervised:
        return self._made(name, ("worker",), ready_line="began")

    def _made(self, name: str, arguments: tuple[str, ...], *, is_ready: int = 0, ready_line: str = "") -> Supervised:
        environment = {
            "OMP_NUM_THREADS": "1",  # the processes are the parallelism
            "PYTHONUNBUFFERED": "1",
            **self._environment,
            **self.settings,
            "UNDERSTUDY_HOME": str(self.folder / name),
        }
        program = Program(
            name,
            (*self._program, *arguments),
            is_ready=(lambda: answers(is_ready, "/health/ready")) if is_ready else None,
            ready_line=ready_line,
            environment=environment,
            grace=_GRACE,
        )
        return Supervised(program, self._tell)
