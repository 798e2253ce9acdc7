"""Standing rules of every workspace: proposed, accepted by a person, and put out of force again; every move is kept.

A rule is in force from its acceptance until it is retired, demoted, or its time is over. A move that cannot be read
puts its rule out of force for good, and all rules where it does not say which one it was about.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, get_args

from cachetools import LRUCache
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.audit import AuditEntry, digest
from domain.errors import InvalidRule, StorageError, UnknownRule
from domain.standing import MAX_DAYS, StandingRule, is_plain
from memory.audit import Audit
from memory.kept_log import KeptLog
from memory.provenance import Provenance
from memory.records import Records, Value
from memory.workspaces import checked_workspace

RuleMove = Literal["proposed", "accepted", "retired", "demoted"]
RuleStatus = Literal["proposed", "active", "retired", "demoted", "expired", "unreadable"]
"""`retired`: a person took it back, or refused it when it was proposed; `demoted`: something of its kind went wrong."""
_DAY = 24 * 3600.0
_WORKSPACES = 256
"""Workspaces whose rules are kept as they stand."""
_AFTER: dict[str, RuleStatus] = {"accepted": "active", "retired": "retired", "demoted": "demoted"}
_FROM: dict[str, tuple[RuleStatus, ...]] = {
    "accepted": ("proposed",), "retired": ("proposed", "active"), "demoted": ("proposed", "active"),
}  # fmt: skip
"""How a rule stands so that a move changes anything."""


class RuleChange(BaseModel):
    """One move in the life of a standing rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    move: RuleMove
    rule: Value | None = None
    """The rule as data, with `proposed`."""
    why: str = ""
    time: float
    """Unix time in seconds."""
    provenance: Provenance


class Standing(NamedTuple):
    """A rule and how it stands."""

    rule: StandingRule
    status: RuleStatus
    since: float
    """Unix time of the last move that changed anything."""
    why: str
    by: str
    """Who made that move."""


class _Place(NamedTuple):
    """How one rule stands."""

    rule: StandingRule | None
    """None where it cannot be read."""
    status: RuleStatus
    since: float
    why: str
    by: str


class StandingRules:
    """The standing rules of every workspace."""

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
        self._kept = KeptLog(records, _parsed)
        self._folded: LRUCache[str, tuple[Sequence[_Move], dict[str, _Place]]] = LRUCache(_WORKSPACES)

    async def propose(self, workspace: str, rule: StandingRule, by: Provenance) -> StandingRule:
        """Note a rule that is in force once a person accepts it.

        Raises:
            InvalidRule: There is one of this id, it has no end or one too far away, or it reaches further than it says.
        """
        if problem := _problem(rule, self._clock()):
            raise InvalidRule(problem)
        if rule.id in await self._places(workspace):
            msg = f"there is a standing rule {rule.id!r} already; give the new one another id"
            raise InvalidRule(msg)
        await self._move(workspace, rule.id, "proposed", by, rule=rule)
        return rule

    async def accept(self, workspace: str, rule: str, by: Provenance) -> StandingRule:
        """Put a proposed rule in force.

        Raises:
            UnknownRule: No such rule waits for acceptance.
            InvalidRule: It is not a person who accepts it.
        """
        _refuse_machines(by)
        found = await self.get(workspace, rule)
        if found.status != "proposed":
            msg = f"the standing rule {rule!r:.60} is {found.status}, so it cannot be accepted"
            raise UnknownRule(msg)
        await self._move(workspace, rule, "accepted", by)
        after = await self.get(workspace, rule)
        if after.status != "active":
            msg = f"the standing rule {rule!r:.60} is {after.status} meanwhile"
            raise UnknownRule(msg)
        return after.rule

    async def retire(self, workspace: str, rule: str, by: Provenance, why: str = "") -> StandingRule:
        """Put a rule out of force, or refuse a proposed one.

        Raises:
            UnknownRule: No such rule is proposed or in force.
            InvalidRule: It is not a person who retires it.
        """
        _refuse_machines(by)
        found = await self.get(workspace, rule)
        if found.status not in _FROM["retired"]:
            msg = f"the standing rule {rule!r:.60} is {found.status} already"
            raise UnknownRule(msg)
        await self._move(workspace, rule, "retired", by, why=why)
        return found.rule

    async def demote(self, workspace: str, rule: str, by: Provenance, why: str) -> bool:
        """Put a rule out of force, as something of its kind went wrong; return whether that changed anything."""
        place = (await self._places(workspace)).get(rule)
        if place is None or place.status not in _FROM["demoted"]:
            return False
        await self._move(workspace, rule, "demoted", by, why=why)
        return True

    async def get(self, workspace: str, rule: str) -> Standing:
        """Return a rule and how it stands, or raise `UnknownRule`."""
        place = (await self._places(workspace)).get(rule)
        found = _standing(place, self._clock()) if place else None
        if found is None:
            msg = f"workspace {workspace!r} has no standing rule {rule!r:.60}"
            raise UnknownRule(msg)
        return found

    async def listed(self, workspace: str) -> list[Standing]:
        """Return every rule that can be read, the last changed first."""
        now, places = self._clock(), await self._places(workspace)
        found = [standing for place in places.values() if (standing := _standing(place, now))]
        return sorted(found, key=lambda standing: -standing.since)

    async def history(self, workspace: str, rule: str) -> list[RuleChange]:
        """Return the moves of one rule, oldest first; those that cannot be read are left out."""
        changes = (_change(value) for _, value in await self._records.read(_log(workspace)))
        return [change for change in changes if change is not None and change.id == rule]

    async def active(self, workspace: str, tool: str, user: str) -> list[StandingRule]:
        """Return the rules in force for a tool and a user; none while nobody can tell them."""
        try:
            places = await self._places(workspace)
        except StorageError:
            return []
        now, rules = self._clock(), (place.rule for place in places.values() if place.status == "active")
        return [r for r in rules if r is not None and r.scope.tool == tool and r.user == user and now < r.expires]

    async def of_kinds(self, workspace: str, kinds: Iterable[str]) -> list[Standing]:
        """Return every rule that was earned with one of these kinds, however it stands, the last changed first."""
        wanted, now = {*kinds} - {""}, self._clock()
        places = [p for p in (await self._places(workspace)).values() if p.rule and p.rule.kind in wanted]
        found = [standing for place in places if (standing := _standing(place, now))]
        return sorted(found, key=lambda standing: -standing.since)

    async def _places(self, workspace: str) -> dict[str, _Place]:
        """Return how each rule stands."""
        moves, known = await self._kept.read(_log(workspace)), self._folded.get(workspace)
        if known is None or known[0] is not moves:
            known = self._folded[workspace] = moves, _folded(moves)
        return known[1]

    async def _move(
        self,
        workspace: str,
        name: str,
        move: RuleMove,
        by: Provenance,
        *,
        rule: StandingRule | None = None,
        why: str = "",
    ) -> None:
        data = rule.model_dump(mode="json") if rule else None
        if self._audit is not None:
            noted = {"rule": name, "move": move} | ({"hash": digest(data), "tool": rule.scope.tool} if rule else {})
            entry = AuditEntry(
                kind="rule",
                who=by.who,
                why=f"{by.writer} {move} the standing rule",
                run=by.run,
                data=noted,
            )
            await self._audit.note(workspace, entry)
        change = RuleChange(id=name, move=move, rule=data, why=why[:500], time=self._clock(), provenance=by)
        await self._records.append(_log(workspace), change.model_dump(mode="json"))


