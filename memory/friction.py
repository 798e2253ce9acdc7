"""Friction: how often people are bothered, by user and ISO week (UTC): the fewer, the better.

What is set up by a person on their own account is not counted. Each event has an id, and one that is told twice counts
once, unless `_REMEMBERED` others of that week came between.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import NamedTuple
from urllib.parse import quote

from domain.audit import AuditEntry
from memory.records import Change, Merge, Records, Value
from memory.workspaces import checked_workspace

MAX_TAPS, MAX_DIALOGS = 2, 1
"""A week's targets for one user."""
EVERYBODY = "(everybody)"
"""Stands for those who were asked or told when nobody was named."""
KEPT_SECONDS = 400 * 24 * 3600.0
_COUNTS = ("taps", "dialogs", "nags", "edits", "overrides")
_REMEMBERED = 500
"""Ids, and times to a decision, that are kept of a user's week: the latest."""


class FrictionWeek(NamedTuple):
    """How one user was bothered in one week."""

    week: str
    """As ISO 8601 writes it, e.g. `2026-W07`."""
    user: str
    taps: int
    """Decisions given."""
    dialogs: int
    """Questions opened to the user."""
    nags: int
    """Reminders, escalations, repeated questions, and notices that nobody asked for."""
    edits: int
    """Decisions that changed what was proposed."""
    overrides: int
    """Decisions that changed or refused it."""
    median_seconds: float | None
    """From the question to the decision; None without a decision."""

    @property
    def is_within_targets(self) -> bool:
        """Whether the week was as calm as it should be."""
        return self.taps <= MAX_TAPS and self.dialogs <= MAX_DIALOGS


def _joined(known: Value | None, change: Value) -> Value:
    known = known or {}
    if change["once"] in known.get("seen", []):
        return known
    counts = {name: known.get(name, 0) + change.get(name, 0) for name in _COUNTS}
    lists = {"seen": [change["once"]], "seconds": change.get("seconds", [])}
    kept = {name: [*known.get(name, []), *added][-_REMEMBERED:] for name, added in lists.items()}
    return {"user": change["user"], "week": change["week"], **counts, **kept}


FRICTION = Merge("friction", _joined)


class Friction:
    """Counts in the records, for all processes."""

    def __init__(self, records: Records, *, clock: Callable[[], float]) -> None:
        self._records, self._clock = records, clock

    async def heard(self, workspace: str, entry: AuditEntry, *, once: str, time: float) -> None:
        """Count what the audit is told of a question: that it was opened, escalated, or answered by a person.

        Args:
            workspace: Whose audit.
            entry: Its data names whom it concerns (`to`); a decision's, what it was (`type`) and how long it took
                (`seconds`).
            once: Under which the audit notes it only once.
            time: When it happened, in unix time.
        """
        data = entry.data
        if entry.kind in ("question", "escalation") and "to" in data:
            again = entry.kind == "escalation" or data.get("again", False)
            # Several requests of a question that go to the same people at once are one notice.
            mark = f"nag:{data['question']}:{time}" if entry.kind == "escalation" else once
            await self._count(workspace, data["to"], {"nags" if again else "dialogs": 1}, once=mark, time=time)
        elif entry.kind == "decision" and "type" in data:
            edited, seconds = data["type"] == "edit", data["seconds"]
            # One tap may answer several requests, each of which is heard of for itself.
            tap = {"taps": 1, "seconds": [seconds]}
            await self._count(workspace, [entry.who], tap, once=f"tap:{data['question']}:{seconds}", time=time)
            if edited or data["type"] == "reject":
                change = {"edits": int(edited), "overrides": 1}
                await self._count(workspace, [entry.who], change, once=once, time=time)

    async def nagged(self, workspace: str, users: Sequence[str], *, once: str) -> None:
        """Count a notice that users did not ask for; to nobody by name: to everybody."""
        await self._count(workspace, users, {"nags": 1}, once=once, time=self._clock())

    async def weeks(self, workspace: str, *, count: int = 4) -> list[FrictionWeek]:
        """Return the latest weeks, this one included, the latest first; users that nobody bothered are left out."""
        now = datetime.fromtimestamp(self._clock(), tz=UTC)
        wanted = [_week(now - timedelta(weeks=back)) for back in range(count)]
        found: list[FrictionWeek] = []
        for week in wanted:
            found += [_shown(value) for _, value in await self._records.scan(_key(workspace, week, ""))]
        return found

    async def _count(self, workspace: str, users: Sequence[str], counts: Value, *, once: str, time: float) -> None:
        week = _week(datetime.fromtimestamp(time, tz=UTC))
        shared = {**counts, "once": once, "week": week}
        changes = [
            Change(_key(workspace, week, user), {**shared, "user": user}, FRICTION, KEPT_SECONDS)
            for user in dict.fromkeys(users or [EVERYBODY])
        ]
        await self._records.merge_many(changes)


def _key(workspace: str, week: str, user: str) -> str:
    return f"friction:{checked_workspace(workspace)}:{week}:{quote(user, safe='')}"


def _week(time: datetime) -> str:
    year, week, _ = time.isocalendar()
    return f"{year}-W{week:02}"


def _shown(value: Value) -> FrictionWeek:
    seconds = value["seconds"]
    counts = {name: value[name] for name in _COUNTS}
    return FrictionWeek(value["week"], value["user"], **counts, median_seconds=median(seconds) if seconds else None)
