"""`understudy eval report`: results as files for people."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.options import new_folder
from understudy.cli.text import examples

EXAMPLES = examples("eval run --json > results.json", "eval report results.json --out out/report")


def report(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS.json", exists=True, dir_okay=False, help="What eval run --json printed.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder of the report.")],
) -> None:
    """Write results as a page, as Markdown and as JSON."""
    from evals.report_files import read_results, write_report

    for path in write_report(new_folder(out), read_results(results)):
        typer.echo(str(path))
