"""Files of rows, one JSON value a line, that people measure with."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from domain.errors import InvalidSettings

R = TypeVar("R")


def read_lines(path: Path, row: Callable[[str, str], R]) -> list[R]:
    """Return the rows of a file; blank lines are passed over.

    Args:
        path: The file.
        row: Makes a row of a line and its place (`file:number`), or raises `InvalidSettings` naming the place.

    Raises:
        InvalidSettings: The file cannot be read, is empty, or has a line that is no row.
    """
    try:
        # Not splitlines: JSON may hold line separators other than a line feed.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path} cannot be read: {error}") from error
    rows = [row(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise InvalidSettings(f"{path} has no rows")
    return rows
