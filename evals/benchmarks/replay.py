"""How quickly recorded tasks are replayed, and whether they say the same each time."""

import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from evals.playing import OpenPlayer, Version
from evals.report import Aim, Report
from evals.results import SuiteResult, as_json
from evals.running import run_suites
from evals.suites import Suite, UnknownRecording

AIMS = (Aim("tasks_per_second", ">=", 20.0), Aim("suite_of_40_seconds", "<=", 60.0), Aim("reports", "<=", 1))
_NOTE = "tasks_per_second counts what is played after every process has opened what it needs and played once"


class _Round(NamedTuple):
    results: list[SuiteResult]
    seconds: float
    """From before the processes start until after they have ended."""
    came: list[float]
    """When each result came, in seconds."""
    processes: int

    @property
    def rate(self) -> float:
        """Tasks a second, without those that the processes were still starting for."""
        warm = self.came[self.processes - 1 :]
        return (len(warm) - 1) / (warm[-1] - warm[0]) if len(warm) > 1 else len(self.came) / self.seconds


def run(suites: Sequence[Suite], open_player: OpenPlayer, *, rounds: int = 3, processes: int = 2) -> Report:
    """Replay all recorded tasks several times, with the start of the processes and without it.

    Args:
        suites: What is replayed, strictly.
        open_player: Opens a player, once in each process.
        rounds: Replays of everything, at least one; the median counts.
        processes: How many replay at a time; the aims are about two.

    Raises:
        UnknownRecording: None of the tasks is recorded.
    """
    recorded = [suite._replace(tasks=[*filter(_is_recorded, suite.tasks)]) for suite in suites]
    tasks = sum(len(suite.tasks) for suite in recorded)
    if not tasks:
        msg = f"no task of {', '.join(suite.name for suite in suites) or 'no suite'} is recorded"
        raise UnknownRecording(msg)
    played = [_timed(recorded, open_player, processes) for _ in range(rounds)]
    turns = sum(len(result.turns) for suite in played[-1].results for result in suite.results)
    rate = statistics.median(each.rate for each in played)
    figures: dict[str, Any] = {
        "tasks": tasks,
        "turns": turns,
        "tasks_passed": sum(suite.passed for suite in played[-1].results),
        "tasks_per_second": rate,
        "turns_per_second": rate * turns / tasks,
        "suite_of_40_seconds": statistics.median(each.seconds for each in played) * 40 / tasks,
        "reports": len({json.dumps(as_json(each.results), sort_keys=True) for each in played}),
    }
    return Report("replay", figures, AIMS, (_NOTE,))


def _timed(suites: Sequence[Suite], open_player: OpenPlayer, processes: int) -> _Round:
    came: list[float] = []
    start = time.perf_counter()
    results = run_suites(
        suites, open_player, Version(), "strict", processes=processes,
        told=lambda *_: came.append(time.perf_counter() - start),
    )  # fmt: skip
    return _Round(results, time.perf_counter() - start, came, processes)


def _is_recorded(folder: Path) -> bool:
    return (folder / "calls.json").exists()
