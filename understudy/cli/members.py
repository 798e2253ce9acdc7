"""`understudy members`: who belongs to which workspace, of the people who sign in at the configured issuer."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from understudy.cli.opened import with_front_desk
from understudy.cli.options import AsJson
from understudy.cli.text import examples

if TYPE_CHECKING:
    from understudy.front_desk import FrontDesk
    from understudy.identity.members import Member, Members

T = TypeVar("T")
EXAMPLES = """\b
Examples:
  understudy members add ann@example.org --workspace acme --role member --role approver
  understudy members list
  understudy members remove ann@example.org --workspace acme

They are for people who sign in at the issuer that is configured, under the name that it gives them. API keys carry
their roles themselves: see `understudy keys`.
"""
User = Annotated[str, typer.Argument(metavar="USER", help="As the issuer names the user, e.g. an e-mail address.")]
Where = Annotated[
    str | None, typer.Option("--workspace", metavar="NAME", help="Which workspace; '*' is everywhere.")
]  # fmt: skip

app = typer.Typer(
    help="Say who belongs to which workspace.", epilog=EXAMPLES, rich_markup_mode=None, no_args_is_help=True
)


@app.command(epilog=examples("members add ann@example.org --role approver"))
def add(
    user: User,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="member (default), approver, admin or auditor; may be repeated."),
    ] = None,
    workspace: Where = None,
) -> None:
    """Give a user roles in a workspace, beside those that are there."""

    async def added(members: "Members", desk: "FrontDesk") -> "Member":
        where = workspace or desk.settings.workspace
        return await members.add(user, where, role or ["member"], by=desk.settings.user)

    typer.echo(_told(_with_members(added)))


@app.command(epilog=examples("members remove ann@example.org", "members remove ann@example.org --role admin"))
def remove(
    user: User,
    role: Annotated[
        list[str] | None, typer.Option("--role", metavar="ROLE", help="Only this role; may be repeated.")
    ] = None,
    workspace: Where = None,
) -> None:
    """Take roles from a user at once; all where none is named."""

    async def removed(members: "Members", desk: "FrontDesk") -> "Member":
        where = workspace or desk.settings.workspace
        return await members.remove(user, where, role or None, by=desk.settings.user)

    typer.echo(_told(_with_members(removed)))


@app.command("list", epilog=examples("members list", "members list --workspace acme --json"))
def list_members(workspace: Where = None, as_json: AsJson = False) -> None:
    """List the members of a workspace, or of all."""
    found = _with_members(lambda members, _: members.listed(workspace))
    if as_json:
        from understudy.cli.screen import print_json

        print_json([member._asdict() | {"roles": sorted(member.roles)} for member in found])
        return
    from understudy.cli.tables import print_table

    rows = [(member.workspace, member.user, ", ".join(sorted(member.roles))) for member in found]
    print_table("Members", ("workspace", "user", "roles"), rows)


def _with_members(use: "Callable[[Members, FrontDesk], Awaitable[T]]") -> T:
    from understudy.identity.members import Members  # its tables are to be known before the database is opened

    async def used(desk: "FrontDesk") -> T:
        return await use(Members(desk.database, desk.audit, home=desk.settings.workspace), desk)

    return with_front_desk(None, used)


def _told(member: "Member") -> str:
    roles = " and ".join(sorted(member.roles))
    if not roles:
        return f"{member.user} has no role any more that holds {_where(member.workspace)}"
    return f"{member.user} is {roles} {_where(member.workspace)}"


def _where(workspace: str) -> str:
    return "everywhere" if workspace == "*" else f"in {workspace}"
