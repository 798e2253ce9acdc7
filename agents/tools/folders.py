"""Which files of a folder may be read, with fingerprints that tell when one has changed."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.errors import UnknownFolder

MAX_FILES = 5_000
"""A scan stops here, so that a wrongly chosen folder (a whole disk) cannot hold up a run."""


@dataclass(frozen=True)
class Found:
    """One file of a folder."""

    name: str
    """Path below the folder, with `/` between its parts."""
    path: Path
    """Resolved."""
    stamp: tuple[int, int]
    """Time of the last change in nanoseconds, and size in bytes."""
    problem: str = ""
    """Why the file must not be read; empty when it may be."""
    target: str = ""
    """The name below the folder of what a link leads to; for other files the same as `name`."""

    @property
    def names(self) -> tuple[str, str]:
        """What the file is called below the folder, by itself and by a link to it."""
        return self.name, self.target or self.name

    @property
    def suffix(self) -> str:
        """Lower-case ending of the name, with its dot."""
        return os.path.splitext(self.name)[1].lower()


Shown = Callable[[Found], bool]
"""Whether a file is there for somebody."""


def everything(_: Found) -> bool:
    """Return that a file is there."""
    return True


def scan(folder: Path) -> list[Found]:
    """Return the files below a folder, ordered by path; hidden ones are left out.

    Folders that are symbolic links are not entered. A file that is a link counts as long as it leads to a file below
    the folder; one that leads elsewhere comes with a `problem`.

    Raises:
        UnknownFolder: The folder does not exist.
    """
    if not folder.is_dir():
        msg = f"there is no folder {str(folder)!r}"
        raise UnknownFolder(msg)
    root = Path(os.path.realpath(folder))
    found = []
    for path in _visible(root):
        if (file := _look(root, path)) is not None:
            found.append(file)
        if len(found) == MAX_FILES:
            break
    return found


def _visible(root: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def _look(root: Path, path: Path) -> Found | None:
    """Return what is at a path; None for what is not a file (a socket, a pipe) or has just gone."""
    resolved = Path(os.path.realpath(path))
    name = _readable(path.relative_to(root).as_posix())
    if not resolved.is_relative_to(root):
        return Found(name, resolved, (0, 0), "it is a link that leads out of the folder")
    try:
        status = resolved.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    target = _readable(resolved.relative_to(root).as_posix())
    return Found(name, resolved, (status.st_mtime_ns, status.st_size), target=target)


def target_of(folder: Path, name: str) -> str:
    """Return the name below a folder of what a file of it is a link to; its own name where it is none."""
    root, resolved = Path(os.path.realpath(folder)), Path(os.path.realpath(folder / name))
    return _readable(resolved.relative_to(root).as_posix()) if resolved.is_relative_to(root) else name


def _readable(name: str) -> str:
    """Return a file name as text that can be stored and printed, whatever bytes the disk has for it."""
    return os.fsencode(name).decode("utf-8", "replace")
