"""`understudy memory constraints`: the hard rules of a workspace."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.given import given_json
from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from domain.constraints import Rule

EXAMPLES = """\b
Examples:
  echo '{"id": "no-mail", "kind": "forbidden_tool", "tools": ["send_mail"]}' | understudy memory constraints propose -
  understudy memory constraints accept no-mail
  understudy memory constraints retire no-mail

Kinds: forbidden_tool (tools), forbidden_recipient (recipients), forbidden_path (paths), privacy (classes),
security (texts), cost (measure, at_most), time_of_day (start, end, zone, tools); each with an id and a why.
"""
RuleFile = Annotated[str, typer.Argument(metavar="FILE", help="The rule as JSON; - reads it from stdin.")]
RuleId = Annotated[str, typer.Argument(metavar="ID", help="Id of the rule.")]

app = typer.Typer(
    help="See, propose, accept, change and retire hard rules.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("list", epilog=examples("memory constraints list"))
def list_rules(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the rules in force, and the hash of them all."""
    policy = with_orchestrator(workspace, lambda o: o.constraints.active(o.settings.workspace))
    if as_json:
        from understudy.cli.screen import print_json

        print_json({"hash": policy.hash, "rules": [rule.model_dump(mode="json") for rule in policy.rules]})
        return
    from understudy.cli.tables import print_table

    rows = [
        (r.id, r.kind, json.dumps(r.model_dump(mode="json", exclude={"id", "kind", "why"})), r.why)
        for r in policy.rules
    ]
    print_table(f"Rules in force ({policy.hash[:12]})", ("rule", "kind", "what", "why"), rows)


@app.command(epilog=examples("memory constraints history --json"))
def history(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List every version of every rule, oldest first."""
    versions = with_orchestrator(workspace, lambda o: o.constraints.history(o.settings.workspace))
    if as_json:
        from understudy.cli.screen import print_json

        print_json([version.model_dump(mode="json") for version in versions])
        return
    from understudy.cli.tables import print_table

    rows = [
        (v.number, v.id, v.move, v.provenance.who,
         time.strftime("%Y-%m-%d %H:%M", time.localtime(v.time)), json.dumps(v.rule) if v.rule else "")
        for v in versions
    ]  # fmt: skip
    print_table("Versions", ("number", "rule", "move", "by", "time", "version"), rows)


@app.command(epilog=examples("memory constraints propose rule.json"))
def propose(rule: RuleFile, workspace: Workspace = None) -> None:
    """Propose a rule, or a new version of one.

    It is in force once it is accepted.
    """
    given = _rule(rule)
    with_orchestrator(workspace, lambda o: o.constraints.propose(o.settings.workspace, given, o.person))
    typer.echo(f"proposed {given.id}; put it in force with: understudy memory constraints accept {given.id}")


@app.command(epilog=examples("memory constraints accept no-mail"))
def accept(rule: RuleId, workspace: Workspace = None) -> None:
    """Put the proposed version of a rule in force."""
    with_orchestrator(workspace, lambda o: o.constraints.accept(o.settings.workspace, rule, o.person))
    typer.echo(f"{rule} is in force")


@app.command(epilog=examples("memory constraints change rule.json"))
def change(rule: RuleFile, workspace: Workspace = None) -> None:
    """Put another version of a rule in force at once."""
    given = _rule(rule)
    with_orchestrator(workspace, lambda o: o.constraints.change(o.settings.workspace, given, o.person))
    typer.echo(f"{given.id} is changed")


@app.command(epilog=examples("memory constraints retire no-mail"))
def retire(rule: RuleId, workspace: Workspace = None) -> None:
    """Put a rule out of force; its versions stay in the history."""
    with_orchestrator(workspace, lambda o: o.constraints.retire(o.settings.workspace, rule, o.person))
    typer.echo(f"{rule} is retired")


def _rule(file: str) -> "Rule":
    """Return the rule in a file or on stdin, or raise `InvalidRule`."""
    from domain.errors import InvalidRule
    from memory.constraints import parsed_rule

    return parsed_rule(given_json(file, InvalidRule))
