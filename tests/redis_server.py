"""A real redis-server of one's own, to be killed and started again."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

READY = "eady to accept connections"


class RedisServer:
    """Listens on a socket in a folder of its own; what it has answered is in its append-only file."""

    def __init__(self, password: str = "") -> None:
        command = shutil.which("redis-server")
        if command is None:
            missing = "redis-server is not installed (Debian: apt-get install redis-server)"
            if os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
        self.folder = Path(tempfile.mkdtemp(prefix="redis-"))  # short: a socket's path has at most 107 characters
        self.socket = self.folder / "socket"
        options = {"port": "0", "unixsocket": str(self.socket), "dir": str(self.folder), "save": ""}
        durable = {"appendonly": "yes", "appendfsync": "always"}
        pairs = (options | durable | {"requirepass": password}).items()
        self._command = [command, *(word for name, value in pairs for word in (f"--{name}", value))]
        login = f":{quote(password, safe='')}@" if password else ""
        self.url = SecretStr(f"unix://{login}{self.socket}?db=0")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout is not None
        told = []
        for line in self._process.stdout:
            told.append(line)
            if READY in line:
                break
        else:
            pytest.fail(f"redis-server did not start:\n{''.join(told)}")
        self._process.stdout.close()  # it goes on without its log

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL)."""
        self._process.kill()
        self._process.wait()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)

    def client(self) -> "Redis":
        """A plain client, to look at the data as redis-cli does."""
        return Redis.from_url(self.url.get_secret_value(), decode_responses=True)

    async def empty(self) -> None:
        async with self.client() as client:
            await client.flushall()

    async def age(self, seconds: float) -> None:
        """Let time pass for everything that expires."""
        async with self.client() as client:
            async for key in client.scan_iter():
                left = await client.pttl(key)
                if left >= 0:
                    await client.pexpire(key, int(left - seconds * 1000))
