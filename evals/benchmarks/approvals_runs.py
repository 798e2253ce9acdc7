"""Whole runs that wait for a person: very many, claimed by two at once, killed, and with servers that restart."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from evals.benchmarks.approvals_crew import Came, Order
from evals.benchmarks.approvals_desk import Ground, Part, percentile
from evals.benchmarks.approvals_desk_worker import Place
from evals.benchmarks.approvals_world import TimedWorld, effect
from evals.report import Aim

_AT_ONCE = 4
"""Runs that one process starts at a time."""
_IDLE_SECONDS = 6.0
"""Time for which a worker has nothing to do before its memory is measured."""
_LIMIT = 4 * 3600.0
"""Seconds after which a worker ends in any case."""
_PATIENCE = 180.0
"""Seconds without any effect after which those that are missing are waited for no more."""
_LOOK_SECONDS = 0.25
_FEW = 100
"""Waiting threads with which the memory of a worker is compared; fewer where there are not ten times as many."""
_STARTS = 12
"""Starts after which a run that has not ended counts as lost."""


class Troop:
    """The runs of one part, in a world of their own."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.ground, self._folder = ground, ground.folder / name
        self._folder.mkdir()
        self.world = TimedWorld(self._folder / "world")
        self._workers: list[Any] = []
        self._stops = 0

    def __enter__(self) -> "Troop":
        """Return the troop."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the workers end, also where the part broke off."""
        if self._workers:
            self.end()

    def place(self, number: int) -> Place:
        """Return where a process keeps its own: the servers are shared, the data folder is not."""
        return self.ground.place._replace(home=str(self._folder / f"home{number}"))

    def fill(self, numbers: Sequence[int]) -> float:
        """Start runs in two processes, and return how many seconds of one process each took."""
        halves = [list(numbers[part::2]) for part in range(2)]
        given = {"world": str(self.world.file), "at_once": _AT_ONCE}
        orders = [Order("fill", self.place(n), given | {"numbers": half}) for n, half in enumerate(halves)]
        came = self.ground.crew.together(*orders)
        if sum(each["waiting"] for each in came) != len(numbers):
            raise RuntimeError("runs of the benchmark do not wait as they should")
        return 2 * max(float(each["seconds"]) for each in came) / len(numbers)

    def begin(self, count: int, *, idle_seconds: float = 0.0) -> None:
        """Begin workers, and return when they work."""
        self._stops += 1
        self._stop = self._folder / f"stop{self._stops}"
        given = {"world": str(self.world.file), "stop": str(self._stop), "limit": _LIMIT}
        for number in range(count):
            order = Order("work", self.place(number), given | {"idle_seconds": idle_seconds})
            self._workers.append(self.ground.crew.begin(order))
        while len([*self._folder.glob(f"{self._stop.name}.ready.*")]) < count:
            if ended := [worker for worker in self._workers if worker.done()]:
                raise RuntimeError(f"a worker of the benchmark ended: {ended[0].result().ended}")
            time.sleep(_LOOK_SECONDS)

    def end(self) -> list[dict[str, Any]]:
        """End the workers and return what they tell."""
        self._stop.touch()
        workers, self._workers = self._workers, []
        came: list[Came] = [worker.result() for worker in workers]
        if any(each.ended.code for each in came):
            raise RuntimeError(f"workers of the benchmark ended with {[each.ended.code for each in came]}")
        return [each.found for each in came]

    def decided(self, numbers: Sequence[int], process: int, *, pause: float = 0.0) -> Any:
        """Begin to approve what runs wait for, and return the future of when each was."""
        order = Order("decide", self.place(process), {"numbers": list(numbers), "pause": pause})
        return self.ground.crew.begin(order)

    def wait_for(self, numbers: Iterable[int]) -> set[int]:
        """Wait until the effects of runs have happened, and return those that do not."""
        last, missing = time.monotonic(), set(numbers)
        while missing and time.monotonic() < last + _PATIENCE:
            happened = self.world.happened()
            left = {number for number in missing if not happened[f"+{effect(number)}"]}
            if left != missing:
                last, missing = time.monotonic(), left
            if missing:
                time.sleep(_LOOK_SECONDS)
        return missing

    def doubled(self) -> int:
        """Return how many effects happened more than once, each time counted."""
        return sum(times - 1 for times in self.world.happened().values())


def waiting(ground: Ground, count: int, *, idle_seconds: float = _IDLE_SECONDS) -> Part:
    """Let very many threads wait, restart everything, and see them wake up; compare a worker's memory."""
    with Troop(ground, "waiting") as troop:
        return _waiting(troop, count, idle_seconds)


