"""`understudy trial`: two agents or two sequences share a workspace's runs until one is clearly better."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Team, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from agents.delegation.trials import Verdict

EXAMPLES = """\b
Examples:
  understudy trial start shorter "search>analyse>write" "search>write" --share 0.3
  understudy trial start cheaper senior_writer junior_writer --team teams/mine.toml
  understudy trial show shorter
"""

app = typer.Typer(
    help="Compare two agents or two sequences on the runs to come.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the trial is called.")]


@app.command(epilog=examples(
    'trial start shorter "search>analyse>write" "search>write" --share 0.3',
    "trial start cheaper senior_writer junior_writer --team my-team.toml",
))  # fmt: skip
def start(
    name: Name,
    control: Annotated[str, typer.Argument(metavar="CONTROL", help="An agent, or agents joined by > or a comma.")],
    challenger: Annotated[str, typer.Argument(metavar="CHALLENGER", help="What may turn out better; the same form.")],
    share: Annotated[float, typer.Option("--share", metavar="P", help="Part of the runs for the challenger.")] = 0.5,
    team: Team = None,
    workspace: Workspace = None,
) -> None:
    """Start a trial in a workspace.

    A trial of agents concerns steps that a plan gives to the control; one of sequences concerns runs whose plan takes
    either of the two. Each run keeps its variant. The challenger is promoted, or dropped, when the difference is clear.
    """
    from understudy.orchestrator import Orchestrator

    async def started(orchestrator: Orchestrator) -> str:
        trial = await (await orchestrator.trials()).start(name, control, challenger, share=share)
        return f"{trial.name} has started: {trial.challenger} gets {trial.share:.0%} of the runs of {trial.control}"

    typer.echo(with_orchestrator(workspace, started, team=team))


@app.command("list", epilog=examples("trial list"))
def list_trials(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the workspace's trials with what they show so far."""
    from understudy.orchestrator import Orchestrator

    async def found(orchestrator: Orchestrator) -> "list[Verdict]":
        return await (await orchestrator.trials()).all()

    verdicts = with_orchestrator(workspace, found)
    if as_json:
        from understudy.cli.screen import print_json

        print_json([_object(verdict) for verdict in verdicts])
        return
    _print(verdicts)


@app.command(epilog=examples("trial show shorter", "trial show shorter --json | jq .interval"))
def show(name: Name, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show what a trial found so far.

    It is the difference of the mean outcomes, with an interval that holds however often it is looked at.
    """
    from understudy.orchestrator import Orchestrator

    async def found(orchestrator: Orchestrator) -> "Verdict":
        return await (await orchestrator.trials()).show(name)

    verdict = with_orchestrator(workspace, found)
    if as_json:
        from understudy.cli.screen import print_json

        print_json(_object(verdict))
        return
    _print([verdict])
    typer.echo(_said(verdict))


@app.command(epilog=examples("trial stop shorter"))
def stop(name: Name, workspace: Workspace = None) -> None:
    """End a trial, or take its promotion back: the control goes on alone."""
    from understudy.orchestrator import Orchestrator

    async def stopped(orchestrator: Orchestrator) -> "Verdict":
        return await (await orchestrator.trials()).stop(name)

    trial = with_orchestrator(workspace, stopped).trial
    typer.echo(f"{trial.name} has ended; {trial.control} goes on alone")


def _print(verdicts: "list[Verdict]") -> None:
    from understudy.cli.tables import print_table

    columns = ("trial", "team", "control", "challenger", "share", "state", "runs", "difference", "95 % interval")
    print_table("Trials", columns, [_row(verdict) for verdict in verdicts])


def _row(verdict: "Verdict") -> tuple[str, ...]:
    trial = verdict.trial
    runs = f"{trial.counts[0]} + {trial.counts[1]}"
    measured = (f"{verdict.difference:+.2f}", _interval(verdict)) if min(trial.counts) else ("-", "-")
    return (trial.name, trial.team, trial.control, trial.challenger, f"{trial.share:.0%}", trial.state, runs, *measured)


def _interval(verdict: "Verdict") -> str:
    return f"{verdict.low:+.2f} to {verdict.high:+.2f}"


def _said(verdict: "Verdict") -> str:
    from agents.delegation.trials import MIN_OUTCOMES

    trial = verdict.trial
    match trial.state:
        case "promoted":
            return f"{trial.challenger} is clearly better and takes all runs of {trial.control}"
        case "stopped":
            return f"the trial has ended; {trial.control} goes on alone"
    if min(trial.counts) < MIN_OUTCOMES:
        return f"too early to tell: each variant needs {MIN_OUTCOMES} runs"
    return "the difference is not clear yet: the interval holds 0"


def _object(verdict: "Verdict") -> dict[str, Any]:
    trial = verdict.trial
    return {
        "name": trial.name,
        "team": trial.team,
        "of": trial.of,
        "control": trial.control,
        "challenger": trial.challenger,
        "share": trial.share,
        "state": trial.state,
        "runs": list(trial.counts),
        "difference": verdict.difference,
        "interval": [verdict.low, verdict.high],
        "clear": verdict.clear,
    }
