"""Trials: two variants, agents or sequences, share a workspace's traffic until one is clearly better."""

import asyncio
import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from domain.errors import InvalidTrial, StorageBusy, UnknownTrial, UserError
from memory.records import Records
from memory.workspaces import checked_workspace

State = Literal["running", "promoted", "stopped"]
Arm = Literal["control", "challenger"]
Subject = Literal["agents", "sequences"]

LEVEL = 0.95
"""Of the confidence interval: the chance that it holds the true difference, however often it is looked at."""
MIN_OUTCOMES = 20
"""Outcomes of each variant before anything is called clear."""
_NARROWEST_AT = 200
"""Outcomes at which the interval is tuned to be narrow."""
_WRITES = 50
"""Attempts to store against other writers."""
_RUN_SECONDS = 30 * 24 * 3600.0
"""So long a run may take and still be counted once."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True)
class Trial:
    """A trial as it stands. Variants are names: an agent, or the agents of a sequence joined by `>`."""

    name: str
    control: str
    """What is used without the trial."""
    challenger: str
    share: float
    """Share of the traffic that the challenger gets, 0..1."""
    team: str
    """Whose agents they are."""
    of: Subject = "agents"
    state: State = "running"
    outcomes: tuple[float, float] = (0.0, 0.0)
    """Sums of outcomes: control, challenger."""
    squares: tuple[float, float] = (0.0, 0.0)
    counts: tuple[int, int] = (0, 0)

    def assigned(self, run: str) -> Arm:
        """Return which variant a run gets: always the same one, decided by a hash of trial and run."""
        digest = hashlib.sha256(f"{self.name}\0{run}".encode()).digest()
        return "challenger" if int.from_bytes(digest[:8]) < self.share * 2**64 else "control"

    def variant(self, run: str) -> str:
        """Return what a run uses: its assigned variant, or after the trial the promoted or original one."""
        arm = self.assigned(run) if self.state == "running" else "challenger" if self.state == "promoted" else "control"
        return self.challenger if arm == "challenger" else self.control


@dataclass(frozen=True)
class Verdict:
    """What a trial shows so far."""

    trial: Trial
    difference: float
    """Mean outcome of the challenger less that of the control."""
    low: float
    high: float
    clear: bool
    """Whether the interval leaves out 0 and both variants have `MIN_OUTCOMES`."""


def verdict(trial: Trial) -> Verdict:
    """Return the difference of the two means with a confidence sequence.

    Trials are looked at after every outcome, and an ordinary interval then errs far more often than it says. The
    asymptotic confidence sequence of Waudby-Smith et al. (Annals of Statistics 2024, theorem 2.2) holds at all times:
    with v the estimated variance of the mean difference and n the outcomes of both variants, its half-width is
    sqrt(v (n r + 1)/(n r) ln((n r + 1)/alpha^2)), r tuned to be narrowest around `_NARROWEST_AT`.
    """
    means = [total / max(n, 1) for total, n in zip(trial.outcomes, trial.counts, strict=True)]
    variance = sum(_variance_of_mean(trial, arm) for arm in (0, 1))
    n, alpha = sum(trial.counts), 1 - LEVEL
    r = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / _NARROWEST_AT
    spread = (n * r + 1) / max(n * r, 1e-12)
    half = math.sqrt(variance * spread * math.log((n * r + 1) / alpha**2))
    difference = means[1] - means[0]
    enough = min(trial.counts) >= MIN_OUTCOMES
    return Verdict(trial, difference, difference - half, difference + half, enough and abs(difference) > half)


def _variance_of_mean(trial: Trial, arm: int) -> float:
    # One success and one failure more than were seen, so that an unbroken row of successes is not taken for certain.
    n, mean = trial.counts[arm] + 2, (trial.outcomes[arm] + 1) / (trial.counts[arm] + 2)
    return max((trial.squares[arm] + 1) / n - mean**2, 0.0) / n


class Trials:
    """The trials of all workspaces, kept in records."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def start(self, workspace: str, trial: Trial) -> Trial:
        """Begin a trial.

        Raises:
            InvalidTrial: The variants are the same, the share is not between 0 and 1, the name is not usable or taken,
                or another trial of the team that runs or was promoted has the same variant as its control.
        """
        if trial.control == trial.challenger or not 0 < trial.share < 1:
            msg = (
                "a trial has two different variants and a share between 0 and 1:"
                f" {trial.control!r}, {trial.challenger!r}, {trial.share}"
            )
            raise InvalidTrial(msg)
        if not _NAME.fullmatch(trial.name):
            msg = f"{trial.name!r:.80} is no name for a trial: use letters, digits, '.', '_' and '-', at most 40"
            raise InvalidTrial(msg)
        for other in await self.all(workspace):
            if other.name != trial.name and other.state != "stopped" and _about(other) == _about(trial):
                msg = f"trial {other.name!r} is {other.state} and has {trial.control!r} as its control; stop it first"
                raise InvalidTrial(msg)
        if not await self._records.compare_and_set(_key(workspace, trial.name), None, _value(trial)):
            msg = f"workspace {workspace!r} has a trial {trial.name!r} already"
            raise InvalidTrial(msg)
        return trial

    async def get(self, workspace: str, name: str) -> Trial:
        """Return a trial, or raise `UnknownTrial` where there is none of this name."""
        return _trial(await self._stored(workspace, name))

    async def all(self, workspace: str) -> list[Trial]:
        """Return the workspace's trials by name."""
        return [_trial(value) for _, value in await self._records.scan(_key(workspace, ""))]

    async def observe(self, workspace: str, name: str, run: str, outcome: float) -> Verdict:
        """Count a run's outcome once; promote the challenger, or stop the trial, when the difference is clear.

        An outcome that arrives after the trial's end, or twice, changes nothing.

        Raises:
            UnknownTrial: There is no such trial.
            UserError: The outcome is not in 0..1.
        """
        if not 0 <= outcome <= 1:
            msg = f"an outcome lies in 0..1, not {outcome}"
            raise UserError(msg)
        if (await self.get(workspace, name)).state != "running" or not await self._first(workspace, name, run):
            return verdict(await self.get(workspace, name))
        return verdict(await self._changed(workspace, name, lambda trial: _judged(_counted(trial, run, outcome))))

    async def stop(self, workspace: str, name: str) -> Trial:
        """End a trial, or take its promotion back: the control goes on alone."""
        return await self._changed(workspace, name, lambda trial: replace(trial, state="stopped"))

    async def _first(self, workspace: str, name: str, run: str) -> bool:
        key = f"trial:{checked_workspace(workspace)}:{name}:run:{run}"
        return await self._records.add(key, ttl=_RUN_SECONDS) == 1

    async def _changed(self, workspace: str, name: str, change: Callable[[Trial], Trial]) -> Trial:
        """Store a change, starting over when another writer was faster."""
        for _ in range(_WRITES):
            stored = await self._stored(workspace, name)
            changed = change(_trial(stored))
            if await self._records.compare_and_set(_key(workspace, name), stored, _value(changed)):
                return changed
            await asyncio.sleep(0)
        msg = f"trial {name!r} is being written to by too many at once; try again"
        raise StorageBusy(msg)

    async def _stored(self, workspace: str, name: str) -> dict[str, Any]:
        stored = await self._records.get(_key(workspace, name))
        if stored is None:
            msg = f"workspace {workspace!r} has no trial {name!r:.80}"
            raise UnknownTrial(msg)
        return stored


