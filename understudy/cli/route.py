"""`understudy route`: which way a goal would go, with nothing run."""

from typing import Annotated

import typer

from understudy.cli.options import AsJson, Data, Team, Workspace, goal_from

EXAMPLES = """\b
Examples:
  understudy route "Write a blog about machine learning" --team marketing
  understudy route "What is the refund policy?" --json | jq .confidence
"""


def route(
    goal: Annotated[str, typer.Argument(metavar="GOAL", help="What should be done; - reads it from stdin.")],
    team: Team = None,
    workspace: Workspace = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Tell how a goal would be routed, and why.

    Nothing is run or remembered. With --json: source (memory, recipe, planner, reply, ask, refuse), sequence,
    confidence, band, neighbours, explanation.
    """
    text = goal_from(goal)
    from understudy.cli.opened import with_assistant
    from understudy.cli.phrases import decision_text
    from understudy.cli.screen import console, print_json, put

    decision = with_assistant(workspace, lambda o: o.route(text), team=team, data=data)
    if as_json:
        print_json(decision.model_dump(mode="json"))
    else:
        put(console(), decision_text(decision))
