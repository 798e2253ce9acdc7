"""`understudy bench`: measurements of this installation, each with its aims."""

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.errors import FAILED
from understudy.cli.options import AsJson, Data

if TYPE_CHECKING:
    from evals.report import Report

app = typer.Typer(
    help="Measure this installation; every benchmark prints its figures, its aims and whether they are met.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command()
def schedule(
    dags: Annotated[int, typer.Option(min=20, help="Random plans to schedule.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the random plans.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Compare the step scheduler with list scheduling that knows all durations, on a virtual clock."""
    from evals.benchmarks.schedule import run

    _print(run(dags=dags, seed=seed), as_json)


@app.command()
def overhead(
    tasks: Annotated[int, typer.Option(min=5, help="Tasks per side, run in turn.")] = 100, as_json: AsJson = False
) -> None:
    """Compare a task of four model calls with a hand-written LangGraph graph that makes the same calls."""
    from evals.benchmarks.overhead import run
    from understudy.measured import on_scripted_model

    _print(asyncio.run(run(on_scripted_model, tasks=tasks)), as_json)


@app.command()
def latency(data: Data = None, as_json: AsJson = False) -> None:
    """Time a route from memory, a plan preview without a model, and the start of the command line."""
    _print(asyncio.run(_latency(data)), as_json)


@app.command()
def route(
    memory: Annotated[Path, typer.Option(metavar="FILE", help="What is remembered: lines of goal and route.")],
    queries: Annotated[Path, typer.Option(metavar="FILE", help="What is asked; route null is an unknown task.")],
    encoder: Annotated[str, typer.Option(metavar="NAME", help="Encoder of the goals.")] = "wordllama",
    per_route: Annotated[int | None, typer.Option(min=1, help="Examples a route at most.")] = None,
    curve: Annotated[bool, typer.Option("--curve", help="Measure with 1 to 50 examples a route too.")] = False,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the reliability diagram.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure routing from memory on your own requests: what is reused, how surely, and whether it is right."""
    from evals.benchmarks.route import run
    from evals.benchmarks.route_rows import read_rows

    rows = read_rows(memory), read_rows(queries)
    _print(asyncio.run(run(*rows, encoder_name=encoder, per_route=per_route, curve=curve, png=png)), as_json)


@app.command()
def select(
    outcomes: Annotated[Path, typer.Option(metavar="FILE", help="Lines of task_type, goal, outcomes and cost by arm.")],
    policy: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Policy to replay; all where none.")] = None,
    price: Annotated[float, typer.Option(min=0, help="What the dearest arm's cost takes from an outcome.")] = 0.1,
    seeds: Annotated[int, typer.Option(min=2, help="Orders in which the rows are replayed.")] = 20,
    encoder: Annotated[str, typer.Option(metavar="NAME", help="Encoder of the goals.")] = "wordllama",
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the regret along the stream.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure who would be chosen for your own tasks: policies against fixed arms and the best choice in hindsight."""
    from evals.benchmarks.outcome_rows import read_stream
    from evals.benchmarks.select import chosen_policies, run
    from memory.encoders import encoder as encoder_called

    policies = chosen_policies(policy or ["all"])
    stream = read_stream(outcomes, encoder_called(encoder))
    _print(run(stream, policies=policies, price=price, seeds=seeds, png=png), as_json)


async def _latency(data: Path | None) -> "Report":
    from evals.benchmarks.latency import KNOWN_PLAN, run
    from understudy.measured import MeasuredOrchestrator, without_model
    from understudy.orchestrator import Orchestrator

    topics = ("wind", "coal", "exports", "wages", "rainfall", "housing", "ferries", "libraries", "wheat", "tourism")
    known = [f"Describe how {topic} changed in region {n} and why" for topic in topics for n in range(10)]
    new = [f"How many {topic} were there in year {1990 + n}?" for topic in topics for n in range(4)]
    with tempfile.TemporaryDirectory() as home:
        async with Orchestrator(without_model(Path(home), data)) as orchestrator:
            subject = MeasuredOrchestrator(orchestrator, "documents")
            for goal in known:
                await subject.prepare(goal, KNOWN_PLAN)
            return await run(route=orchestrator.route, preview=orchestrator.route, known=known, new=new)


def _print(report: "Report", as_json: bool) -> None:
    from understudy.cli.screen import print_json
    from understudy.cli.tables import print_table

    if as_json:
        print_json(report.as_json())
    else:
        print_table(f"bench {report.name}", ("figure", "value", "aim", "met"), report.rows())
    if not report.passed:
        raise typer.Exit(FAILED)
