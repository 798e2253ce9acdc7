"""Logs: one line per record, as text or as JSON, with what it is about and without secrets."""

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Any

from domain import events as ev
from domain.events import Stamped
from domain.outcomes import Failure, StepResult
from domain.secrets import Secrets
from understudy.telemetry.settings import TelemetrySettings

FIELDS = ("workspace", "thread", "run", "request")
"""What a record may be about."""
EXTRA = "about"
"""Key of `extra` under which one record brings such fields along."""
RUNS = "understudy.events"
"""Logger of what happens in runs."""
OURS = ("agents", "domain", "evals", "graph", "memory", "understudy", "uvicorn")
"""Loggers that the level is for; of others, warnings are written, and everything where the level is DEBUG."""
_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039  # nobody changes it in place
_RUNS = logging.getLogger(RUNS)


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """Have every record of the block say what it is about, by `FIELDS`."""
    token = _ABOUT.set({**_ABOUT.get(), **fields})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def configure_logging(
    settings: TelemetrySettings, secrets: Secrets, *, stream: IO[str] | None = None, runs: bool = True
) -> None:
    """Have this process write its logs, in place of what was configured before.

    Args:
        settings: Level and format.
        secrets: What must not be shown.
        stream: Where to; None: stderr.
        runs: Whether it is written what happens in runs; no where they are shown in another way.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(secrets) if settings.log_format == "json" else TextLines(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = logging.getLevelNamesMapping()[settings.log_level]
    root.setLevel(level if level == logging.DEBUG else max(level, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    _RUNS.setLevel(logging.NOTSET if runs else logging.CRITICAL)


class _Lines(logging.Formatter):
    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets

    def fields(self, record: logging.LogRecord) -> dict[str, str]:
        """Return what a record is about."""
        given = {**_ABOUT.get(), **getattr(record, EXTRA, {})}
        return {name: str(given[name]) for name in FIELDS if given.get(name)}

    def error(self, record: logging.LogRecord) -> str:
        """Return the traceback of a record's exception; nothing where it has none."""
        return self.formatException(record.exc_info) if record.exc_info else ""


class JsonLines(_Lines):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        told: dict[str, Any] = {
            "time": _iso(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self.fields(record),
        }
        if error := self.error(record):
            told["exception"] = error
        return json.dumps(self._secrets.value(told), ensure_ascii=False)


class TextLines(_Lines):
    """One line for a person; what is no text of one line is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line, and its traceback below."""
        about = "".join(f" {name}={_escaped(value)}" for name, value in self.fields(record).items())
        line = f"{_iso(record.created)} {record.levelname} {record.name}: {_escaped(record.getMessage())}{about}"
        return self._secrets.text("\n".join(filter(None, (line, self.error(record)))))


def logged(stamped: Stamped) -> None:
    """Write what happened in a run where an operator wants to know it: its ends and what went wrong, never content."""
    level, message = _told(stamped.event)
    if message:
        fields = {"workspace": stamped.workspace, "thread": stamped.thread, "run": stamped.run}
        _RUNS.log(level, message, extra={EXTRA: fields})


def _told(event: object) -> tuple[int, str]:
    match event:
        case ev.RunStarted():
            return logging.INFO, f"run started, led by {event.mode}"
        case ev.RunFinished():
            why = f" ({event.outcome.failure.code})" if event.outcome.failure else ""
            return logging.INFO, f"run ended: {event.outcome.status}{why}"
        case ev.RunStopped():
            return logging.WARNING, "run stopped"
        case ev.ApprovalRequested():
            return logging.INFO, f"run waits for a person, {len(event.requests)} request(s)"
        case ev.RoleDegraded():
            return logging.WARNING, f"a rule-based twin stepped in for {event.role}"
        case ev.RecoveryChosen():
            return logging.WARNING, f"recovery: {event.rung}" + (f", step {event.step}" if event.step else "")
        case ev.StepFinished(result=StepResult(failure=Failure() as failure) as result):
            return logging.WARNING, f"step {result.step} of {result.agent} failed: {failure.code}"
    return logging.DEBUG, ""


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
