"""What the audit's page shows, worked out from what was asked for. Pure but for the clock."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from domain.audit import AuditKind, Noted
from domain.audit_chain import Checked
from domain.errors import UserError
from understudy.auditing import Wanted
from understudy.cli.text import one_line
from understudy.console.markup import Child, Column, Html, badge, el, joined, table, when

KINDS: tuple[str, ...] = get_args(AuditKind)
STEP, MOST = 50, 1000
"""Entries that are shown at first and added at a time; and at most, since filters find the rest."""
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_TELLING = ("state", "move", "status", "action", "decision", "type", "what", "tool", "rule", "checkpoint", "scope")
"""Fields of an entry's data that say what happened."""


def wanted_of(*, run: str, thread: str, kind: str, who: str, since: str, limit: int, now: float) -> Wanted:
    """Return what is asked for.

    Raises:
        UserError: The time cannot be read.
    """
    kind = kind if kind in KINDS else ""
    return Wanted(run.strip(), thread.strip(), kind, who.strip(), since_of(since, now), min(max(STEP, limit), MOST))


def since_of(text: str, now: float) -> float:
    """Return the unix time that `30m`, `2h`, `3d`, `1w` ago, or a date and time in ISO form, means; 0 for nothing.

    Raises:
        UserError: It is none of these.
    """
    text = text.strip()
    if not text:
        return 0.0
    if match := re.fullmatch(r"(\d{1,6})([mhdw])", text):
        return now - int(match[1]) * _UNITS[match[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        msg = f"{text!r:.40} is no time; give 30m, 2h, 3d, 1w or a date such as 2026-05-31"
        raise UserError(msg) from None


def entries_table(found: Sequence[Noted]) -> Html:
    """Return entries, the newest first."""
    columns = [Column("number", "number"), Column("when"), Column("who"), Column("what"), Column("why", "long")]
    return table("Entries of the audit", [*columns, Column("where")], [_row(noted) for noted in found])


def verdict(checked: Checked) -> Html:
    """Return what a check came to: sound, or where it breaks."""
    head = el("code", str(checked.head))
    if checked.sound:
        first = f" Those up to {checked.first.seq} were dropped." if checked.first.seq else ""
        words = f" {checked.entries:,} entries, each fits the one before it.{first} Keep the last one elsewhere: "
        return el("p", badge("sound", "good"), words, head)
    problems = el("ul", *(el("li", one_line(problem, 400)) for problem in checked.problems), class_="tree")
    return joined([el("p", badge("not sound", "bad"), f" {checked.entries:,} entries were read."), problems])


def _row(noted: Noted) -> list[Child]:
    entry = noted.entry
    told = [one_line(str(entry.data[name]), 80) for name in _TELLING if isinstance(entry.data.get(name), str | int)]
    where = " ".join(part for part in (entry.run[:12] or entry.thread, entry.step) if part)
    return [
        str(noted.seq), when(noted.time), one_line(entry.who, 80),
        el("span", badge(entry.kind, "accent"), " ", " ".join(told)), one_line(entry.why, 400), el("code", where),
    ]  # fmt: skip
