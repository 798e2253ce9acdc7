"""A foreign tool that gives something else each time, and counts how often it was really asked."""

import os
from pathlib import Path

COUNT = "STATION_COUNT"
"""Environment variable with the file that counts."""


def observe(place: str) -> dict[str, object]:
    """Tells the wind at a place now."""
    path = Path(os.environ[COUNT])
    asked = int(path.read_text()) + 1
    path.write_text(str(asked))
    return {"place": place, "metres_per_second": 3.5 + asked}
