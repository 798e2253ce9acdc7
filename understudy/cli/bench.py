"""`understudy bench`: measurements of this installation, each with its aims."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli import bench_service
from understudy.cli.bench_report import print_report as _print
from understudy.cli.evaluate_run import Names, Root
from understudy.cli.options import AsJson, Data, Png, Team
from understudy.cli.text import examples

if TYPE_CHECKING:
    from evals.benchmarks.plan_rows import Row
    from evals.report import Report

EXAMPLES = examples("bench planning", "bench latency --data examples/energy", "bench crash --kills 20 --json")

app = typer.Typer(
    epilog=EXAMPLES,
    help="Measure this installation. Every benchmark prints its figures, its aims and whether they are met.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command(epilog=examples("bench schedule"))
def schedule(
    dags: Annotated[int, typer.Option(min=20, help="Random plans to schedule.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the random plans.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Compare the step scheduler with one that knows all durations.

    That one is list scheduling; both run on a virtual clock.
    """
    from evals.benchmarks.schedule import run

    _print(run(dags=dags, seed=seed), as_json)


@app.command(epilog=examples("bench planning --runs 50"))
def planning(
    runs: Annotated[int, typer.Option(min=3, help="Runs of each part; their median counts.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the random plans.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Time the part of planning that needs no model.

    It is validation, repair, minimal plans, and the Pareto choice between them.
    """
    from evals.benchmarks.planning import run

    _print(run(runs=runs, seed=seed), as_json)


@app.command(epilog=examples("bench tools"))
def tools(
    calls: Annotated[int, typer.Option(min=100, help="Validations in each run.")] = 5000,
    runs: Annotated[int, typer.Option(min=3, help="Runs of each kind, in turn; their median counts.")] = 9,
    as_json: AsJson = False,
) -> None:
    """Time the validation of tool calls' arguments.

    It counts how many are validated in a second, beside pydantic alone.
    """
    from evals.benchmarks.tools import run

    _print(run(calls=calls, runs=runs), as_json)


@app.command(epilog=examples("bench overhead --tasks 60"))
def overhead(
    tasks: Annotated[int, typer.Option(min=5, help="Tasks per side, run in turn.")] = 100, as_json: AsJson = False
) -> None:
    """Compare a task with a bare graph that calls the model as often.

    The task makes four model calls; the graph is a hand-written one in LangGraph.
    """
    from evals.benchmarks.overhead import run
    from understudy.measured import on_scripted_model

    _print(asyncio.run(run(on_scripted_model, tasks=tasks)), as_json)


@app.command(epilog=examples("bench recording"))
def recording(
    calls: Annotated[int, typer.Option(min=20, help="Calls on each side, made in turn.")] = 600, as_json: AsJson = False
) -> None:
    """Time what keeping a model call adds to it.

    The same calls are made with and without the log, on a server that answers at once.
    """
    from evals.benchmarks.recording import run

    _print(asyncio.run(run(calls=calls)), as_json)


@app.command(epilog=examples("bench replay", "bench replay home marketing --rounds 5"))
def replay(
    names: Names = None,
    rounds: Annotated[int, typer.Option(min=1, help="Replays of everything; their median counts.")] = 3,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Time how quickly recorded tasks are replayed.

    Two processes replay them strictly, without a model and the network. It counts, too, whether each replay says the
    same.
    """
    from evals.benchmarks.replay import run
    from evals.suites import found
    from understudy.evaluation.playing import open_player

    _print(run(found(names or (), root), open_player, rounds=rounds), as_json)


@app.command(epilog=examples("bench latency --data examples/energy"))
def latency(data: Data = None, as_json: AsJson = False) -> None:
    """Time a route, a plan preview, and the start of this command.

    The route is one from memory, the preview one without a model.
    """
    from understudy.measured import latency_of_routes

    _print(asyncio.run(latency_of_routes(data)), as_json)


@app.command(epilog=examples("bench autonomy --rules 100 --decisions 1000"))
def autonomy(
    rules: Annotated[int, typer.Option(min=1, max=10_000, help="Constraints, and as many standing rules.")] = 1000,
    decisions: Annotated[int, typer.Option(min=10, max=1_000_000, help="Acts decided on in the past.")] = 10_000,
    rulings: Annotated[int, typer.Option(min=20, max=10_000, help="Rulings that are timed.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Time the decision whether an act needs a person.

    It is taken in a workspace with many rules and a long past.
    """
    _print(asyncio.run(_autonomy(rules, decisions, rulings)), as_json)


@app.command(epilog=examples("bench memory --size 1000"))
def memory(
    size: Annotated[int, typer.Option(min=100, max=1_000_000, help="Tasks that are remembered in the end.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the requests.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure how task memory behaves as it grows.

    Inserting, recalling, opening, RSS and disk are measured at 1k, 10k, ... tasks up to the size.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from evals.benchmarks.memory import run
    from understudy.cli.screen import console

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("remembering", total=size)

        def show(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing, completed=done, total=total)

        report = asyncio.run(run(size=size, seed=seed, progress=show))
    _print(report, as_json)


@app.command(epilog=examples("bench route --memory known.jsonl --queries asked.jsonl --curve --png reliability.png"))
def route(
    memory: Annotated[Path, typer.Option(metavar="FILE", help="What is remembered: lines of goal and route.")],
    queries: Annotated[Path, typer.Option(metavar="FILE", help="What is asked; route null is an unknown task.")],
    encoder: Annotated[str, typer.Option(metavar="NAME", help="Encoder of the goals.")] = "wordllama",
    per_route: Annotated[int | None, typer.Option(min=1, help="Examples a route at most.")] = None,
    curve: Annotated[bool, typer.Option("--curve", help="Measure with 1 to 50 examples a route too.")] = False,
    png: Png = None,
    as_json: AsJson = False,
) -> None:
    """Measure routing from memory on your own requests.

    It says what is reused, how surely, and whether it is right. The picture is the reliability diagram.
    """
    from evals.benchmarks.route import run
    from evals.benchmarks.route_rows import read_rows

    rows = read_rows(memory), read_rows(queries)
    _print(asyncio.run(run(*rows, encoder_name=encoder, per_route=per_route, curve=curve, png=png)), as_json)


@app.command(epilog=examples("bench select --outcomes outcomes.jsonl --png regret.png"))
def select(
    outcomes: Annotated[Path, typer.Option(metavar="FILE", help="Lines of task_type, goal, outcomes and cost by arm.")],
    policy: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Policy to replay; all where none.")] = None,
    price: Annotated[float, typer.Option(min=0, help="What the dearest arm's cost takes from an outcome.")] = 0.1,
    seeds: Annotated[int, typer.Option(min=2, help="Orders in which the rows are replayed.")] = 20,
    encoder: Annotated[str, typer.Option(metavar="NAME", help="Encoder of the goals.")] = "wordllama",
    png: Png = None,
    as_json: AsJson = False,
) -> None:
    """Measure who would be chosen for your own tasks.

    Policies are compared with fixed arms and with the best choice in hindsight. The picture shows the regret along the
    stream.
    """
    from evals.benchmarks.outcome_rows import read_stream
    from evals.benchmarks.select import chosen_policies, run
    from memory.encoders import encoder as encoder_called

    policies = chosen_policies(policy or ["all"])
    stream = read_stream(outcomes, encoder_called(encoder))
    _print(run(stream, policies=policies, price=price, seeds=seeds, png=png), as_json)


@app.command(epilog=examples("bench plan --cases cases.jsonl --memory 0.5"))
def plan(
    cases: Annotated[Path, typer.Option(metavar="FILE", help="Lines of goal, tools, and plan with steps and edges.")],
    memory: Annotated[
        float, typer.Option(metavar="N|SHARE", min=0, help="Rows that are remembered; below 1 a share of them.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of which rows are remembered.")] = 0,
    encoder: Annotated[str, typer.Option(metavar="NAME", help="Encoder of the goals.")] = "wordllama",
    team: Team = None,
    model_requests: Annotated[
        int, typer.Option(min=0, help="Requests that the configured model plans too, one call each; 0 for none.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Measure planning from memory on your own requests.

    Beside it stand the nearest plan, the templates of the team, and a model where one is set.
    """
    from evals.benchmarks.plan_rows import read_rows

    rows = read_rows(cases)
    _print(asyncio.run(_plan(rows, memory, seed, encoder, team, model_requests)), as_json)


async def _plan(
    rows: "list[Row]", memory: float, seed: int, encoder: str, team: str | None, model_requests: int
) -> "Report":
    from agents.team_files import load_team
    from evals.benchmarks.plan import run
    from evals.benchmarks.plan_planners import model, templates
    from understudy.measured import planning_model
    from understudy.settings import load_settings

    settings = load_settings(team=team)
    shipped = await asyncio.to_thread(load_team, settings.team)
    async with planning_model(settings) as role:
        leading = model(role, model_requests) if role and model_requests else None
        others = {"templates": templates(shipped), "model": leading}
        return await run(rows, memory=memory, seed=seed, encoder_name=encoder, others=others)


@app.command(epilog=examples("bench compare --seeds 20"))
def compare(
    seeds: Annotated[int, typer.Option(min=2, help="Comparisons of each kind.")] = 100, as_json: AsJson = False
) -> None:
    """Measure how far a comparison of two versions can be believed.

    It counts alarms where nothing changed, and how often a planted drop of ten points is found, by tasks and epochs.
    """
    from evals.benchmarks.compare import run

    _print(run(seeds=seeds), as_json)


@app.command(epilog=examples("bench crash --kills 20"))
def crash(
    kills: Annotated[int, typer.Option(min=1, help="Times a process is killed.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of the random times.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Kill runs, and count lost runs and doubled effects.

    They change the world outside, and are killed at every boundary and at random.
    """
    from evals.benchmarks.crash import run
    from understudy.cli.terminal import progress
    from understudy.crashing import worker

    with progress("kills", kills) as advanced:
        report = run(worker, kills=kills, seed=seed, progress=advanced)
    _print(report, as_json)


@app.command(epilog=examples("bench approvals --quick", "bench approvals --only race --only deadlines --json"))
def approvals(
    quick: Annotated[bool, typer.Option("--quick", help="A small number of everything; some three minutes.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PART", help="twice, race, deadlines, waiting, claims, kills, restarts."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random times.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure decisions and deadlines under kills and restarts.

    Real processes work on a PostgreSQL and a Redis of their own, which must be installed. The full one takes hours;
    its parts can be measured one by one.
    """
    from evals.benchmarks.approvals import FULL, QUICK, chosen_parts, run
    from understudy.approving import worker
    from understudy.cli.terminal import progress

    parts = chosen_parts(only or [])
    with progress("parts", len(parts)) as advanced:
        report = run(worker, QUICK if quick else FULL, parts=parts, seed=seed, progress=advanced)
    _print(report, as_json)


@app.command(epilog=examples("bench hostile --quick"))
def hostile(
    quick: Annotated[bool, typer.Option("--quick", help="Every seventh pair only, by one road each.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play AgentDojo's attacks and honest tasks through the graph.

    The cast obeys every injected word, and nothing else makes the system ask. It counts which of the attacker's calls
    happened, and how often honest tasks are asked about. Needs the package agentdojo.
    """
    from evals.benchmarks.hostile import run
    from memory.encoders import encoder

    _print(run(encoder("wordllama"), quick=quick), as_json)


@app.command(epilog=examples("bench faults --runs 14"))
def faults(
    runs: Annotated[int, typer.Option(min=7, help="Runs of each of the four conditions.")] = 140,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of model calls, and of tool calls, that fail.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(help="Seed of the faults.")] = 1,
    data: Annotated[
        Path, typer.Option(metavar="DIR", exists=True, file_okay=False, help="The folder examples/energy.")
    ] = Path("examples/energy"),
    as_json: AsJson = False,
) -> None:
    """Run both shipped teams while models and tools fail.

    It counts usable ends, and failures that name no cause.
    """
    from evals.benchmarks.faults import CONDITIONS, Faults
    from understudy.cli.terminal import progress
    from understudy.faulted import opener

    with progress("runs", CONDITIONS * runs) as advanced:
        report = asyncio.run(Faults(opener(data), runs, seed=seed, share=share, progress=advanced).report())
    _print(report, as_json)


app.command("serve", epilog=bench_service.EXAMPLES)(bench_service.serve)


async def _autonomy(rules: int, decisions: int, rulings: int) -> "Report":
    from evals.benchmarks.autonomy import entries, run
    from graph.context import Context
    from understudy.cli.terminal import progress
    from understudy.measured import without_model
    from understudy.wiring import House

    done = 0
    with tempfile.TemporaryDirectory() as home, progress("writing the past", entries(rules, decisions)) as advanced:

        def more(count: int) -> None:
            nonlocal done
            done += count
            advanced(done)

        async with House(without_model(Path(home), None)) as house:
            services = await house.services_for(Context())
            return await run(services, rules=rules, decisions=decisions, rulings=rulings, progress=more)
