"""What the environment says of LangSmith: no run is sent there."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """Stand in for LangSmith; yields its address and what it was sent."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            paths.append(self.path)
            self.send_response(202)
            self.end_headers()

        do_GET = do_PATCH = do_POST

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("more", [(), ("--plan-only",)])
def test_a_run_is_not_sent_to_langsmith(asked: tuple[str, list[str]], tmp_path: Path, more: tuple[str, ...]) -> None:
    url, paths = asked
    told = {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "k", "LANGSMITH_ENDPOINT": url}
    command = [sys.executable, "-m", "understudy", "run", "What is the share of wind?", "--data", "examples/energy"]
    done = subprocess.run(
        [*command, *more], cwd=ROOT, env=os.environ | told, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert paths == []
