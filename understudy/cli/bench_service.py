"""`understudy bench serve`: the service under load."""

import asyncio
import sys
from typing import Annotated

import typer

from understudy.cli.bench_report import print_report
from understudy.cli.options import AsJson
from understudy.cli.text import examples

EXAMPLES = examples("bench serve --only sessions --sessions 50", "bench serve --only kills --kills 30 --json")
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="SCENARIO", help="sessions, throughput, scale, rejoin, kills, pages; all of them."),
]


def serve(
    only: Only = None,
    sessions: Annotated[int, typer.Option(min=1, max=5000, help="Conversations that go on at once.")] = 200,
    seconds: Annotated[
        float, typer.Option(min=1, max=86_400, help="How long they last; other load lasts a third of it.")
    ] = 60,
    think: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds between two turns of a conversation, on average.")
    ] = 60,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Workers beside the two API processes.")] = 4,
    kills: Annotated[int, typer.Option(min=1, max=10_000, help="Times a process is killed.")] = 12,
    servers: Annotated[bool, typer.Option("--servers", help="Kill PostgreSQL and Redis, too.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of pauses and kills.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure the service under load, on an installation of its own.

    Two API processes and workers run on this machine with a PostgreSQL, a Redis and a Chroma of their own, which must
    be installed, and a model that answers after 200 ms. Clients join again by themselves; what they miss is counted.
    """
    from evals.benchmarks.serve import Size, chosen_scenarios, run

    names = chosen_scenarios(only or [])
    size = Size(sessions, seconds, think, workers, kills, seed, servers)
    print_report(asyncio.run(run(names, size, tell=_tell)), as_json)


def _tell(said: str) -> None:
    """Show what is being done to a waiting person."""
    if sys.stderr.isatty():
        typer.echo(said, err=True)
