"""A whole installation of real processes: a goal over HTTP, and a worker that dies in the middle of it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from evals.benchmarks.cluster import Cluster, UnknownProcess

pytestmark = pytest.mark.timeout(240)
PATIENCE = 100.0


class _Away(BaseHTTPRequestHandler):
    server: "Model"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.server.asked.set()
        self.server.released.wait(PATIENCE)
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Model(ThreadingHTTPServer):
    """A model server that lets everybody wait until it is released, and then is away."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Away)
        self.asked, self.released = threading.Event(), threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who was killed hangs up."""


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with Model() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def cluster(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    environment = {
        "HOME": str(tmp_path_factory.mktemp("home")),
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{model.server_port}/v1",
        "UNDERSTUDY_MODEL_RETRIES": "0",
    }
    with Cluster(api=1, workers=1, environment=environment) as running:
        yield running
    assert not running.folder.exists(), "a temporary folder goes with its cluster"


def followed(url: str, thread: str) -> list[tuple[int, dict[str, Any]]]:
    """The stored events of a thread, each with its id, up to the end of the run."""
    found: list[tuple[int, dict[str, Any]]] = []
    number = 0
    with httpx.stream("GET", f"{url}/threads/{thread}/stream", timeout=PATIENCE) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            if line.startswith("id:"):
                number = int(line.removeprefix("id:"))
            elif line.startswith("data:") and number:
                event = json.loads(line.removeprefix("data:"))
                found.append((number, event))
                number = 0
                if event["type"] == "run_finished":
                    return found
    raise AssertionError(f"the stream ended before the run: {found[-1:]}")


def test_a_run_whose_worker_is_killed_is_carried_on_and_seen_through_a_restarted_api(
    cluster: Cluster, model: Model
) -> None:
    [url] = cluster.urls
    goal = {"goal": "Explain photosynthesis to a child"}
    assert httpx.post(f"{url}/threads/lesson/runs", json=goal, timeout=PATIENCE).status_code == 202
    assert model.asked.wait(PATIENCE), "a worker took it up"
    cluster.kill("worker-1")
    model.released.set()
    cluster.restart("api-1")
    events = followed(url, "lesson")
    assert [number for number, _ in events] == list(range(1, len(events) + 1))
    assert sum(event["type"] == "run_finished" for _, event in events) == 1
    assert events[-1][1]["outcome"]["answer"]
    cluster.wait_ready()
    assert (cluster.starts("worker-1"), cluster.starts("api-1")) == (2, 2)


def test_every_process_has_a_data_folder_of_its_own_and_none_prints_a_password(cluster: Cluster) -> None:
    password = json.loads((cluster.folder / "password.json").read_text())["password"]
    assert {path.name for path in cluster.folder.iterdir()} >= {"api-1", "worker-1", "postgres", "redis", "chroma"}
    for name in cluster.names:
        pid = cluster.pid(name)
        assert password not in Path(f"/proc/{pid}/cmdline").read_text()


def test_a_name_that_there_is_not_is_refused(cluster: Cluster) -> None:
    with pytest.raises(UnknownProcess, match="worker-1"):
        cluster.kill("worker-9")
