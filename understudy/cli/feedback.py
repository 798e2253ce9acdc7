"""`understudy feedback`: what a person thought of a run."""

from typing import Annotated

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace

EXAMPLES = """\b
Examples:
  understudy feedback 3f2a9c81d0b4 --rating 2 --correction "The report must name its sources."
"""


def feedback(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or of its thread for the latest one.")],
    rating: Annotated[
        int | None, typer.Option("--rating", metavar="N", min=1, max=5, help="1 (useless) to 5 (right).")
    ] = None,
    correction: Annotated[str, typer.Option("--correction", metavar="TEXT", help="The text as it should be.")] = "",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Rate or correct a run; the next route heeds it.

    A rating below 3, or below 4 with a correction, counts as a failure of the task.
    """
    received = with_orchestrator(workspace, lambda o: o.feedback(run, rating=rating, correction=correction))
    if as_json:
        from understudy.cli.screen import print_json

        print_json(received._asdict() | {"feedback": received.feedback.model_dump(mode="json")})
        return
    runs = received.successes + received.failures
    verdict = "accepted" if received.feedback.accepted else "not accepted"
    typer.echo(f"{verdict}; the task now stands at {received.successes} of {runs} runs, reward {received.reward:.2f}")
