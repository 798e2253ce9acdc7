"""`understudy rules`: what may be done without asking, and how far each user is trusted."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from understudy.cli.given import given_json
from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from domain.standing import Scope
    from memory.standing_rules import Standing
    from understudy.orchestrator import Orchestrator

EXAMPLES = """\b
Examples:
  understudy rules list
  understudy rules accept earned-3f2a9c81d0b4-1
  understudy rules retire mail-ann --why "she has left"
  understudy rules trust ann trusted

A rule is proposed when you have approved enough acts of one kind unchanged. Editing, rejecting, undoing or badly rating
one of its kind puts it out of force at once. No rule passes a constraint, a checkpoint that blocks or escalates, words
from untrusted content, or a consent that you have not given.
"""
A_SCOPE = """
\b
A scope.json that lets mails with any text to one person pass:
  {"tool": "send_mail", "names": ["to", "text"],
   "recipients": ["ann@example.org"], "free": ["text"]}
"""
RuleId = Annotated[str, typer.Argument(metavar="ID", help="Id of the rule.")]
ScopeFile = Annotated[str, typer.Argument(metavar="FILE", help="The rule's scope as JSON; - reads it from stdin.")]
TierName = Literal["cautious", "standard", "trusted"]

app = typer.Typer(
    help="See, accept and retire standing rules; set trust tiers.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("list", epilog=examples("rules list --json"))
def list_rules(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the standing rules, and the tiers that users were given."""
    found, tiers, default = with_orchestrator(workspace, _everything)
    if as_json:
        from understudy.cli.screen import print_json

        print_json({"rules": [_as_json(standing) for standing in found], "tiers": tiers, "default_tier": default})
        return
    from understudy.cli.tables import print_table

    rows = [(s.rule.id, s.status, s.rule.words, _day(s.rule.expires), s.by, s.why) for s in found]
    print_table("Standing rules", ("rule", "status", "you let me", "ends", "by", "why"), rows)
    given = ", ".join(f"{user}: {tier}" for user, tier in tiers.items())
    typer.echo(f"trust: {default}{f'; {given}' if given else ''}")


async def _everything(orchestrator: "Orchestrator") -> "tuple[list[Standing], dict[str, Any], str]":
    rules = await orchestrator.rules()
    return await rules.listed(), dict(await rules.tiers()), rules.bounds.tier


@app.command(epilog=examples("rules show earned-3f2a9c81d0b4-1"))
def show(rule: RuleId, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show one rule.

    What it lets pass, until when, what it was earned with, and every move of it.
    """

    async def found(orchestrator: "Orchestrator") -> Any:
        rules = await orchestrator.rules()
        return await rules.get(rule), await rules.history(rule)

    standing, history = with_orchestrator(workspace, found)
    if as_json:
        from understudy.cli.screen import print_json

        print_json(_as_json(standing) | {"history": [change.model_dump(mode="json") for change in history]})
        return
    typer.echo(f"{standing.rule.id}: {standing.status}, ends {_day(standing.rule.expires)}")
    typer.echo(f"you let me {standing.rule.words}")
    typer.echo(f"because: {standing.rule.evidence}")
    for change in history:
        who = change.provenance.who
        typer.echo(f"{_day(change.time)}  {change.move} by {who}{f': {change.why}' if change.why else ''}")


@app.command(epilog=examples("rules accept earned-3f2a9c81d0b4-1"))
def accept(rule: RuleId, workspace: Workspace = None) -> None:
    """Put a proposed rule in force."""

    async def accepted(orchestrator: "Orchestrator") -> Any:
        return await (await orchestrator.rules()).accept(rule)

    found = with_orchestrator(workspace, accepted)
    typer.echo(f"{rule} is in force until {_day(found.expires)}: you let me {found.words}")


@app.command(epilog=examples("rules retire mail-ann --why 'she has left'"))
def retire(
    rule: RuleId,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for later.")] = "",
    workspace: Workspace = None,
) -> None:
    """Put a rule out of force, or refuse a proposed one.

    Its kind of act is not proposed again for 30 days.
    """

    async def retired(orchestrator: "Orchestrator") -> Any:
        return await (await orchestrator.rules()).retire(rule, why)

    with_orchestrator(workspace, retired)
    typer.echo(f"{rule} is out of force")


@app.command(epilog=examples("rules propose mail-ann scope.json --days 30") + A_SCOPE)
def propose(
    rule: RuleId,
    scope: ScopeFile,
    days: Annotated[float, typer.Option("--days", metavar="N", help="Until it ends, at most 365.")] = 90,
    workspace: Workspace = None,
) -> None:
    """Write a rule by hand.

    It is in force once it is accepted.

    A scope is JSON: tool, names (the arguments that a call has), and what they may hold: recipients or domains,
    folders, at_most (money), values (by argument), free (arguments with any text).
    """
    given = _scope(scope)

    async def proposed(orchestrator: "Orchestrator") -> Any:
        return await (await orchestrator.rules()).propose(rule, given, days=days)

    found = with_orchestrator(workspace, proposed)
    typer.echo(f"proposed {rule}: {found.words}; put it in force with: understudy rules accept {rule}")


@app.command(epilog=examples("rules trust ann cautious"))
def trust(
    user: Annotated[str, typer.Argument(metavar="USER", help="For whom.")],
    tier: Annotated[TierName, typer.Argument(metavar="TIER", help="cautious, standard or trusted.")],
    workspace: Workspace = None,
) -> None:
    """Say how much may be done for a user without asking.

    cautious: every effect is asked about. standard: what can be undone is done, what cannot is asked about. trusted:
    only what is of high risk is asked about.
    """

    async def given(orchestrator: "Orchestrator") -> None:
        await (await orchestrator.rules()).trust(user, tier)

    with_orchestrator(workspace, given)
    typer.echo(f"{user} is now {tier}")


def _scope(file: str) -> "Scope":
    """Return the scope in a file or on stdin, or raise `InvalidRule`."""
    from pydantic import ValidationError

    from domain.errors import InvalidRule
    from domain.mistakes import mistakes_in
    from domain.standing import Scope, mark_of

    value = given_json(file, InvalidRule)
    if isinstance(value, dict) and isinstance(value.get("values"), dict):  # people write values, rules keep marks
        value["values"] = {
            name: tuple(mark_of(each) for each in (given if isinstance(given, list) else [given]))
            for name, given in value["values"].items()
        }
    try:
        return Scope.model_validate(value)
    except ValidationError as error:
        msg = f"this is no scope: {mistakes_in(error, 'scope')}"
        raise InvalidRule(msg) from error


def _as_json(standing: "Standing") -> dict[str, Any]:
    rule = standing.rule.model_dump(mode="json") | {"words": standing.rule.words}
    return {"rule": rule, "status": standing.status, "since": standing.since, "by": standing.by, "why": standing.why}


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))