def _waiting(troop: Troop, count: int, idle_seconds: float) -> Part:
    ground, began = troop.ground, time.monotonic()
    few = max(1, min(_FEW, count // 10))
    troop.fill(range(few))
    troop.begin(1, idle_seconds=idle_seconds)
    with_few = troop.end()[0]["rss_mb"]
    each = troop.fill(range(few, count))
    ground.restart_all()
    troop.begin(1, idle_seconds=idle_seconds)
    sample = sorted(ground.rng.sample(range(count), min(count, 200)))
    came = troop.decided(sample, 2, pause=0.3).result()
    late = troop.wait_for(sample)
    times = troop.world.times()
    woke = sorted(times[effect(int(n))] - at for n, at in came.found["decided"].items() if effect(int(n)) in times)
    rest = sorted(set(range(count)) - set(sample))
    troop.decided(rest, 2).result()
    lost = late | troop.wait_for(rest)
    with_many = troop.end()[0]["rss_mb"]
    return Part(
        {
            "waiting": count,
            "seconds_to_start_each": each,
            "not_resumed": len(lost),
            "doubled": troop.doubled(),
            "wake_up_p50_seconds": percentile(woke, 50),
            "wake_up_p95_seconds": percentile(woke, 95),
            f"rss_mb_with_{few}": with_few,
            f"rss_mb_with_{count}": with_many,
            "rss_ratio": with_many / with_few,
            "seconds": time.monotonic() - began,
        },
        (
            Aim("not_resumed", "<=", 0),
            Aim("doubled", "<=", 0),
            Aim("wake_up_p95_seconds", "<=", 5),
            Aim("rss_ratio", "<=", 1.1),
        ),
    )


def claims(ground: Ground, count: int) -> Part:
    """Let two workers go for every run at the same moment."""
    with Troop(ground, "claims") as troop:
        return _claims(troop, count)


def _claims(troop: Troop, count: int) -> Part:
    began = time.monotonic()
    troop.fill(range(count))
    troop.decided(range(count), 2).result()
    troop.begin(2)
    lost = troop.wait_for(range(count))
    troop.end()
    return Part(
        {"claimed": count, "lost": len(lost), "doubled": troop.doubled(), "seconds": time.monotonic() - began},
        (Aim("lost", "<=", 0), Aim("doubled", "<=", 0)),
    )


def kills(ground: Ground, count: int) -> Part:
    """Kill runs at every boundary between ask, decide, resume, act and record, and carry them on."""
    with Troop(ground, "kills") as troop:
        return _kills(troop, count)


def _kills(troop: Troop, count: int) -> Part:
    ground, began = troop.ground, time.monotonic()
    usual = _driven(troop, 0, None).found["boundaries"]
    killed, lost, reached = 0, 0, set[int]()
    number = 0
    while killed < count:
        number, at = number + 1, number % usual
        for start in range(_STARTS):
            came = _driven(troop, number, at)
            if came.ended.code != -signal.SIGKILL:
                break
            killed += 1
            reached |= {at} if not start else set()
            # Most are killed again while they recover.
            at = ground.rng.randrange(usual) if start < 2 and killed < count else None
        lost += came.found.get("status") != "done"
    happened = troop.world.happened()
    missing = [n for n in range(number + 1) if not happened[f"+{effect(n)}"]]
    return Part(
        {
            "kills": killed,
            "runs": number + 1,
            "boundaries": usual,
            "boundaries_killed_at": len(reached),
            "lost": lost,
            "missing": len(missing),
            "doubled": troop.doubled(),
            "seconds": time.monotonic() - began,
        },
        (Aim("kills", ">=", count), Aim("lost", "<=", 0), Aim("missing", "<=", 0), Aim("doubled", "<=", 0)),
    )


def _driven(troop: Troop, number: int, kill_at: int | None) -> Came:
    given = {"world": str(troop.world.file), "number": number, "kill_at": kill_at}
    came: Came = troop.ground.crew.begin(Order("drive", troop.place(0), given)).result()
    if came.ended.code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"a run of the benchmark ended with {came.ended.code}")
    return came


def restarts(ground: Ground, count: int, *, shortest: float = 5.0, longest: float = 40.0) -> Part:
    """Start, decide and carry on runs while PostgreSQL and Redis are killed and started again."""
    with Troop(ground, "restarts") as troop:
        return _restarts(troop, count, shortest, longest)


def _restarts(troop: Troop, count: int, shortest: float, longest: float) -> Part:
    ground, began = troop.ground, time.monotonic()
    troop.begin(1)
    chaos = _Chaos(ground, random.Random(ground.rng.random()), shortest, longest)
    with chaos:
        given = {"world": str(troop.world.file), "at_once": _AT_ONCE, "numbers": list(range(count))}
        filling = ground.crew.begin(Order("fill", troop.place(1), given))
        deciding = troop.decided(range(count), 2)
        came = [filling.result(), deciding.result()]
        lost = troop.wait_for(range(count))
    lost |= troop.wait_for(lost) if lost else set()
    troop.end()
    return Part(
        {
            "runs": count,
            "postgres_restarts": chaos.restarts["postgres"],
            "redis_restarts": chaos.restarts["redis"],
            "failed_processes": sum(each.ended.code != 0 for each in came),
            "lost": len(lost),
            "doubled": troop.doubled(),
            "seconds": time.monotonic() - began,
        },
        (
            Aim("postgres_restarts", ">=", 1),
            Aim("redis_restarts", ">=", 1),
            Aim("failed_processes", "<=", 0),
            Aim("lost", "<=", 0),
            Aim("doubled", "<=", 0),
        ),
    )


class _Chaos:
    """Kills the servers and starts them again, each at times of its own, while its block lasts."""

    def __init__(self, ground: Ground, rng: random.Random, shortest: float, longest: float) -> None:
        self._servers = {"postgres": ground.servers.postgres, "redis": ground.servers.redis}
        self._rng, self._bounds, self._over = rng, (shortest, longest), threading.Event()
        self.restarts: Counter[str] = Counter()

    def __enter__(self) -> "_Chaos":
        self._threads = [threading.Thread(target=self._disturb, args=(name,)) for name in self._servers]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _disturb(self, name: str) -> None:
        pause = self._bounds[0] / 4  # the first one soon, so that the shortest benchmark meets it
        while not self._over.wait(pause):
            pause = self._rng.uniform(*self._bounds)
            self._servers[name].kill()
            self._servers[name].start()
            self.restarts[name] += 1
