"""`understudy serve`: the HTTP API and the console."""

import asyncio
from typing import Annotated

import typer

EXAMPLES = """\b
Examples:
  understudy serve                           http://127.0.0.1:8321, for the one who works at this machine
  understudy serve --port 9000 --no-worker   answers; `understudy worker` processes carry the runs out

\b
Other addresses than this machine's want identity first: `understudy keys create`, or an OpenID Connect issuer.
"""


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    with_worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Whether runs are carried out in this process, too.")
    ] = True,
) -> None:
    """Serve the HTTP API and the console.

    Runs go on whether anybody watches or not. On SIGTERM they stop at their next safe point; the next process carries
    them on.
    """
    from understudy.cli.screen import starting

    with starting():
        from understudy.known_secrets import known_secrets
        from understudy.service import serving
        from understudy.settings import load_settings
        from understudy.telemetry.logs import configure_logging

        settings = load_settings()
        given = {"host": host, "port": port}
        service = settings.service.model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )
        settings = settings.model_copy(update={"service": service})
        configure_logging(settings.telemetry, known_secrets(settings))
    asyncio.run(serving.serve(settings, with_engine=with_worker, ready=_told))


def _told(url: str) -> None:
    typer.echo(f"Understudy listens at {url} (console: {url}/console, API: {url}/openapi.json)")
