"""`understudy export`: a conversation as a Markdown document."""

from typing import Annotated

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import Workspace

EXAMPLES = """\b
Examples:
  understudy export 5d0c7e1f22aa > conversation.md
  understudy export 5d0c7e1f22aa --file conversation.md
"""


def export(
    thread: Annotated[str, typer.Argument(metavar="THREAD", help="Name of the conversation.")],
    file: Annotated[str | None, typer.Option("--file", metavar="FILE", help="Write it there.")] = None,
    workspace: Workspace = None,
) -> None:
    """Print a conversation as Markdown.

    It says what was said, planned, done, decided and criticised, with the sources. The document is safe to open:
    nothing that was said in the conversation acts as markup.
    """
    from understudy.exporting import exported_markdown, write_export

    if file is None:
        typer.echo(with_orchestrator(workspace, lambda o: exported_markdown(o, thread)), nl=False)
    else:
        with_orchestrator(workspace, lambda o: write_export(o, thread, file))