def _counted(trial: Trial, run: str, outcome: float) -> Trial:
    """Return the trial with one outcome more; one that has ended stays as it is."""
    if trial.state != "running":
        return trial
    i = int(trial.assigned(run) == "challenger")
    return replace(
        trial,
        outcomes=_raised(trial.outcomes, i, outcome),
        squares=_raised(trial.squares, i, outcome**2),
        counts=(trial.counts[0] + (i == 0), trial.counts[1] + (i == 1)),
    )


def _raised(pair: tuple[float, float], i: int, amount: float) -> tuple[float, float]:
    return (pair[0] + amount, pair[1]) if i == 0 else (pair[0], pair[1] + amount)


def _judged(trial: Trial) -> Trial:
    found = verdict(trial)
    if trial.state != "running" or not found.clear:
        return trial
    return replace(trial, state="promoted" if found.difference > 0 else "stopped")


def _about(trial: Trial) -> tuple[str, Subject, str]:
    return trial.team, trial.of, trial.control


def _key(workspace: str, name: str) -> str:
    return f"trials:{checked_workspace(workspace)}:{name}"


def _value(trial: Trial) -> dict[str, Any]:
    pairs = {"outcomes": list(trial.outcomes), "squares": list(trial.squares), "counts": list(trial.counts)}
    return asdict(trial) | pairs


def _trial(value: dict[str, Any]) -> Trial:
    pairs = {name: tuple(value[name]) for name in ("outcomes", "squares", "counts")}
    return Trial(**(value | pairs))
