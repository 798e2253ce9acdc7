"""The whole of it with real processes: what waits outlives them, is answered from elsewhere, and is done once."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.forks import Forked, Forks, Said, command
from tests.understudy.notices.servers import webhook

GOAL = "Send a mail to thank the club"
TOOL = '''
import json


def send_mail(to: str, text: str) -> str:
    """Send a mail.

    Args:
        to: Recipient.
        text: What it says.
    """
    with open("sent.jsonl", "a") as file:
        file.write(json.dumps({"to": to, "text": text}) + "\\n")
    return f"sent to {to}"
'''
TEAM = """
name = "club"
description = "Writes to the members of a club."

[[tools]]
name = "send_mail"
from = "function"
target = "post:send_mail"
key = ["to", "text"]

[[specialists]]
name = "secretary"
description = "Writes and sends mails."
tools = ["send_mail"]
capabilities = ["action"]

[[checkpoints]]
name = "before_sending"
description = "A person sees each mail before it leaves."
condition = "ON_EFFECT"
escalation = [{ to = ["chair"], after_seconds = 1 }]

[[templates]]
name = "mail"
kinds = ["action", "creation"]
words = ["send", "mail"]

[[templates.steps]]
id = "send"
agent = "secretary"
task = "Send the mail: {goal}"
tool = "send_mail"
args = { to = "club@example.org", text = "Thank you all." }
effect = "write"
on_failure = "stop"
"""


@pytest.fixture(autouse=True)
def club(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "post.py").write_text(TOOL)
    (tmp_path / "club.toml").write_text(TEAM)
    monkeypatch.setenv("UNDERSTUDY_TEAM", "club.toml")
    monkeypatch.setenv("UNDERSTUDY_USER", "ann")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


class Line:
    """The command line, each time in a process of its own, in the folder of the test."""

    def __init__(self, forks: Forks, folder: Path) -> None:
        self._forks, self._folder = forks, folder

    def started(self, *args: str) -> Forked:
        """Start a command with its events as lines."""
        return self._forks.start(command, *args, "--json", folder=self._folder)

    def said(self, *args: str, user: str = "ann") -> Said:
        """Let a command come to its end."""
        return self._forks.said(command, *args, environment={"UNDERSTUDY_USER": user}, folder=self._folder)


@pytest.fixture
def line(forks: Forks, tmp_path: Path) -> Line:
    return Line(forks, tmp_path)


def read_until(process: Forked, kind: str) -> dict[str, Any]:
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event.get("type") == kind:
            return event
    raise AssertionError(kind)


def sent(folder: Path) -> list[str]:
    file = folder / "sent.jsonl"
    return [json.loads(line)["to"] for line in file.read_text().splitlines()] if file.exists() else []


def test_a_question_outlives_its_process_and_what_was_edited_is_sent_once(line: Line, tmp_path: Path) -> None:
    with line.started("run", GOAL, "--thread", "thanks") as run:
        read_until(run, "approval_requested")
        run.send_signal(signal.SIGKILL)
    [waiting] = json.loads(line.said("inbox", "list", "--json").stdout)
    assert (waiting["thread"], waiting["requests"][0]["args"]["to"]) == ("thanks", "club@example.org")
    assert sent(tmp_path) == []
    edited = line.said("inbox", "edit", waiting["id"], "to=all@example.org")
    assert sent(tmp_path) == ["all@example.org"], edited.stderr
    assert "sent to all@example.org" in edited.stdout + edited.stderr
    again = line.said("inbox", "edit", waiting["id"], "to=all@example.org")
    assert again.code == 0, again.stderr
    late = line.said("inbox", "approve", waiting["id"], user="bob")
    assert (late.code, "edit by ann" in late.stderr) == (2, True)
    assert sent(tmp_path) == ["all@example.org"]


def test_a_worker_escalates_and_goes_on_with_what_was_decided_elsewhere(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert line.said("run", GOAL, "--thread", "thanks").code == 3
    with webhook() as chair:
        monkeypatch.setenv("UNDERSTUDY_NOTIFY__USERS", json.dumps({"chair": [chair.url]}))
        with line.started("worker") as worker:
            assert chair.came.wait(60)
            assert chair.received[0]["title"] == "[default] Still unanswered: send_mail"
            shown = line.said("inbox", "show", "thanks")
            assert "escalated 1 time(s)" in shown.stdout, shown.stderr
            approved = line.said("inbox", "approve", "thanks", user="chair")
            assert "the run goes on in `understudy worker`" in approved.stderr
            read_until(worker, "run_finished")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait() == 0
    assert sent(tmp_path) == ["club@example.org"]
    kinds = line.said("audit", "show", "--json").stdout
    for kind in ("question", "escalation", "decision", "effect"):
        assert f'"kind": "{kind}"' in kinds or f'"kind":"{kind}"' in kinds, kind
