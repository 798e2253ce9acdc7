"""`understudy worker`: runs go on without anybody watching, deadlines fire, and notices are sent."""

import asyncio
import functools
import json
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from understudy.cli.options import AsJson

if TYPE_CHECKING:
    from domain.events import Stamped
    from understudy.durable.engine import Engine, Said, Tell
    from understudy.orchestrator import Orchestrator
    from understudy.settings import Settings
    from understudy.telemetry.telemetry import Telemetry
    from understudy.wiring import House

EXAMPLES = """\b
Examples:
  understudy worker                         work until Ctrl-C or SIGTERM
  understudy worker --once                  do what is due now, then end; for cron
  understudy worker --json | jq -c .        one JSON object per event
  understudy worker --metrics-port 9464     http://127.0.0.1:9464/metrics for Prometheus
  understudy worker --metrics-port 9464 --metrics-host 0.0.0.0
                                            to every machine that can reach this one; nobody is asked who they are

\b
Several workers can serve one PostgreSQL (UNDERSTUDY_DATABASE_URL); each has a data folder of its own
(UNDERSTUDY_HOME), and all have the same UNDERSTUDY_REDIS_URL and UNDERSTUDY_CHROMA_URL.
"""
T = TypeVar("T")
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
"""Seconds between two tries to reach the servers at the start."""


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due and ready, then end.")] = False,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", metavar="N", min=1, max=64, help="Runs to advance at once.")
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", metavar="PORT", min=0, max=65535, help="Serve metrics here.")
    ] = None,
    metrics_host: Annotated[
        str,
        typer.Option("--metrics-host", metavar="ADDRESS", help="Where: this machine only, unless said otherwise."),
    ] = "127.0.0.1",
    as_json: AsJson = False,
) -> None:
    """Have runs of all workspaces go on by themselves.

    A run goes on as soon as its question is answered, wherever that is done. Deadlines and escalations fire, notices
    are sent, and runs whose process died are carried on. On SIGTERM the runs stop at their next safe point; the next
    worker carries them on.
    """
    from understudy.cli.screen import starting

    with starting():
        from understudy.settings import load_settings

        settings = load_settings(concurrency=concurrency)
        _configure_logging(settings)
    code = asyncio.run(_Work(settings, _printer(as_json), metrics_port, metrics_host).done(once=once))
    raise typer.Exit(code)


class _Work:
    """One worker from its start to its end."""

    def __init__(self, settings: "Settings", show: "Tell", metrics_port: int | None, metrics_host: str) -> None:
        self._settings, self._show = settings, show
        self._metrics_port, self._metrics_host = metrics_port, metrics_host
        self._telemetry: Telemetry | None = None
        self._house: House
        self._engine: Engine | None = None
        self._asked = False

    async def done(self, *, once: bool) -> int:
        """Work until asked to end, or until nothing is left to do now, and return the exit code."""
        from understudy.cli.errors import DONE

        working = asyncio.create_task(self._worked(once=once))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number, working)
        try:
            await working
        except asyncio.CancelledError:
            if not self._asked:
                raise
        return DONE

    async def _worked(self, *, once: bool) -> None:
        from understudy.durable.engine import Said
        from understudy.telemetry.telemetry import open_telemetry

        async with AsyncExitStack() as stack:
            self._telemetry = telemetry = await stack.enter_async_context(open_telemetry(self._settings))
            open_ = functools.partial(self._opened, stack, patient=not once)
            orchestrator = await open_(self._orchestrator)
            await self._serve_metrics(stack, telemetry)
            self._engine = await open_(lambda: orchestrator.engine(self._tell, telemetry.around))
            stack.callback(setattr, self, "_engine", None)
            self._tell(Said("began", f"working with {self._settings.home}"))
            await (self._engine.run_once() if once else self._engine.run())
        self._tell(Said("ended", "what is unfinished goes on with the next worker"))

    def _tell(self, told: "Stamped | Said") -> None:
        if self._telemetry is not None:
            self._telemetry.heard(told)
        self._show(told)

    async def _serve_metrics(self, stack: AsyncExitStack, telemetry: "Telemetry") -> None:
        from understudy.durable.engine import Said
        from understudy.telemetry.backlog import backlog_of
        from understudy.telemetry.serving import metrics_served

        if self._metrics_port is None:
            return
        await stack.enter_async_context(telemetry.watching(functools.partial(backlog_of, self._house)))
        place = stack.enter_context(metrics_served(telemetry.counts, self._metrics_port, host=self._metrics_host))
        self._tell(Said("began", f"metrics at {place}"))

    def _orchestrator(self) -> "Orchestrator":
        from understudy.orchestrator import Orchestrator
        from understudy.wiring import House

        self._house = House(self._settings)
        return Orchestrator(self._settings, house=self._house)

    async def _opened(
        self, stack: AsyncExitStack, made: Callable[[], AbstractAsyncContextManager[T]], *, patient: bool
    ) -> T:
        """Open something for the stack to close; while a server is away, a patient worker waits for it."""
        from domain.errors import StorageAway
        from understudy.durable.engine import Said

        pause = _FIRST_PAUSE
        while True:
            try:
                return await stack.enter_async_context(made())
            except StorageAway as away:
                if not patient:
                    raise
                if pause == _FIRST_PAUSE:
                    self._tell(Said("away", f"waiting: {away}"))
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _stop(self, number: int, working: "asyncio.Task[None]") -> None:
        """End at the next safe point; the second Ctrl-C ends the process now, which loses nothing."""
        from understudy.cli.errors import INTERRUPTED

        if self._asked and number == signal.SIGINT:
            os._exit(INTERRUPTED)
        self._asked = True
        if self._engine is None:
            working.cancel()
        else:
            self._engine.stop(grace=self._settings.drain_grace if number == signal.SIGTERM else None)


def _configure_logging(settings: "Settings") -> None:
    from understudy.known_secrets import known_secrets
    from understudy.telemetry.logs import configure_logging

    # As text, what happens is on stdout already.
    configure_logging(settings.telemetry, known_secrets(settings), runs=settings.telemetry.log_format == "json")


def _printer(as_json: bool) -> "Callable[[Stamped | Said], None]":
    return _print_json if as_json else _print_line


def _print_json(told: "Stamped | Said") -> None:
    from domain.events import Stamped

    said = told.flat() if isinstance(told, Stamped) else {"type": "worker", **told._asdict()}
    typer.echo(json.dumps(said, ensure_ascii=False))


def _print_line(told: "Stamped | Said") -> None:
    from domain.events import Stamped
    from understudy.cli.render import rendered
    from understudy.cli.text import clean, one_line

    if not isinstance(told, Stamped):
        typer.echo(f"{told.what.replace('_', ' ')}: {clean(told.text)}")
    elif (text := rendered(told.event)) is not None:
        typer.echo(f"{told.workspace}/{one_line(told.thread)}  {one_line(text.plain, 200)}")