class _Move(NamedTuple):
    """A move as it is read; what cannot be read is empty."""

    id: str
    move: str
    rule: StandingRule | None
    since: float
    why: str
    by: str
    by_person: bool


def _parsed(_: int, value: Value) -> _Move:
    name, move, by, since = value.get("id"), value.get("move"), value.get("provenance"), value.get("time")
    by = by if isinstance(by, dict) else {}
    by_person = by.get("writer") == "person"
    return _Move(
        id=name if isinstance(name, str) else "",
        move=move if isinstance(move, str) and move in get_args(RuleMove) else "",
        rule=_rule(value.get("rule")) if move == "proposed" else None,
        since=float(since) if isinstance(since, int | float) else 0.0,
        why=str(value.get("why", "")),
        by=str((by.get("user") if by_person else "") or by.get("writer") or ""),
        by_person=by_person,
    )


def _rule(value: Any) -> StandingRule | None:
    try:
        return StandingRule.model_validate(value)
    except ValidationError:
        return None


def _folded(moves: Sequence[_Move]) -> dict[str, _Place]:
    places: dict[str, _Place] = {}
    for each in moves:
        if not each.id:
            return {}  # nobody can tell which rule was put out of force
        place, told = places.get(each.id), (each.since, each.why, each.by)
        if not each.move:
            places[each.id] = _Place(None, "unreadable", 0.0, "a move of it cannot be read", "")
        elif each.move == "proposed":
            places.setdefault(each.id, _Place(each.rule, "proposed", *told))
        elif place is not None and place.status in _FROM[each.move] and (each.by_person or each.move != "accepted"):
            places[each.id] = _Place(place.rule, _AFTER[each.move], *told)
    return places


def _standing(place: _Place, now: float) -> Standing | None:
    """Return a rule with its status, or None where the rule itself cannot be read."""
    if place.rule is None:
        return None
    over = place.status in ("active", "proposed") and not now < place.rule.expires
    return Standing(place.rule, "expired" if over else place.status, place.since, place.why, place.by)


def _change(value: Value) -> RuleChange | None:
    try:
        return RuleChange.model_validate(value)
    except ValidationError:
        return None


def _problem(rule: StandingRule, now: float) -> str:
    if not now < rule.expires <= now + MAX_DAYS * _DAY + _DAY:
        return f"a standing rule ends within {MAX_DAYS} days"
    named = (*rule.scope.recipients, *rule.scope.domains)
    if odd := [name for name in named if not is_plain(name)]:
        return f"{odd[0]!r:.100} is not written in plain ASCII, so another name could look like it"
    return ""


def _refuse_machines(by: Provenance) -> None:
    if not by.trusted:
        msg = f"only a person may put standing rules in or out of force, not {by.writer!r}"
        raise InvalidRule(msg)


def _log(workspace: str) -> str:
    return f"autonomy:standing_rules:{checked_workspace(workspace)}"
