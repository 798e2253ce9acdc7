"""`understudy run` and `understudy resume`: one goal, or the rest of one."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli.options import AsJson, Data, Decide, Out, Team, Workspace, Yes, goal_from

if TYPE_CHECKING:
    from understudy.cli.approve import Answers
    from understudy.cli.screen import Screen
    from understudy.cli.session import Start

RUN_EXAMPLES = """\b
Examples:
  understudy run "How did the share of renewables change, and why?" --data examples/energy
  understudy run "Write a brief about wind power in Iowa" --data examples/energy --out out --yes
  understudy run "Compare the two reports" --data reports --plan-only
  cat goal.txt | understudy run - --json | jq -c 'select(.type == "run_finished")'

\b
A file for --decide holds one decision per line, used in order; name, id and checkpoint choose the question:
  {"name": "write_file", "type": "edit", "args": {"path": "short.md"}}
  {"type": "approve"}

\b
Exit codes: 0 done, 1 failed, rejected or out of budget, 2 usage, 3 waits for a person, 130 interrupted.
"""

RESUME_EXAMPLES = """\b
Examples:
  understudy resume 3f2a9c81d0be            go on, answering the open question here
  understudy resume 3f2a9c81d0be --yes      approve what is asked
"""

Thread = Annotated[str | None, typer.Option("--thread", metavar="ID", help="Conversation to continue or to name.")]


def run(
    goal: Annotated[str, typer.Argument(metavar="GOAL", help="What should be done; - reads it from stdin.")],
    team: Team = None,
    workspace: Workspace = None,
    data: Data = None,
    out: Out = None,
    yes: Yes = False,
    decide: Decide = None,
    as_json: AsJson = False,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Show the plan; run nothing.")] = False,
    thread: Thread = None,
) -> None:
    """Do one goal and print the answer.

    The team plans, works, criticises its work, and asks where a person decides. The answer goes to stdout, progress
    to stderr. Ctrl-C stops at the next safe point; `resume` goes on from there.
    """
    text = goal_from(goal)
    settings = {"team": team, "workspace": workspace, "data": data, "out": out}
    _follow(
        settings, lambda o: o.stream(text, thread=thread, plan_only=plan_only),
        yes=yes, decide=decide, as_json=as_json, plan_only=plan_only,
    )  # fmt: skip


def resume(
    thread: Annotated[str, typer.Argument(metavar="THREAD", help="Id of the conversation; `status` lists open ones.")],
    workspace: Workspace = None,
    yes: Yes = False,
    decide: Decide = None,
    as_json: AsJson = False,
) -> None:
    """Go on with an interrupted or waiting run.

    An open question is asked again; --yes or --decide answer it without a terminal.
    """
    _follow(
        {"workspace": workspace}, lambda o: o.resume(thread),
        yes=yes, decide=decide, as_json=as_json, resumes=thread,
    )  # fmt: skip


def _follow(
    overrides: dict[str, Any],
    start: "Start",
    *,
    yes: bool,
    decide: Path | None,
    as_json: bool,
    plan_only: bool = False,
    resumes: str | None = None,
) -> None:
    from understudy.cli.screen import starting

    answers = answers_for(yes=yes, decide=decide, as_json=as_json)
    with starting():
        from understudy.cli.opened import settings_for
        from understudy.cli.session import follow_one

        settings = settings_for(**overrides)
    screen = screen_for(as_json=as_json, plan_only=plan_only)
    code = asyncio.run(follow_one(settings, screen, answers, start, resumes=resumes))
    _warn_of_unused(answers)
    raise typer.Exit(code)


def screen_for(*, as_json: bool, plan_only: bool) -> "Screen":
    """Return where a run is shown."""
    from understudy.cli.screen import JsonScreen, TerminalScreen

    return JsonScreen() if as_json else TerminalScreen(plan_only=plan_only)


def answers_for(*, yes: bool, decide: Path | None, as_json: bool) -> "Answers":
    """Return who answers; a program that reads JSON is never asked."""
    from understudy.cli import approve
    from understudy.cli.screen import console
    from understudy.cli.terminal import is_interactive, read_line

    if decide is not None:
        return approve.DecisionFile(approve.read_decisions(decide), approve.approve_all if yes else approve.nobody)
    if yes:
        return approve.approve_all
    if as_json or not is_interactive():
        return approve.nobody
    return approve.Person(console(stderr=True), read_line)


def _warn_of_unused(answers: "Answers") -> None:
    from understudy.cli.approve import DecisionFile
    from understudy.cli.errors import complain

    if isinstance(answers, DecisionFile) and answers.entries:
        complain(f"{len(answers.entries)} decision(s) of the file were not used")
