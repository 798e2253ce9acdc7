"""Paths below an output folder, as a model or a person gives them: checked before anything is touched."""

import os
from pathlib import Path, PurePosixPath

from domain.errors import PathNotAllowed

MAX_NAME_BYTES = 240
"""File systems take 255."""


def parts_of(path: str) -> tuple[str, ...]:
    """Return the path's parts, or raise `PathNotAllowed` when its wording alone rules it out."""
    parts = PurePosixPath(path).parts
    if not path.strip() or not parts or path.endswith("/") or not path.isprintable() or "\\" in path:
        reason = "is not a file path; write it like notes/summary.md"
    elif path.startswith("/") or ".." in parts or ":" in parts[0]:
        reason = "leads out of the output folder; give a path below it"
    elif any(part.startswith(".") for part in parts):
        reason = "has a name that begins with a dot, which hides it"
    elif any(len(part.encode("utf-8", "replace")) > MAX_NAME_BYTES for part in parts):
        reason = f"has a name of more than {MAX_NAME_BYTES} bytes"
    else:
        return parts
    msg = f"{path!r:.100} {reason}"
    raise PathNotAllowed(msg)


def inside(folder: Path, parts: tuple[str, ...]) -> Path:
    """Return where a file of the folder lies, links followed; its parent need not exist.

    Raises:
        PathNotAllowed: A link leads out of the folder.
    """
    root = Path(os.path.realpath(folder))
    parent = Path(os.path.realpath(root.joinpath(*parts[:-1])))
    if not parent.is_relative_to(root):
        raise linked(parts)
    return parent / parts[-1]


def linked(parts: tuple[str, ...]) -> PathNotAllowed:
    """Return the error for a path that passes through a link."""
    return PathNotAllowed(f"{'/'.join(parts)!r} passes through a link; write to another place")
