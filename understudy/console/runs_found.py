"""Which runs a workspace has, put together from its conversations and its episodes. Pure."""

from collections.abc import Sequence
from typing import NamedTuple, get_args

from domain.outcomes import RunStatus
from memory.episodes import Episode
from understudy.threads import ThreadEntry, ThreadState

STATES: tuple[str, ...] = ("running", "waiting", "stopped", *(s for s in get_args(RunStatus)), "ended")
"""How a run can stand: those of open ones, then how one ended; `ended` where only that is known."""


class RunRow(NamedTuple):
    """One run in the list."""

    run: str
    thread: str
    goal: str
    state: str
    """One of `STATES`."""
    at: float
    """Unix time of its beginning; of one that is not remembered, of its latest event."""
    team: str = ""
    seconds: float | None = None
    quality: float | None = None
    calls: int = 0
    tokens: int = 0
    dollars: float | None = None
    degraded: bool = False


class Page(NamedTuple):
    """Some of the rows that were asked for."""

    rows: Sequence[RunRow]
    found: int
    """How many there are on all pages."""
    number: int
    """From 1."""
    pages: int


def run_rows(entries: Sequence[ThreadEntry], episodes: Sequence[Episode]) -> list[RunRow]:
    """Return every run that is known, the latest first.

    Args:
        entries: The conversations, each of which knows its latest run.
        episodes: The runs that are remembered.
    """
    rows = {episode.run: _remembered(episode) for episode in episodes}
    for entry in entries:
        known = rows.get(entry.run)
        if known is None or _is_open(entry.state):
            rows[entry.run] = _latest(entry, known)
    return sorted(rows.values(), key=lambda row: (row.at, row.run), reverse=True)


def page_of(rows: Sequence[RunRow], *, state: str = "", text: str = "", number: int = 1, size: int = 25) -> Page:
    """Return one page of the runs in a state whose goal, conversation or id has all of the words."""
    words = text.casefold().split()
    found = [row for row in rows if (not state or row.state == state) and _has(row, words)]
    pages = max(1, -(-len(found) // size))
    number = min(max(1, number), pages)
    return Page(found[(number - 1) * size : number * size], len(found), number, pages)


def _has(row: RunRow, words: Sequence[str]) -> bool:
    there = f"{row.goal} {row.thread} {row.run}".casefold()
    return all(word in there for word in words)


def _is_open(state: ThreadState) -> bool:
    return state != "ended"


def _latest(entry: ThreadEntry, known: RunRow | None) -> RunRow:
    row = known or RunRow(entry.run, entry.thread, entry.goal, entry.state, entry.updated)
    return row._replace(state=entry.state, team=row.team or str(entry.context.get("team", "")))


def _remembered(episode: Episode) -> RunRow:
    return RunRow(
        run=episode.run,
        thread=episode.thread,
        goal=episode.goal,
        state=episode.status,
        at=episode.started,
        team=episode.team,
        seconds=episode.seconds,
        quality=episode.quality,
        calls=episode.usage.calls,
        tokens=episode.usage.tokens,
        dollars=episode.usage.dollars,
        degraded=episode.degraded,
    )
