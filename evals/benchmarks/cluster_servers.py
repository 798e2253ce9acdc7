"""The servers of a cluster on this machine: PostgreSQL, Redis and Chroma as programs that can be kept alive.

They listen on free ports of the loopback, ask for passwords that are drawn for the folder, and keep what they answered.
"""

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from evals.benchmarks.private_servers import MissingServer, found, free_port, postgres_binaries
from evals.benchmarks.supervised import Program

_LOOPBACK = "127.0.0.1"
_ASK_SECONDS = 2.0


class Server(NamedTuple):
    """A server that can be started."""

    program: Program
    url: str
    """With its password, for the settings."""


def password_of(folder: Path) -> str:
    """Return the password that all servers of a folder ask for, drawn when it is first asked for."""
    file = folder / "password.json"
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            json.dump({"password": secrets.token_urlsafe(24)}, new)
    return str(json.loads(file.read_text())["password"])


def postgres(folder: Path, password: str) -> Server:
    """Return PostgreSQL on a folder, which is set up unless it was before; as its own user where this one is root.

    Raises:
        MissingServer: It is not installed, or refuses to set up its folder.
    """
    programs, port, data = postgres_binaries(), free_port(), folder / "data"
    run_as: dict[str, Any] = {}
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        run_as = {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(folder, "postgres", "postgres")
    if not (data / "PG_VERSION").exists():
        _set_up(programs, folder, data, password, run_as)
    listen = ("-p", f"{port}", "-h", _LOOPBACK, "-c", "unix_socket_directories=", "-c", "max_connections=300")
    is_ready = (str(programs / "pg_isready"), "-q", "-h", _LOOPBACK, "-p", f"{port}")
    program = Program(
        "postgres",
        (str(programs / "postgres"), "-D", str(data), *listen),
        is_ready=lambda: subprocess.run(is_ready, check=False).returncode == 0,
        run_as=run_as,
        end=signal.SIGINT,  # its fast shutdown
        crash=signal.SIGQUIT,  # its immediate one: the next start recovers as from a crash
    )
    return Server(program, f"postgresql://postgres:{password}@{_LOOPBACK}:{port}/postgres")


def redis(folder: Path, password: str) -> Server:
    """Return Redis, whose answered writes are in its append-only file, or raise `MissingServer`."""
    binary, port = found("redis-server", "redis-server"), free_port()
    folder.mkdir(mode=0o700, exist_ok=True)
    options = {
        "bind": _LOOPBACK, "port": port, "dir": json.dumps(str(folder)), "save": '""', "appendonly": "yes",
        "appendfsync": "always", "requirepass": password, "daemonize": "no",
    }  # fmt: skip
    file = folder / "redis.conf"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        written.writelines(f"{name} {value}\n" for name, value in options.items())
    program = Program("redis", (binary, str(file)), is_ready=lambda: _pongs(port, password))
    return Server(program, f"redis://:{password}@{_LOOPBACK}:{port}/0")


def chroma(folder: Path) -> Server:
    """Return a Chroma server, which asks for no password and so must stay on the loopback."""
    binary = Path(sys.executable).parent / "chroma"
    if not binary.exists():
        raise MissingServer(f"chroma is not installed beside {sys.executable}")
    port = free_port()
    folder.mkdir(mode=0o700, exist_ok=True)
    command = (str(binary), "run", "--path", str(folder), "--host", _LOOPBACK, "--port", f"{port}")
    quiet = {"ANONYMIZED_TELEMETRY": "False", "DO_NOT_TRACK": "1"}
    program = Program("chroma", command, is_ready=lambda: answers(port, "/api/v2/heartbeat"), environment=quiet)
    return Server(program, f"http://{_LOOPBACK}:{port}")


def answers(port: int, path: str) -> bool:
    """Return whether an HTTP server of this machine answers a request with 200."""
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=_ASK_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _set_up(programs: Path, folder: Path, data: Path, password: str, run_as: dict[str, Any]) -> None:
    command = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8"]
    note = folder / "password"
    with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        written.write(password)
    if run_as:
        shutil.chown(note, run_as["user"], run_as["group"])
    try:
        done = subprocess.run(
            [*command, "--no-sync", f"--pwfile={note}"],
            capture_output=True, text=True, check=False, cwd=folder, **run_as,
        )  # fmt: skip
    finally:
        note.unlink()
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise MissingServer(f"PostgreSQL cannot set up {data}: {done.stderr.strip()[-500:]}")


def _pongs(port: int, password: str) -> bool:
    try:
        with socket.create_connection((_LOOPBACK, port), timeout=_ASK_SECONDS) as asked:
            asked.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            with asked.makefile("rb") as lines:
                return [lines.readline(), lines.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False
