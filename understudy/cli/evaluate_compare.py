"""`understudy eval compare`: two versions on the same recorded tasks."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.errors import FAILED
from understudy.cli.evaluate_run import Names, Root
from understudy.cli.options import AsJson, new_folder
from understudy.cli.text import examples

if TYPE_CHECKING:
    from evals.comparison import Comparison
    from evals.results import SuiteResult, TaskResult
    from evals.versions import Spec
    from understudy.evaluation.versions import Playing

EXAMPLES = examples(
    "eval compare before.json after.json",
    "eval compare commit:HEAD~1 current --report out/comparison",
    "eval compare current reuse_above=0.9 marketing",
    "eval compare current prompts=drafts,planning_weights.cost=1 --json",
)
_FORMS = "A file of eval run --json, commit:REV, current, or KEY=VALUE,... of team, prompts, model and settings."


def compare(
    before: Annotated[str, typer.Argument(metavar="A", help=_FORMS)],
    after: Annotated[str, typer.Argument(metavar="B", help="What is compared with it; the same forms.")],
    names: Names = None,
    tolerant: Annotated[
        bool, typer.Option("--tolerant", help="Answer changed prompts as recorded; always so where a version differs.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Play every task so often.")] = 1,
    root: Root = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, metavar="N", help="Tasks at a time; one for each core by default.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", file_okay=False, help="Write a page, Markdown and JSON there, too."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions on the same recorded tasks.

    Every metric gets the mean difference of paired tasks with its 95 % interval and a verdict: better, worse, same
    where no task differs, or unclear. It fails where surely fewer tasks pass.
    """
    from evals.comparison import compared

    specs = _specs(before, after)
    if report:
        new_folder(report)
    playing = _playing(specs, names, root, epochs=epochs, tolerant=tolerant, processes=processes)
    one, other = (_results(text, spec, playing) for text, spec in zip((before, after), specs, strict=True))
    found = compared(_tasks(one), _tasks(other))
    _print(found, as_json)
    if report:
        from evals.comparison_report import write_comparison

        for path in write_comparison(report, found, other, title=f"{before} and {after}"):
            typer.echo(f"written: {path}", err=True)
    if found.regressed:
        raise typer.Exit(FAILED)


def _specs(before: str, after: str) -> "tuple[Spec, Spec]":
    from evals.versions import parsed
    from understudy.evaluation.house import setting_names
    from understudy.evaluation.versions import checked_spec

    names = setting_names()
    return checked_spec(parsed(before, names)), checked_spec(parsed(after, names))


def _playing(
    specs: "tuple[Spec, Spec]",
    names: list[str] | None,
    root: Path | None,
    *,
    epochs: int,
    tolerant: bool,
    processes: int | None,
) -> "Playing":
    from evals.suites import found
    from evals.versions import Results, changed
    from understudy.evaluation.versions import SUITES, Playing

    played = not all(isinstance(spec, Results) for spec in specs)
    folder = (root or SUITES).resolve()
    return Playing(
        suites=found(names or (), folder) if played else [],
        names=names or (),
        root=folder,
        epochs=epochs,
        tolerant=tolerant or any(map(changed, specs)),
        processes=processes or os.cpu_count() or 1,
    )


def _results(text: str, spec: "Spec", playing: "Playing") -> "list[SuiteResult]":
    from understudy.cli.terminal import progress
    from understudy.evaluation.versions import results_of

    with progress(text, None) as advanced:
        return results_of(spec, playing, lambda result, done, everything: advanced(done, everything))


def _tasks(suites: "list[SuiteResult]") -> "list[TaskResult]":
    return [result for suite in suites for result in suite.results]


def _print(found: "Comparison", as_json: bool) -> None:
    from evals import comparison_report
    from understudy.cli.screen import print_json
    from understudy.cli.tables import print_table
    from understudy.cli.text import one_line

    if as_json:
        print_json(comparison_report.as_json(found))
        return
    columns = ("metric", "before", "after", "change", "95 % interval", "tasks", "verdict")
    print_table("The second version against the first", columns, comparison_report.metric_rows(found))
    for flip in found.flips:
        typer.echo(f"FLIPPED {one_line(f'{flip.suite}/{flip.task}')} now {flip.to}")
        for line in comparison_report.flip_lines(flip):
            typer.echo(f"  {one_line(line, 400)}")
    for line in comparison_report.drift_lines(found):
        typer.echo(one_line(line, 1000))
