"""`understudy keys`: API keys of the service, made and shown once, listed, revoked."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from understudy.cli.opened import with_front_desk
from understudy.cli.options import AsJson
from understudy.cli.text import examples

if TYPE_CHECKING:
    from understudy.front_desk import FrontDesk
    from understudy.identity.key_rows import ApiKey
    from understudy.identity.keys import Keys

T = TypeVar("T")
EXAMPLES = """\b
Examples:
  understudy keys create --user ann --role member
  understudy keys create --user report-bot --workspace acme --role member --scope read --days 30
  understudy keys list
  understudy keys revoke 3f2a9c81d0b4

A key is sent as `Authorization: Bearer us_...`. It is shown once, when it is made; only a hash of it is kept. From the
first key on the service asks everybody for one, also on this machine; that ends when the last one is deleted.
"""
KeyId = Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as `keys list` shows it.")]

app = typer.Typer(
    help="Make, list and revoke the API keys of the service.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command(epilog=examples("keys create --user ann --role member", "keys create --workspace '*' --role auditor"))
def create(
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="Whose key; without it, yours.")] = None,
    workspace: Annotated[
        list[str] | None,
        typer.Option("--workspace", metavar="NAME", help="Where it holds; may be repeated, and '*' is everywhere."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="member (default), approver, admin or auditor; may be repeated."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="PERMISSION", help="Only this of it: read, run, approve, manage, audit."),
    ] = None,
    days: Annotated[float | None, typer.Option("--days", metavar="N", help="Until it ends; without it, 90.")] = None,
    dollars: Annotated[
        float | None, typer.Option("--dollars-per-day", metavar="N", min=0, help="What may be spent with it in a day.")
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option("--tokens-per-day", metavar="N", min=0, help="Tokens that may be used with it in a day."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once.

    The key alone goes to stdout, what is said about it to stderr.
    """
    from domain.budgets import Budget

    async def created(keys: "Keys", desk: "FrontDesk") -> Any:
        memberships = {name: role or ["member"] for name in workspace or [desk.settings.workspace]}
        return await keys.create(
            desk.settings.user if user is None else user, memberships, scopes=scope or None, days=days,
            budget=Budget(dollars=dollars, tokens=tokens), by=desk.settings.user,
        )  # fmt: skip

    made = _with_keys(created)
    if as_json:
        from understudy.cli.screen import print_json

        print_json({"token": made.token.get_secret_value(), "key": made.key.model_dump(mode="json")})
        return
    key = made.key
    typer.echo(f"key {key.id} of {key.user}, {_where(key)}, good until {_day(key.expires)}", err=True)
    typer.echo("It is shown only now; keep it where secrets are kept.", err=True)
    typer.echo(made.token.get_secret_value())


@app.command("list", epilog=examples("keys list --json"))
def list_keys(as_json: AsJson = False) -> None:
    """List all keys, the newest first, without their secrets."""
    found, now = _with_keys(_listed)
    if as_json:
        from understudy.cli.screen import print_json

        print_json([key.model_dump(mode="json") | {"status": key.status(now)} for key in found])
        return
    from understudy.cli.tables import print_table

    print_table("API keys", ("id", "user", "status", "for", "ends", "last used"), [_row(key, now) for key in found])


@app.command(epilog=examples("keys revoke 3f2a9c81d0b4"))
def revoke(key: KeyId) -> None:
    """Put a key out of force at once, and the sessions it began."""
    _with_keys(lambda keys, desk: keys.revoke(key, by=desk.settings.user))
    typer.echo(f"key {key} is out of force")


@app.command(epilog=examples("keys delete 3f2a9c81d0b4"))
def delete(key: KeyId) -> None:
    """Delete a key that was revoked.

    With the last one gone, and no issuer configured, the service asks nobody on this machine for a key any more.
    """
    _with_keys(lambda keys, desk: keys.delete(key, by=desk.settings.user))
    typer.echo(f"key {key} is deleted")


def _with_keys(use: "Callable[[Keys, FrontDesk], Awaitable[T]]") -> T:
    from understudy.identity.keys import Keys  # its tables are to be known before the database is opened

    async def used(desk: "FrontDesk") -> T:
        settings = desk.settings
        keys = Keys(
            desk.database, desk.clock, desk.audit, home=settings.workspace, days=settings.identity.key_days
        )  # fmt: skip
        return await use(keys, desk)

    return with_front_desk(None, used)


async def _listed(keys: "Keys", desk: "FrontDesk") -> "tuple[list[ApiKey], float]":
    return await keys.listed(), desk.clock()


def _row(key: "ApiKey", now: float) -> tuple[str, ...]:
    used = _day(key.used) if key.used is not None else "never"
    return key.id, key.user, key.status(now), _where(key), _day(key.expires), used


def _where(key: "ApiKey") -> str:
    roles = [f"{' and '.join(sorted(roles))} in {workspace}" for workspace, roles in sorted(key.memberships.items())]
    only = f", only to {', '.join(sorted(key.scopes))}" if key.scopes is not None else ""
    bounds = ", ".join(f"{limit:g} {measure} a day" for measure, limit in key.budget.bounds.items())
    return "; ".join(roles) + only + (f", at most {bounds}" if bounds else "")


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))
