import asyncio
from typing import Any

import pytest

from domain.errors import InvalidMember, InvalidWorkspace, UserError
from tests.understudy.identity.conftest import House


async def test_roles_are_added_to_those_that_are_there(on_both: House) -> None:
    members = on_both.identity.members
    assert (await members.add("ann@x.org", "acme", ["member"], by="root")).roles == {"member"}
    assert (await members.add("ann@x.org", "acme", ["approver", "member"], by="root")).roles == {"member", "approver"}
    await members.add("ann@x.org", "*", ["auditor"], by="root")
    await members.add("bob", "beta", ["admin"], by="root")
    assert await members.of("ann@x.org") == {"acme": {"member", "approver"}, "*": {"auditor"}}
    assert await members.of("nobody") == {}
    assert [(m.user, m.workspace) for m in await members.listed("acme")] == [("ann@x.org", "*"), ("ann@x.org", "acme")]
    assert len(await members.listed()) == 3


async def test_roles_are_taken_away_one_by_one_or_all(on_both: House) -> None:
    members = on_both.identity.members
    await members.add("ann", "acme", ["member", "approver", "admin"], by="root")
    await members.add("ann", "beta", ["member"], by="root")
    assert (await members.remove("ann", "acme", ["admin"], by="root")).roles == {"member", "approver"}
    assert (await members.remove("ann", "acme", by="root")).roles == frozenset()
    assert await members.of("ann") == {"beta": {"member"}}


async def test_what_is_no_membership_is_refused(on_both: House) -> None:
    members = on_both.identity.members
    wrong: list[tuple[str, str, list[str], type[UserError]]] = [
        ("ann", "acme", ["god"], InvalidMember),
        ("ann", "acme", [], InvalidMember),
        ("a\r\nSet-Cookie: x", "acme", ["member"], InvalidMember),
        ("a\x00", "acme", ["member"], InvalidMember),
        ("ann", "a/../b", ["member"], InvalidWorkspace),
        ("ann", "acme\x00", ["member"], InvalidWorkspace),
        ("ann", "", ["member"], InvalidWorkspace),
    ]
    for user, workspace, roles, error in wrong:
        with pytest.raises(error):
            await members.add(user, workspace, roles, by="root")
        with pytest.raises(error):
            await members.remove(user, workspace, roles, by="root")
    assert await members.listed() == []


async def test_what_was_not_there_cannot_be_taken_away(house: House) -> None:
    await house.identity.members.add("ann", "acme", ["member"], by="root")
    for wrong in (("ann", "acme", ["admin"]), ("ann", "beta", None), ("' OR 1=1 --", "acme", None)):
        with pytest.raises(InvalidMember, match="no such role"):
            await house.identity.members.remove(*wrong, by="root")
    assert await house.identity.members.of("ann") == {"acme": {"member"}}


async def test_changes_are_noted_where_they_hold(house: House) -> None:
    members = house.identity.members
    await members.add("ann", "acme", ["member"], by="root")
    await members.remove("ann", "acme", by="bob")
    await members.add("ann", "*", ["admin"], by="root")

    def told(entries: list[Any]) -> list[tuple[str, str, str, list[str]]]:
        return [(e.kind, e.who, e.data["move"], e.data["roles"]) for e in entries]

    assert told(await house.noted("acme")) == [
        ("member", "root", "added", ["member"]),
        ("member", "bob", "removed", ["member"]),
    ]
    assert told(await house.noted("default")) == [("member", "root", "added", ["admin"])]


async def test_two_who_add_the_same_at_once_both_succeed(on_both: House) -> None:
    members = on_both.identity.members
    await asyncio.gather(*[members.add("ann", "acme", ["member", "approver"], by=by) for by in "abcdef"])
    assert await members.of("ann") == {"acme": {"member", "approver"}}
