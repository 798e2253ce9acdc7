"""`understudy feedback`: what a person thought of a run."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.opened import Assistant, with_assistant
from understudy.cli.options import AsJson, Workspace

if TYPE_CHECKING:
    from memory.feedback import Received

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
    from understudy.client.judged import Judged

    async def given(assistant: Assistant) -> "Received | Judged":
        return await assistant.feedback(run, rating=rating, correction=correction)

    received = with_assistant(workspace, given)
    judgement = None if isinstance(received, Judged) else received.feedback
    if as_json:
        from understudy.cli.screen import print_json

        print_json(received._asdict() | ({"feedback": judgement.model_dump(mode="json")} if judgement else {}))
        return
    runs = received.successes + received.failures
    accepted = received.accepted if isinstance(received, Judged) else received.feedback.accepted
    verdict = "accepted" if accepted else "not accepted"
    typer.echo(f"{verdict}; the task now stands at {received.successes} of {runs} runs, reward {received.reward:.2f}")
