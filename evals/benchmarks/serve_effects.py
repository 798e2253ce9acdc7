"""What runs of the service benchmark do in the world outside: one line in a file, with the key of the effect.

The team file that `TEAM` is declares `record` as its tool, which workers load as they would load anybody's. The file
tells what really happened, whatever a killed process knew of it.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from evals.improvised import Scene

VARIABLE = "BENCH_EFFECTS"
"""Environment variable of the workers that names the file."""
TEAM = """\
name = "bench"
description = "Answers, and records marks."

[autonomy]
tier = "trusted"
called_for = ["record"]

[[specialists]]
name = "recorder"
description = "Records marks."
tools = ["record"]
capabilities = ["action"]

[[tools]]
name = "record"
from = "function"
target = "evals.benchmarks.serve_effects:record"
effect = "write"
key = ["mark"]
verify = "evals.benchmarks.serve_effects:is_recorded"
undo = "evals.benchmarks.serve_effects:withdraw"
"""
GREETING = "Hello, good to see you."


def record(mark: str) -> str:
    """Record a mark."""
    _append(f"+{mark}")
    return f"recorded {mark}"


def is_recorded(mark: str) -> bool:
    """Return whether a mark stands in the file."""
    found = happened(_file())
    return found[f"+{mark}"] > found[f"-{mark}"]


def withdraw(mark: str) -> str:
    """Take a mark back."""
    _append(f"-{mark}")
    return f"withdrew {mark}"


def happened(file: Path) -> Counter[str]:
    """Return how often everything happened, by sign and mark."""
    return Counter(file.read_text().split()) if file.exists() else Counter()


def mark_of(number: int) -> str:
    """Return the mark of a run."""
    return f"mark{number:05d}"


def recording(number: int) -> str:
    """Return the goal of a run that records its mark."""
    return f"Record {mark_of(number)} now."


def scenes(count: int) -> Iterator[Scene]:
    """Yield what the model makes of greetings, and of so many goals to record something."""
    yield Scene(goal=GREETING, kind="conversation")
    for number in range(count):
        step = {"id": "record", "agent": "recorder", "task": "Record it", "tool": "record"}
        yield Scene(goal=recording(number), kind="action", plans=[[step | {"args": {"mark": mark_of(number)}}]])


def _file() -> Path:
    return Path(os.environ[VARIABLE])


def _append(line: str) -> None:
    handle = os.open(_file(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)
