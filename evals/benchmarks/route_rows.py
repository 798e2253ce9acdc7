"""Rows of routing data: requests and their routes, one JSON object a line."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from domain.errors import InvalidSettings
from evals.benchmarks.rows import read_lines


class Row(NamedTuple):
    """A request and its route; None is an unknown task."""

    goal: str
    route: str | None

    @property
    def field(self) -> str | None:
        """The routes' common first word."""
        return self.route.split("_")[0] if self.route else None


def read_rows(path: Path) -> list[Row]:
    """Return the rows `{"goal": ..., "route": ... | null}` of a file.

    Raises:
        InvalidSettings: The file cannot be read, is empty, or has a line that is no such row; the message names it.
    """
    return read_lines(path, _row)


def _row(line: str, place: str) -> Row:
    try:
        value = json.loads(line)
        goal, route = value["goal"], value["route"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidSettings(f'{place} is not {{"goal": text, "route": text or null}}: {line:.80}') from error
    if not isinstance(goal, str) or not goal.strip() or not (route is None or (isinstance(route, str) and route)):
        raise InvalidSettings(f'{place} is not {{"goal": text, "route": text or null}}: {line:.80}')
    return Row(goal, route)


def at_most(rows: Sequence[Row], per_route: int | None) -> list[Row]:
    """Return the first rows of each route, so many at most."""
    taken: Counter[str | None] = Counter()
    kept = []
    for row in rows:
        taken[row.route] += 1
        if per_route is None or taken[row.route] <= per_route:
            kept.append(row)
    return kept
