"""What users, roles and memberships may be called."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from domain.errors import InvalidMember, InvalidWorkspace
from memory.workspaces import checked_workspace
from understudy.identity.principals import EVERYWHERE, Permission, Role

Memberships = Mapping[str, frozenset[Role]]
"""Roles by workspace."""
_MOST_CHARS = 200
_MOST_WORKSPACES = 200
_OURS = ("timeout", "controller", "system", "outbox")
"""Parts of the system that the audit names as it names users."""


def checked_user(name: str) -> str:
    """Return the name, or raise `InvalidMember`."""
    is_named = 0 < len(name) <= _MOST_CHARS and name.isprintable() and name == name.strip()
    if not is_named:
        msg = f"{name!r:.60} is no user name: it has 1 to {_MOST_CHARS} printable characters, and no space around them"
        raise InvalidMember(msg)
    if name.lower() in _OURS or name.lower().startswith("rule:"):
        msg = f"{name!r:.60} names a part of the system and cannot be a user"
        raise InvalidMember(msg)
    return name


def checked_memberships(given: Mapping[str, Iterable[str]]) -> dict[str, frozenset[Role]]:
    """Return roles by workspace, or raise `InvalidMember` or `InvalidWorkspace`."""
    if not 0 < len(given) <= _MOST_WORKSPACES:
        msg = f"memberships are in 1 to {_MOST_WORKSPACES} workspaces"
        raise InvalidMember(msg)
    for workspace in given:
        if workspace != EVERYWHERE:
            checked_workspace(workspace)
    checked = {workspace: _among(roles, Role, "role") for workspace, roles in given.items()}
    if not all(checked.values()):
        raise InvalidMember("a membership has at least one role")
    return checked


def checked_scopes(given: Iterable[str]) -> frozenset[Permission]:
    """Return the permissions that a key is restricted to, or raise `InvalidMember`."""
    return _among(given, Permission, "scope")


def claimed_memberships(claim: Any) -> dict[str, frozenset[Role]]:
    """Return the memberships in a token's claim, `name` or `name:role` each; what is none is left out.

    All workspaces at once cannot be had that way: a group that happens to be called `*` must open nothing.
    """
    found: dict[str, set[Role]] = {}
    for each in claim if isinstance(claim, list) else [claim]:
        workspace, separator, role = each.partition(":") if isinstance(each, str) else ("", "", "")
        roles = [known for known in get_args(Role) if known == (role if separator else "member")]
        if roles and _is_workspace(workspace) and len(found) < _MOST_WORKSPACES:
            found.setdefault(workspace, set()).update(roles)
    return {workspace: frozenset(roles) for workspace, roles in found.items()}


def joined(*all_of: Memberships) -> dict[str, frozenset[Role]]:
    """Return several memberships as one."""
    found: dict[str, frozenset[Role]] = {}
    for memberships in all_of:
        for workspace, roles in memberships.items():
            found[workspace] = found.get(workspace, frozenset()) | roles
    return found


def _is_workspace(name: str) -> bool:
    try:
        return bool(checked_workspace(name))
    except InvalidWorkspace:
        return False


def _among(given: Iterable[str], allowed: Any, what: str) -> frozenset[Any]:
    names = frozenset(given)
    if unknown := sorted(names - frozenset(get_args(allowed))):
        msg = f"{unknown[0]!r:.40} is no {what}; there are {', '.join(get_args(allowed))}"
        raise InvalidMember(msg)
    return names
