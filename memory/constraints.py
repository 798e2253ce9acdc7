"""Constraint memory: the rules of a workspace, every version kept in an append-only log.

A proposed rule is in force once a person has accepted it; a changed one replaces the version before it; a retired one
is in force no more.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from cachetools import LRUCache
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.audit import AuditEntry, digest
from domain.constraints import RULE, Rule, Unreadable
from domain.errors import InvalidRule, StorageAway, UnknownRule
from domain.mistakes import mistakes_in
from memory.audit import Audit
from memory.kept_log import KeptLog
from memory.provenance import Provenance
from memory.records import Records, Value, canonical
from memory.workspaces import checked_workspace

Move = Literal["proposed", "accepted", "changed", "retired"]
_KNOWN = 256
"""Workspaces whose rules are known while the records are away."""


class Version(BaseModel):
    """One move in the life of a rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = 0
    """Its place in the workspace's log, from 1."""
    id: str
    move: Move
    rule: Value | None = None
    """The rule as data, with `proposed` and `changed`."""
    time: float
    provenance: Provenance


class Policy(NamedTuple):
    """The rules in force."""

    rules: tuple[Rule, ...]
    hash: str
    """SHA-256 over the rules in the order of their ids; the same rules have the same hash."""


class Constraints:
    """The rules of every workspace."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time, audit: Audit | None = None) -> None:
        """Set up the rules.

        Args:
            records: Where they are kept.
            clock: Returns unix time in seconds.
            audit: Where each move is noted before it is made; None notes nothing.
        """
        self._records = records
        self._clock = clock
        self._audit = audit
        self._kept = KeptLog(records, _version)
        self._known: LRUCache[str, tuple[Sequence[Version], Policy]] = LRUCache(_KNOWN)

    async def propose(self, workspace: str, rule: Rule, by: Provenance) -> Version:
        """Note a rule, or a new version of one, that is in force once it is accepted."""
        return await self._moved(workspace, rule.id, "proposed", by, rule)

    async def accept(self, workspace: str, rule: str, by: Provenance) -> Version:
        """Put the latest proposed version of a rule in force.

        Raises:
            UnknownRule: No version of it waits for acceptance.
            InvalidRule: It is not a person who accepts it.
        """
        _refuse_machines(by)
        if rule not in {version.id for version in await self.proposals(workspace)}:
            raise _unknown(workspace, rule, "is proposed")
        return await self._moved(workspace, rule, "accepted", by)

    async def change(self, workspace: str, rule: Rule, by: Provenance) -> Version:
        """Put another version of a rule in force at once.

        Raises:
            UnknownRule: No such rule is in force.
            InvalidRule: It is not a person who changes it.
        """
        _refuse_machines(by)
        await self._in_force(workspace, rule.id)
        return await self._moved(workspace, rule.id, "changed", by, rule)

    async def retire(self, workspace: str, rule: str, by: Provenance) -> Version:
        """Put a rule out of force; its versions stay in the history.

        Raises:
            UnknownRule: No such rule is in force.
            InvalidRule: It is not a person who retires it.
        """
        _refuse_machines(by)
        await self._in_force(workspace, rule)
        return await self._moved(workspace, rule, "retired", by)

    async def history(self, workspace: str) -> list[Version]:
        """Return every version of every rule, oldest first."""
        return list(await self._kept.read(_log(workspace)))

    async def proposals(self, workspace: str) -> list[Version]:
        """Return the versions that wait for acceptance."""
        return list(_folded(await self.history(workspace)).waiting.values())

    async def active(self, workspace: str) -> Policy:
        """Return the rules in force; while the records are away, those last seen.

        Raises:
            StorageAway: The records cannot be read, and the rules have not been seen before.
        """
        known = self._known.get(workspace)
        try:
            history = await self._kept.read(_log(workspace))
        except StorageAway:
            if known is None:
                raise
            return known[1]
        if known is None or known[0] is not history:
            known = self._known[workspace] = history, _policy(_folded(history).active)
        return known[1]

    async def _in_force(self, workspace: str, rule: str) -> None:
        if rule not in {known.id for known in (await self.active(workspace)).rules}:
            raise _unknown(workspace, rule, "is in force")

    async def _moved(
        self, workspace: str, rule_id: str, move: Move, by: Provenance, rule: Rule | None = None
    ) -> Version:
        data = rule.model_dump(mode="json") if rule else None
        version = Version(id=rule_id, move=move, rule=data, time=self._clock(), provenance=by)
        if self._audit is not None:
            about = {"hash": digest(data), "rule_kind": data["kind"]} if data else {}
            noted = {"rule": rule_id, "move": move} | about
            entry = AuditEntry(kind="constraint", who=by.who, why=f"{by.writer} {move} the rule", data=noted)
            await self._audit.note(workspace, entry)
        number = await self._records.append(_log(workspace), version.model_dump(mode="json", exclude={"number"}))
        return version.model_copy(update={"number": number})


def parsed_rule(value: Value) -> Rule:
    """Return a rule from its JSON form, or raise `InvalidRule` naming each mistake."""
    try:
        return RULE.validate_python(value)
    except ValidationError as error:
        msg = f"this is no rule: {mistakes_in(error, 'rule')}"
        raise InvalidRule(msg) from error


def _version(number: int, value: Value) -> Version:
    return Version.model_validate(value | {"number": number})


class _State(NamedTuple):
    active: dict[str, Version]
    waiting: dict[str, Version]


def _folded(history: Sequence[Version]) -> _State:
    state = _State({}, {})
    for version in history:
        match version.move:
            case "proposed":
                state.waiting[version.id] = version
            case "accepted" if version.id in state.waiting:
                state.active[version.id] = state.waiting.pop(version.id)
            case "changed":
                state.active[version.id] = version
            case "retired":
                state.active.pop(version.id, None)
            case _:
                pass  # two people accepted the same version
    return state


def _policy(active: dict[str, Version]) -> Policy:
    rules = tuple(_read(active[name]) for name in sorted(active))
    text = canonical({"rules": [active[name].rule for name in sorted(active)]})
    return Policy(rules, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _read(version: Version) -> Rule:
    """Return a stored rule; one of a kind that this version does not know forbids instead of being passed over."""
    try:
        return RULE.validate_python(version.rule)
    except ValidationError:
        return Unreadable(id=version.id)


def _refuse_machines(by: Provenance) -> None:
    if not by.trusted:
        msg = f"only a person may put rules in or out of force, not {by.writer!r}"
        raise InvalidRule(msg)


def _unknown(workspace: str, rule: str, what: str) -> UnknownRule:
    return UnknownRule(f"no rule {rule!r:.60} {what} in workspace {workspace!r}")


def _log(workspace: str) -> str:
    return f"memory:constraints:{checked_workspace(workspace)}"
