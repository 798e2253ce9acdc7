"""Recorded tasks played suite by suite: in parallel, resumable, with the same report every time."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from evals.attempts import Job, attempt
from evals.playing import OpenPlayer, PlayMode, Version
from evals.processes import Done, play_in_processes
from evals.results import SuiteResult, TaskResult
from evals.resuming import Progress
from evals.suites import Suite

Told = Callable[[TaskResult, int, int], None]
"""Takes a result as it comes, how many there are now, and how many there will be."""


def run_suites(
    suites: Sequence[Suite],
    open_player: OpenPlayer,
    version: Version,
    mode: PlayMode,
    *,
    epochs: int = 1,
    processes: int = 2,
    state: Path | None = None,
    told: Told = lambda result, done, everything: None,
) -> list[SuiteResult]:
    """Return what the tasks of suites gave; a task that cannot be played fails, and the others are played.

    Args:
        suites: What is played.
        open_player: Opens a player, once in each process.
        version: What it plays with.
        mode: How requests are answered.
        epochs: How often each task is played.
        processes: How many play at a time; one plays in this process.
        state: File of results that are taken over where nothing has changed, and added to as they come.
        told: Told of every result.

    Raises:
        UnderstudyError: The player cannot be opened, or the file is no such file.
    """
    jobs = [
        Job(suite.name, folder, epoch, mode)
        for suite in suites
        for folder in suite.tasks
        for epoch in range(1, epochs + 1)
    ]
    results: dict[tuple[str, str, int], TaskResult] = {}
    progress = Progress(state, version) if state else None

    def note(job: Job, result: TaskResult, whole: bool) -> None:
        results[job.key] = result
        if progress and whole:
            progress.note(job, result)
        told(result, len(results), len(jobs))

    left = []
    for job in jobs:
        if progress and (known := progress.known(job)):
            results[job.key] = known
            told(known, len(results), len(jobs))
        else:
            left.append(job)
    if left and processes == 1:
        asyncio.run(_play_here(left, open_player, version, note))
    elif left:
        play_in_processes(left, open_player, version, processes, note)
    return [
        SuiteResult(name=suite.name, results=[results[job.key] for job in jobs if job.suite == suite.name])
        for suite in suites
    ]


async def _play_here(jobs: Sequence[Job], open_player: OpenPlayer, version: Version, done: Done) -> None:
    async with open_player(version) as player:
        for job in jobs:
            done(job, await attempt(player, job), True)
