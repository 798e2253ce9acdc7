"""What was written into an output folder, looked at again: whether it is there, and how it is taken back."""

import itertools
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from agents.tools.paths import inside
from domain.errors import ToolError


def state_before(folder: Path, parts: tuple[str, ...]) -> dict[str, Any]:
    """Return whether something has the file's name, and which of its folders are missing, the deepest first."""
    names = list(itertools.accumulate(parts[:-1], "{}/{}".format))
    missing = [name for name in reversed(names) if not folder.joinpath(name).exists()]
    return {"existed": os.path.lexists(inside(folder, parts)), "missing_folders": missing}


def holds(folder: Path, parts: tuple[str, ...], text: str) -> Literal["same", "other", "nothing"]:
    """Return what is under the file's name: exactly this text, something else, or nothing."""
    target = inside(folder, parts)
    if not os.path.lexists(target):
        return "nothing"
    return "same" if target.is_file() and not target.is_symlink() and target.read_bytes() == text.encode() else "other"


def remove_written(folder: Path, parts: tuple[str, ...], text: str, missing_folders: Sequence[str]) -> bool:
    """Remove a file that still holds what was written, and the folders that were made for it as far as they are empty.

    A file that is gone already counts as removed.

    Args:
        folder: The output folder.
        parts: The file's path below it.
        text: What was written.
        missing_folders: Folders below it that were not there before, the deepest first.

    Returns:
        Whether there was something to remove.

    Raises:
        ToolError: Somebody has changed the file since, or it cannot be removed; it is kept as it is.
    """
    name = "/".join(parts)
    try:
        found = holds(folder, parts, text)
        if found == "same":
            inside(folder, parts).unlink()
    except OSError as error:
        msg = f"{name!r:.100} cannot be removed: {error.strerror or error}"
        raise ToolError(msg) from error
    if found == "other":
        msg = f"{name!r:.100} was changed after it was written and is kept as it is"
        raise ToolError(msg)
    with suppress(OSError):  # somebody uses them, or has removed them
        for folder_name in missing_folders:
            folder.joinpath(folder_name).rmdir()
    return found == "same"
