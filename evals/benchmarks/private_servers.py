"""A PostgreSQL and a Redis of one's own, durable as in earnest, to be killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any

from domain.errors import UserError

POSTGRES_VERSIONS = Path("/usr/lib/postgresql")
_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.05


class MissingServer(UserError):
    """A server that is needed is not installed."""

    code = "missing_server"


class _Server(ABC):
    """A process on a folder of its own."""

    _end = signal.SIGKILL

    def __init__(self, prefix: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        """As which user it runs."""

    def start(self) -> None:
        """Start it and return when it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, **self._as)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                told = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{type(self).__name__} did not start:\n{told}")
            time.sleep(_LOOK_SECONDS)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.send_signal(self._end)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End it and delete its folder."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @abstractmethod
    def _command(self) -> list[str]:
        """Return what starts it."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Return whether it answers."""


class PostgresServer(_Server):
    """PostgreSQL, as its own user where this process is root."""

    _end = signal.SIGQUIT
    """PostgreSQL's immediate shutdown: nothing is finished or flushed, and the next start recovers as from a crash."""

    def __init__(self) -> None:
        """Set up a new cluster and start it, or raise `MissingServer`."""
        self._bin = postgres_binaries()
        super().__init__("postgres-")
        self._data = self.folder / "data"
        if os.geteuid() == 0:
            self._as = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(self.folder, "postgres")
        initdb = [str(self._bin / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=self.folder, **self._as)
        self.start()

    @property
    def url(self) -> str:
        """Where it is, for the setting `database_url`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _command(self) -> list[str]:
        listen = ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder), "-c", "max_connections=200"]
        return [str(self._bin / "postgres"), "-D", str(self._data), *listen]

    def _is_ready(self) -> bool:
        asked = [str(self._bin / "pg_isready"), "-q", "-U", "postgres", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0


class RedisServer(_Server):
    """Redis, whose answered writes are in its append-only file."""

    def __init__(self) -> None:
        """Start it, or raise `MissingServer`."""
        self._binary = found("redis-server", "redis-server")
        super().__init__("redis-")
        self.start()

    @property
    def url(self) -> str:
        """Where it is, for the setting `redis_url`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> list[str]:
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": ""}
        durable = {"appendonly": "yes", "appendfsync": "always"}
        pairs = (options | durable).items()
        return [self._binary, *(str(word) for name, value in pairs for word in (f"--{name}", value))]

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as asked:
                asked.sendall(b"PING\r\n")
                return asked.recv(16).startswith(b"+PONG")
        except OSError:
            return False


class Servers:
    """Both; a context manager."""

    def __enter__(self) -> "Servers":
        """Start them."""
        self.postgres = PostgresServer()
        try:
            self.redis = RedisServer()
        except BaseException:
            self.postgres.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End them and delete what they kept."""
        self.postgres.remove()
        self.redis.remove()


def postgres_binaries() -> Path:
    """Return the folder of PostgreSQL's programs, or raise `MissingServer`."""
    versions = sorted(POSTGRES_VERSIONS.glob("*/bin/initdb"), key=lambda path: path.parts[-3])
    on_path = shutil.which("initdb")
    if not versions and on_path is None:
        raise _missing("PostgreSQL's initdb", "postgresql")
    return (versions[-1] if versions else Path(str(on_path)).resolve()).parent


def found(command: str, package: str) -> str:
    """Return where a program is, or raise `MissingServer`."""
    path = shutil.which(command)
    if path is None:
        raise _missing(command, package)
    return path


def _missing(what: str, package: str) -> MissingServer:
    return MissingServer(f"{what} is not installed, and is needed here (Debian: apt-get install {package})")


def free_port() -> int:
    """Return a port of this machine at which nobody listens now."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
