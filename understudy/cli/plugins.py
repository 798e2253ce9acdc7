"""`understudy plugins`: what other packages bring along, and what of it cannot be used."""

import typer

from understudy.cli.options import AsJson

EXAMPLES = """\b
Examples:
  understudy plugins
  understudy plugins --json | jq -r '.[] | select(.problem != "") | .name'

\b
A package brings parts along by entry points of the groups understudy.agents, understudy.tools, understudy.encoders,
understudy.metrics, understudy.notifiers and understudy.resources. A team takes specialists and resources by
plugins = ["NAME"] in its file, and tools by naming them.
"""


def plugins(as_json: AsJson = False) -> None:
    """List the plug-ins that are installed.

    One that cannot be loaded, or whose name is taken, stands there with the reason; everything else works.
    """
    from understudy.cli.screen import print_json
    from understudy.cli.tables import print_table
    from understudy.plugins import listed

    found = listed()
    if as_json:
        print_json([{k: v for k, v in each._asdict().items() if k != "value"} for each in found])
        return
    if not found:
        typer.echo("no plug-ins are installed")
        return
    rows = [(each.name, each.group, each.package, each.problem or "ok") for each in found]
    print_table("Plug-ins", ("plug-in", "group", "package", "state"), rows)
