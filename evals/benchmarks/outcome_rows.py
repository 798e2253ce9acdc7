"""Known outcomes of several arms on the same requests, read from a file.

Rows are JSON lines `{"task_type", "goal", "outcomes": {arm: 0..1}, "cost": {arm: number}, "latency"?: {arm: seconds}}`.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.delegation.arms import Floats, Requests, indices
from agents.delegation.features import features
from domain.errors import UserError
from memory.encoders import Encoder


@dataclass(frozen=True)
class Stream:
    """Outcomes of every arm on every row; the three matrices have the shape [rows, arms]."""

    arms: tuple[str, ...]
    kinds: tuple[str, ...]
    requests: Requests
    outcomes: Floats
    costs: Floats
    seconds: Floats

    def __len__(self) -> int:
        return len(self.requests)

    def utilities(self, price: float) -> Floats:
        """Return outcome - price * cost/dearest, where dearest is the highest mean cost of an arm."""
        return np.asarray(self.outcomes - price * self.costs / max(self.costs.mean(0).max(), 1e-12))


def read_stream(path: Path, encoder: Encoder) -> Stream:
    """Return the file's rows as arrays.

    Raises:
        UserError: The file cannot be read, a line is not such a row, arms differ between rows, or there is none. The
            message names the line.
    """
    rows = list(_rows(path))
    if not rows:
        msg = f"{path} has no rows"
        raise UserError(msg)
    arms = tuple(rows[0]["outcomes"])
    kinds = tuple(sorted({row["task_type"] for row in rows}))
    number = {kind: i for i, kind in enumerate(kinds)}
    requests = Requests(
        indices([number[row["task_type"]] for row in rows]), features([row["goal"] for row in rows], encoder)
    )
    return Stream(arms, kinds, requests, *(_matrix(rows, arms, name) for name in ("outcomes", "cost", "latency")))


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    arms: set[str] = set()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise UserError(msg) from error
    # Not splitlines: JSON may hold line separators other than a line feed.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            row = _row(f"{path}, line {number}", line)
            arms = arms or set(row["outcomes"])
            _check_arms(f"{path}, line {number}", row, arms)
            yield row


def _row(place: str, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        texts = [row["task_type"], row["goal"]]
        numbers = [*row["outcomes"].values(), *row["cost"].values(), *row.get("latency", {}).values()]
        if all(isinstance(text, str) for text in texts) and all(0 <= number < math.inf for number in numbers):
            return dict(row)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f'{place} is not {{"task_type", "goal", "outcomes": {{arm: 0..1}}, "cost": {{arm: number}}}}: {error!r}'
        raise UserError(msg) from error
    msg = f"{place}: task_type and goal are texts; outcomes, cost and latency are numbers that are not negative"
    raise UserError(msg)


def _check_arms(place: str, row: Mapping[str, Any], arms: set[str]) -> None:
    given = [set(row["outcomes"]), set(row["cost"]), set(row.get("latency", arms))]
    if not arms or any(names != arms for names in given):
        msg = f"{place}: every row has an outcome and a cost of the same arms ({', '.join(sorted(arms))})"
        raise UserError(msg)
    if max(row["outcomes"].values()) > 1:
        msg = f"{place}: outcomes lie in 0..1"
        raise UserError(msg)


def _matrix(rows: Sequence[Mapping[str, Any]], arms: Sequence[str], name: str) -> Floats:
    return np.array([[row.get(name, {}).get(arm, 0.0) for arm in arms] for row in rows], np.float64)
