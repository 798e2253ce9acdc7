"""`understudy chat`: a conversation in one thread."""

import asyncio

from understudy.cli.options import Data, Out, Team, Workspace
from understudy.cli.run import Thread

EXAMPLES = """\b
Examples:
  understudy chat --data examples/energy --out out
  understudy chat --team marketing --workspace acme

\b
In the conversation:
  /help   what can be typed      /why    how the last goal was routed
  /new    a new conversation     /plan   the last plan
  /quit   leave (also Ctrl-D)    /resume go on with what was stopped
"""


def chat(
    team: Team = None,
    workspace: Workspace = None,
    data: Data = None,
    out: Out = None,
    thread: Thread = None,
) -> None:
    """Talk with a team in the terminal.

    Every line is a goal; what a person must decide is asked in between.
    """
    from understudy.cli.screen import starting

    with starting():
        from understudy.cli.conversation import converse
        from understudy.cli.opened import settings_for

        settings = settings_for(team=team, workspace=workspace, data=data, out=out)
    asyncio.run(converse(settings, thread))
