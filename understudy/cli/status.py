"""`understudy status`: the data folder, who plays, what is remembered and what is open."""

from understudy.cli.opened import with_assistant
from understudy.cli.options import AsJson, Workspace

EXAMPLES = """\b
Examples:
  understudy status
  understudy status --json | jq -r '.open_threads[].thread'
"""


def status(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show how the installation stands.

    The data folder, the team, whether a model plays, what is remembered, and which runs can be resumed.
    """
    from understudy.cli.screen import console, print_json, put
    from understudy.cli.status_text import status_text

    current = with_assistant(workspace, lambda o: o.status())
    if as_json:
        print_json(current.model_dump(mode="json"))
    else:
        put(console(), status_text(current))
