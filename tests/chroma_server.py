"""A real Chroma server of one's own, to be killed and started again, and a proxy before it that asks for a token."""

import http.client
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ChromaProcess:
    """`chroma run` on a port and in a folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chroma-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        program = Path(sys.executable).parent / "chroma"
        options = ["--path", str(self.folder / "data"), "--host", "127.0.0.1", "--port", str(self.port)]
        self._log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen([program, "run", *options], stdout=self._log, stderr=subprocess.STDOUT)
        limit = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > limit:
                pytest.fail(f"chroma did not start:\n{(self.folder / 'log').read_text()}")
            threading.Event().wait(0.02)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/api/v2/heartbeat")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def lose_everything(self) -> None:
        """Let it come back empty."""
        self.kill()
        shutil.rmtree(self.folder / "data")
        self.start()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)


class _Handler(BaseHTTPRequestHandler):
    server: "_Proxy"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _passed_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.server.token
        asked = (self.headers.get("Authorization"), self.headers.get("X-Chroma-Token"))
        if asked != (f"Bearer {token}", token):
            self.server.refused += 1
            self._answer(self.server.refusal, b"no")
            return
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=10)) as upstream:
            upstream.request(self.command, self.path, body, {"Content-Type": "application/json"})
            answer = upstream.getresponse()
            self._answer(answer.status, answer.read())

    do_GET = do_POST = do_DELETE = do_PUT = _passed_on

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behind: int, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind, self.token = behind, token
        self.refused = 0
        self.refusal = 401
        self.url = f"http://127.0.0.1:{self.server_port}"


@contextmanager
def guarded(server: ChromaProcess, token: str) -> Iterator[_Proxy]:
    """A reverse proxy that lets only requests with the token through."""
    with _Proxy(server.port, token) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()
