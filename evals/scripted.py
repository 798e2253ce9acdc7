"""A strict scripted server that speaks OpenAI's chat-completions and embeddings APIs, as a process of its own.

    python -m evals.scripted --script script.json --port 0

prints `{"port": ...}` and plays a JSON list of replies, or `{"replies": [...], "repeat": 3 | "cycle"}`; `evals.script`
names the keys of a reply. A call the script has no reply for is answered with status 500 and counted as a violation.
`GET /script` reports `served`, `unused` and `violations`, `GET /requests` the bodies that came in, and `GET /received`
every byte of the calls, heads included.

    with ScriptedServer([{"content": "Hello."}]) as server:
        ...  # server.base_url

raises `ScriptNotFollowed` at the end unless every reply was asked for and nothing else.

    with ImprovisingServer([Scene(goal="...", kind="search", plans=[...])], {}, faults=0.1) as server:
        ...

answers every role of a team for these goals in any order, with faults among the answers.
"""

import argparse
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from evals.completions import chunks, completion
from evals.embeddings import embeddings
from evals.improvised import Improviser, Scene
from evals.model_faults import FaultyModel
from evals.script import Repeat, Reply, Script, checked


class ScriptNotFollowed(AssertionError):
    """The calls that came were not those of the script."""


class Player(Protocol):
    """Knows the replies; used from many threads."""

    @property
    def requests(self) -> list[Any]:
        """The requests that came in."""

    @property
    def violations(self) -> list[str]:
        """Requests that had no reply, in words."""

    def take(self, request: Mapping[str, Any]) -> Reply | None:
        """Return the reply to a request, or None and note a violation when there is none."""

    def report(self) -> dict[str, Any]:
        """Return `served`, `unused`, `violations` and whatever else is known."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, script: Player) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.script = script
        self.received: list[bytes] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that hang up; anything else is a fault of the server and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the error stream for errors."""

    def do_GET(self) -> None:
        """Report on the script."""
        script = self.server.script
        match self.path:
            case "/script":
                self._send(200, script.report())
            case "/requests":
                self._send(200, script.requests)
            case "/received":
                self._send_bytes(200, b"\n".join(self.server.received))
            case _:
                self._send(404, _error("unknown_path", self.path))

    def do_POST(self) -> None:
        """Play the next reply."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(b"\n".join([self.requestline.encode(), self.headers.as_bytes(), body]))
        if not self.path.endswith(("/chat/completions", "/embeddings")):
            self._send(404, _error("unknown_path", self.path))
            return
        request = json.loads(body)
        reply = self.server.script.take(request)
        if reply is None:
            # Clients retry a 500 unless told not to; one extra call is one violation.
            self._send(500, _error("unscripted_call", self.server.script.violations[-1]), {"x-should-retry": "false"})
        else:
            self._play(reply, request)

    def _play(self, reply: Reply, request: dict[str, Any]) -> None:
        pause = reply.get("delay", 0) + reply.get("hang", 0)
        if pause:
            threading.Event().wait(pause)
        if "hang" in reply or ("drop" in reply and "content" not in reply):
            self._drop()
        elif "raw" in reply:
            self._send_bytes(200, reply["raw"].encode())
        elif "status" in reply:
            body = reply.get("body", _error("scripted_failure", "scripted failure"))
            self._send(reply["status"], body, reply.get("headers", {}))
        elif "embeddings" in reply:
            self._send(200, embeddings(reply, request), half="drop" in reply)
        elif request.get("stream"):
            self._stream(reply, request)
        else:
            self._send(200, completion(reply, request), half="drop" in reply)

    def _stream(self, reply: Reply, request: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        events = [json.dumps(chunk) for chunk in chunks(reply, request)] + ["[DONE]"]
        for event in events[: len(events) // 2] if "drop" in reply else events:
            data = f"data: {event}\n\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        if "drop" in reply:
            self._drop()
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None, *, half: bool = False) -> None:
        self._send_bytes(status, json.dumps(body).encode(), headers, half=half)

    def _send_bytes(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, *, half: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if half else data)
        if half:
            self._drop()

    def _drop(self) -> None:
        self.wfile.flush()
        self.close_connection = True


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": code, "code": code}}


class ScriptedServer:
    """Runs a script in a process of its own and checks at the end that it was followed."""

    def __init__(self, replies: Sequence[Reply], *, repeat: Repeat = 1) -> None:
        self.script: dict[str, Any] = {"replies": checked(replies), "repeat": repeat}
        self.port = 0

    @property
    def base_url(self) -> str:
        """Where clients find the API."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "ScriptedServer":
        command = [sys.executable, "-m", "evals.scripted", "--script", "-", "--port", "0"]
        root = Path(__file__).resolve().parents[1]
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        assert self._process.stdin and self._process.stdout
        with self._process.stdin as script:
            json.dump(self.script, script)
        self.port = json.loads(self._process.stdout.readline())["port"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            if kind is None:
                self.verify()
        finally:
            self._process.terminate()
            self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()

    def verify(self) -> None:
        """Raise `ScriptNotFollowed` when a reply is unused or a call was not in the script."""
        report = self.report()
        if report["unused"] or report["violations"]:
            msg = f"{len(report['unused'])} reply(s) unused, {len(report['violations'])} call(s) not in the script: "
            raise ScriptNotFollowed(msg + json.dumps(report))

    def report(self) -> dict[str, Any]:
        """Return `served`, `unused` and `violations`."""
        report: dict[str, Any] = self._get("/script")
        return report

    def requests(self) -> list[dict[str, Any]]:
        """Return the bodies of all requests so far."""
        requests: list[dict[str, Any]] = self._get("/requests")
        return requests

    def received(self) -> bytes:
        """Return every byte of the calls so far, heads included."""
        return self._read("/received")

    def _get(self, path: str) -> Any:
        return json.loads(self._read(path))

    def _read(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()


class ImprovisingServer(ScriptedServer):
    """A server that answers whatever the scenes are about, with faults; for everything else it violates its script."""

    def __init__(
        self, scenes: Sequence[Scene], tool_args: Mapping[str, Mapping[str, Any]], *, faults: float = 0.0,
        seed: int = 1, hang: float = 5.0, delay: float = 0.0,
    ) -> None:  # fmt: skip
        """Set up what it plays.

        Args:
            scenes: The goals that may come.
            tool_args: Arguments with which specialists call tools, by the tool's name.
            faults: Share of the calls that fail, 0-1.
            seed: Of the faults.
            hang: Seconds of silence in place of an answer; should be more than the client's patience.
            delay: Seconds that every answer takes.
        """
        super().__init__([])
        self.script = {
            "scenes": [scene.model_dump() for scene in scenes],
            "tool_args": {name: dict(args) for name, args in tool_args.items()},
            "faults": faults, "seed": seed, "hang": hang, "delay": delay,
        }  # fmt: skip


def _player(script: Mapping[str, Any]) -> Player:
    if "scenes" not in script:
        return Script(checked(script["replies"]), script.get("repeat", 1))
    scenes = [Scene.model_validate(scene) for scene in script["scenes"]]
    improviser = Improviser(scenes, script["tool_args"], delay=script.get("delay", 0.0))
    return FaultyModel(improviser, script["faults"], script["seed"], script["hang"])


def main(argv: Sequence[str] | None = None) -> None:
    """Serve a script until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m evals.scripted", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--script", required=True, help="JSON file with the replies; - reads standard input")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args(argv)
    text = sys.stdin.read() if options.script == "-" else Path(options.script).read_text(encoding="utf-8")
    script = json.loads(text)
    whole = script if isinstance(script, dict) else {"replies": script}
    with _Server(options.port, _player(whole)) as server:
        sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
