"""Four weeks of the service's past, hour by hour: `python -m evals.suites.operations.history data/hourly.csv`.

The same simulation that answers now tells what was, so that the past, the forecast and the present agree.
"""

import csv
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from evals.suites.operations.service import measured

FIRST = date(2026, 3, 2)
"""A Monday."""
_DAYS = 26
"""To a Friday four weeks on; the service is closed at weekends."""
_LOAD = {8: 150, 9: 240, 10: 275, 11: 260, 12: 200, 13: 190, 14: 215, 15: 225, 16: 210, 17: 160}
"""Calls by the hour of an ordinary day."""
_AGENTS = {8: 16, 9: 24, 10: 27, 11: 26, 12: 20, 13: 20, 14: 22, 15: 23, 16: 22, 17: 17}
_WEEKDAY = (1.15, 1.0, 0.98, 0.97, 0.92)
"""Load from Monday to Friday against an ordinary day."""
_OUTAGE = (date(2026, 3, 18), (10, 11), 1.4)
"""The day and hours when a broken web form sent people to the telephone, and how many more."""
_AUTOMATED_MORE = date(2026, 3, 23)
"""From then on a machine took 20 % of the calls in place of 10 %."""


def rows() -> Iterator[dict[str, Any]]:
    """Yield every hour with its load, parameters and metrics as they were measured."""
    for day in (FIRST + timedelta(days=n) for n in range(_DAYS)):
        if day.weekday() >= len(_WEEKDAY):
            continue
        for hour, usual in _LOAD.items():
            calls = round(usual * _WEEKDAY[day.weekday()] * _more(day, hour) * (1 + 0.04 * _swing(day, hour)))
            parameters = {
                "agents": _AGENTS[hour], "handle_seconds": 300, "callback_after_seconds": 0,
                "automation_share": 0.2 if day >= _AUTOMATED_MORE else 0.1,
            }  # fmt: skip
            world = {
                "hour": hour, "calls_per_hour": calls, "patience_seconds": 180, "noise": 0.01,
                "seed": day.toordinal(), "parameters": parameters,
            }  # fmt: skip
            found = measured(world)
            yield {"date": day, "weekday": f"{day:%A}", "hour": hour, "calls": calls, **parameters, **found}


def _more(day: date, hour: int) -> float:
    when, hours, factor = _OUTAGE
    return factor if day == when and hour in hours else 1.0


def _swing(day: date, hour: int) -> float:
    """Return how far an hour's load is from the usual one, -1 to 1, without a pattern that anybody would find."""
    return ((day.toordinal() * 37 + hour * 101) % 201 - 100) / 100


def write(path: Path) -> None:
    """Write the table."""
    found = list(rows())
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, fieldnames=list(found[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(found)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
