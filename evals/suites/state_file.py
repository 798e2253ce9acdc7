"""The state of a simulated world in a file, changed by one process at a time and never left half written."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

WORLD = "SIMULATED_WORLD"
"""Environment variable with the path of the file."""


class NoWorld(RuntimeError):
    """There is no file to simulate from."""


def world_path() -> Path:
    """Return the file of this process's world, or raise `NoWorld`."""
    path = os.environ.get(WORLD)
    if not path or not Path(path).is_file():
        msg = f"set {WORLD} to the JSON file of the simulated world"
        raise NoWorld(msg)
    return Path(path)


def seen(path: Path) -> dict[str, Any]:
    """Return the world as it is."""
    world: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return world


@contextmanager
def changing(path: Path) -> Iterator[dict[str, Any]]:
    """Give the world to the block and keep what the block makes of it; nothing, when it raises."""
    with FileLock(f"{path}.lock"):
        world = seen(path)
        yield world
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(world, indent=1, sort_keys=True), encoding="utf-8")
        draft.replace(path)
