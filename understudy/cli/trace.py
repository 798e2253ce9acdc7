"""`understudy trace`: what happened in a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.opened import Assistant, with_assistant
from understudy.cli.options import AsJson, Unredacted, Workspace

if TYPE_CHECKING:
    from graph.trace import Trace

EXAMPLES = """\b
Examples:
  understudy trace 5d0c7e1f22aa
  understudy trace 5d0c7e1f22aa --picture run.svg
  understudy trace 5d0c7e1f22aa --json | jq '.effects[] | {key, state}'
"""


_WIDE = 2000
"""Columns for a program or a file, where no line is broken."""


def trace(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or of its thread for the latest one.")],
    workspace: Workspace = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", dir_okay=False, help="Draw it too, as .png or .svg.")
    ] = None,
    as_json: AsJson = False,
    unredacted: Unredacted = False,
) -> None:
    """Show what happened in a run, step by step.

    Each step comes with its time, confidence, tokens and cost, who did it, and what it changed. The critical path says
    what the run's time went to, and a step's slack by how much it could have ended later.
    """
    found = with_assistant(workspace, lambda o: _traced(o, run, leaves=as_json or picture is not None))
    if picture is not None:
        from understudy.cli.gantt import draw

        draw(found, picture)
    from graph.critical_path import critical_path

    path = critical_path(found)
    if as_json:
        from domain.redaction import redacted_value
        from understudy.cli.screen import print_json

        effects = [effect.model_dump(mode="json") for effect in found.effects]
        usage = found.usage.model_dump(mode="json")
        more = {"seconds": found.seconds, "effects": effects, "usage": usage}
        value = found.model_dump(mode="json") | more | {"critical_path": path.model_dump(mode="json")}
        print_json(value if unredacted else redacted_value(value))
        return
    from understudy.cli.critical_text import path_tree
    from understudy.cli.screen import console
    from understudy.cli.trace_text import trace_tree

    out = console()
    if not out.is_terminal:
        out.width = _WIDE
    out.print(trace_tree(found))
    out.print(path_tree(found, path))


async def _traced(assistant: Assistant, run: str, *, leaves: bool) -> "Trace":
    """Return the trace of a run; where it leaves the data folder as a file or as JSON, that is noted."""
    from understudy.client import Client

    found = await assistant.trace(run)
    if leaves and not isinstance(assistant, Client):
        await assistant.audit.note_export("trace", run=found.run)
    return found
