"""Logs as they are written."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from domain import events as ev
from domain.outcomes import Failure
from domain.secrets import Secrets
from tests.understudy.telemetry.told import ended, finished, stamped, started
from understudy.telemetry.logs import OURS, about, configure_logging, logged
from understudy.telemetry.settings import LogFormat, LogLevel, TelemetrySettings

SECRET = "hunter2hunter2"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the logging of this process as it was."""
    root, names = logging.getLogger(), [*OURS, "understudy.events"]
    handlers, levels = root.handlers[:], [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    level = root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger, old in levels:
        logger.setLevel(old)


def writing(kind: LogFormat = "json", *, level: LogLevel = "INFO", runs: bool = True) -> io.StringIO:
    stream = io.StringIO()
    settings = TelemetrySettings(log_format=kind, log_level=level)
    configure_logging(settings, Secrets([SECRET]), stream=stream, runs=runs)
    return stream


def test_a_line_is_an_object_with_what_it_is_about() -> None:
    stream = writing()
    with about(request="r1", workspace="w"):
        logging.getLogger("understudy.x").warning("it is %s", "so", extra={"about": {"run": "run-1"}})
    told = json.loads(stream.getvalue())
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "WARNING", "logger": "understudy.x", "message": "it is so", "workspace": "w", "run": "run-1",
        "request": "r1",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["json", "text"])
def test_secrets_are_in_no_part_of_a_line(kind: LogFormat) -> None:
    stream = writing(kind)
    with about(thread=SECRET):
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("understudy.x").exception("it broke with %s", SECRET)
    assert SECRET not in stream.getvalue()
    assert "[secret]" in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_a_message_cannot_forge_a_line_of_text() -> None:
    stream = writing("text")
    logging.getLogger("understudy.x").warning("one\n2026-01-01T00:00:00.000Z INFO other: \x1b[31mtwo")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_others_are_heard_from_warnings_on() -> None:
    stream = writing()
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("trouble")
    logging.getLogger("memory.x").info("ours")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["trouble", "ours"]


def test_configuring_twice_writes_once() -> None:
    writing()
    stream = writing()
    logging.getLogger("understudy.x").warning("once")
    assert len(stream.getvalue().splitlines()) == 1


def test_what_happens_in_runs_is_written_without_content() -> None:
    stream = writing()
    failure = Failure(code="tool_timeout", message="the secret place is away")
    logged(stamped(1, started("Find the hidden place")))
    logged(stamped(2, ended(status="failed", failure=failure)))
    logged(stamped(3, ev.RoleDegraded(role="critic", reason="the secret place is away")))
    logged(stamped(4, finished(answer="the hidden place")))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("INFO", "run started, led by rules"),
        ("WARNING", "step look of search failed: tool_timeout"),
        ("WARNING", "a rule-based twin stepped in for critic"),
        ("INFO", "run ended: done"),
    ]
    assert {line["run"] for line in lines} == {"run-1"}
    assert "hidden" not in stream.getvalue()
    assert "secret place" not in stream.getvalue()


def test_runs_are_not_written_where_they_are_shown_otherwise() -> None:
    stream = writing("text", runs=False)
    logged(stamped(1, started()))
    assert stream.getvalue() == ""
