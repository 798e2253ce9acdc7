"""`understudy eval run`: recorded tasks are played, and what came of them is shown, failures first."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.errors import FAILED
from understudy.cli.options import AsJson, new_file, new_folder
from understudy.cli.text import examples

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from evals.gate import Baseline
    from evals.playing import Player, PlayMode, Version
    from evals.results import SuiteResult
    from evals.suites import Suite

EXAMPLES = examples(
    "eval run --strict --gate evals/baseline.json",
    "eval run marketing --tolerant --report out/report",
    "eval run home --live --epochs 3 --resume out/home.jsonl",
)

Names = Annotated[list[str] | None, typer.Argument(metavar="[SUITE]...", help="Suites; all of them by default.")]
Root = Annotated[
    Path | None,
    typer.Option("--root", metavar="DIR", exists=True, file_okay=False, help="Folder of suites of your own."),
]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="TASK", help="Play this task only; can be repeated.")]


def run(
    names: Names = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Nothing may differ from the recording; this is the default.")
    ] = False,
    tolerant: Annotated[
        bool, typer.Option("--tolerant", help="A changed prompt gets the answer that was recorded in its place.")
    ] = False,
    live: Annotated[bool, typer.Option("--live", help="Ask the model, and use the tools.")] = False,
    epochs: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Play every task so often.")] = 1,
    only: Only = None,
    root: Root = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, metavar="N", help="Tasks at a time; one for each core by default.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="FILE", dir_okay=False, help="Keep results in a file, and go on from there."),
    ] = None,
    gate: Annotated[
        Path | None,
        typer.Option("--gate", metavar="FILE", dir_okay=False, help="Fail on what is worse than this baseline only."),
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Write what is there now as the baseline.")] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", file_okay=False, help="Write a page, Markdown and JSON there, too."),
    ] = None,
    inspect_log: Annotated[
        Path | None,
        typer.Option("--inspect-log", metavar="DIR", file_okay=False, help="Write logs for inspect view there, too."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play recorded tasks and score what comes of them.

    A replay needs no model and no network. It fails where an expectation is not met and, strictly, where anything that
    is asked or answered differs from the recording.
    """
    if accept and not gate:
        raise typer.BadParameter("it says which baseline is written", param_hint="--gate")
    if gate and only:
        raise typer.BadParameter("a baseline holds whole suites", param_hint="--only")
    mode = _mode(strict, tolerant, live)
    suites = _suites(names, root, only)
    _prepare(resume, report, inspect_log)
    baseline = _baseline(gate, accept) if gate else None
    results = _played(suites, mode, epochs, processes or os.cpu_count() or 1, resume)
    _print(results, as_json)
    _write(results, report, inspect_log, mode)
    if gate and baseline:
        _hold(results, gate, baseline, accept, every=not names)
    elif any(not result.passed for suite in results for result in suite.results):
        raise typer.Exit(FAILED)


def _mode(strict: bool, tolerant: bool, live: bool) -> "PlayMode":
    if strict + tolerant + live > 1:
        raise typer.BadParameter("one of --strict, --tolerant and --live is enough")
    if live:
        return "live"
    return "tolerant" if tolerant else "strict"


def _suites(names: list[str] | None, root: Path | None, only: list[str] | None) -> "list[Suite]":
    from evals.suites import chosen, found

    suites = found(names or (), root)
    return chosen(suites, only) if only else suites


def _prepare(resume: Path | None, report: Path | None, inspect_log: Path | None) -> None:
    """Make the folders that are written to and look whether what writes is there, before anything is played."""
    for folder in (resume.absolute().parent if resume else None, report, inspect_log):
        if folder:
            new_folder(folder)
    new_file(resume)
    if inspect_log:
        from evals.inspect_logs import check_installed

        check_installed()


def _baseline(gate: Path, accept: bool) -> "Baseline":
    """Return what was accepted; nothing where the first baseline is to be written."""
    from evals.gate import Baseline, read_baseline

    if accept:
        new_folder(gate.absolute().parent)
        new_file(gate)
    return read_baseline(gate) if gate.exists() or not accept else Baseline()


def _played(
    suites: "list[Suite]", mode: "PlayMode", epochs: int, processes: int, state: Path | None
) -> "list[SuiteResult]":
    from evals.playing import Version
    from evals.running import run_suites
    from understudy.cli.terminal import progress

    with progress("tasks", epochs * sum(len(suite.tasks) for suite in suites)) as advanced:
        return run_suites(
            suites, _open_player, Version(), mode, epochs=epochs, processes=processes, state=state,
            told=lambda result, done, everything: advanced(done, everything),
        )  # fmt: skip


def _open_player(version: "Version") -> "AbstractAsyncContextManager[Player]":
    """Open a player where it is wanted: this process need not load the product when others play."""
    from understudy.evaluation.playing import open_player

    return open_player(version)


def _write(results: "list[SuiteResult]", report: Path | None, inspect_log: Path | None, mode: "PlayMode") -> None:
    if report:
        from evals.report_files import write_report

        for path in write_report(report, results):
            typer.echo(f"written: {path}", err=True)
    if inspect_log:
        from evals.inspect_logs import write_logs

        for path in write_logs(inspect_log, results, mode):
            typer.echo(f"written: {path}", err=True)


def _print(results: "list[SuiteResult]", as_json: bool) -> None:
    if as_json:
        from evals.results import as_json as document
        from understudy.cli.screen import print_json

        print_json(document(results))
    else:
        from understudy.cli.evaluation_text import print_results

        print_results(results)


def _hold(results: "list[SuiteResult]", gate: Path, baseline: "Baseline", accept: bool, *, every: bool) -> None:
    """Hold the results against the baseline, or take them as the new one."""
    from evals.gate import held, write_baseline

    found = held(results, baseline, every=every)
    for line in found.worse:
        typer.echo(f"worse: {line}", err=True)
    for line in found.better:
        typer.echo(f"better: {line}", err=True)
    if accept:
        write_baseline(gate, baseline.with_results(results, every=every))
        typer.echo(f"accepted: {gate} holds what is there now", err=True)
    elif found.worse:
        typer.echo(f"worse than {gate}; what is meant to be so is accepted with --accept", err=True)
        raise typer.Exit(FAILED)
    elif found.better:
        typer.echo("keep it: --accept writes it into the baseline", err=True)
