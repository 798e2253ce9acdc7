"""A real worker process tells its events to a collector, to Prometheus, and in its logs."""

import json
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.forks import Forked, Forks, command
from tests.understudy.telemetry.collector import collecting
from tests.understudy.telemetry.test_metrics import shown

TEAM = """
name = "club"
description = "Keeps the books of a club."

[[tools]]
name = "note_down"
from = "function"
target = "book:note_down"

[[specialists]]
name = "secretary"
description = "Keeps the book."
tools = ["note_down"]

[[checkpoints]]
name = "before_writing"
condition = "ON_EFFECT"

[[templates]]
name = "note"
kinds = ["action", "creation", "search"]

[[templates.steps]]
id = "note"
agent = "secretary"
task = "Note it down: {goal}"
tool = "note_down"
args = { text = "the hidden thanks" }
effect = "write"
on_failure = "stop"
"""
TOOL = '''
def note_down(text: str) -> str:
    """Note it down."""
    return "noted"
'''


def read_until(process: Forked, wanted: str) -> dict[str, Any]:
    for line in process.stdout:
        if wanted in line:
            told: dict[str, Any] = json.loads(line)
            return told
    raise AssertionError(wanted)


def test_what_a_worker_carries_on_is_traced_counted_and_logged(
    forks: Forks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "book.py").write_text(TOOL)
    (tmp_path / "club.toml").write_text(TEAM)
    environment = {"UNDERSTUDY_TEAM": "club.toml", "PYTHONPATH": str(tmp_path), "UNDERSTUDY_USER": "ann"}
    with collecting() as collector:
        environment |= {"UNDERSTUDY_TELEMETRY": json.dumps({"otlp_endpoint": collector.url, "log_format": "json"})}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        asked = forks.said(command, "run", "Note down our thanks", "--thread", "thanks", folder=tmp_path)
        assert asked.code == 3, asked.stderr
        worker = forks.start(
            command, "worker", "--json", "--metrics-port", "0", folder=tmp_path, stderr=True
        )  # fmt: skip
        with worker:
            place = read_until(worker, "metrics at")["text"].removeprefix("metrics at ")
            assert forks.said(command, "inbox", "approve", "thanks", folder=tmp_path).code == 0
            read_until(worker, "run_finished")
            found = shown(urllib.request.urlopen(place).read())
            worker.send_signal(signal.SIGTERM)
            assert worker.wait() == 0
            assert worker.stderr is not None
            logs = [json.loads(line) for line in worker.stderr]
        assert found["understudy_workers"] == 1
        assert found["understudy_approvals_decided_total decision=approve"] == 1
        assert found["understudy_effects_total result=done tool=note_down"] == 1
        assert {span.name for span in collector.spans} == {
            "invoke_agent", "invoke_agent secretary", "execute_tool note_down",
        }  # fmt: skip
        assert not any(b"hidden" in body for body in collector.bodies)
    [end] = [line for line in logs if line["message"] == "run ended: done"]
    assert (end["logger"], end["workspace"], end["thread"]) == ("understudy.events", "default", "thanks")


def test_a_port_that_is_taken_is_told_of_at_the_start(forks: Forks, tmp_path: Path) -> None:
    with collecting() as taken:
        port = str(taken.server_port)
        done = forks.said(command, "worker", "--once", "--metrics-port", port, folder=tmp_path)
    assert done.code == 2
    assert f"metrics cannot be served on port {port}" in done.stderr
