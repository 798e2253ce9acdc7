"""Decisions and deadlines at the desk: delivered twice, racing each other, and due while everything is down."""

import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.benchmarks.approvals_crew import Crew, Order
from evals.benchmarks.approvals_desk_worker import PERSON, Asked, Place
from evals.benchmarks.private_servers import Servers
from evals.report import Aim

_SOON = 2.0
"""Seconds until processes that are to begin together begin."""
_ASK_SECONDS = 0.06
"""Time that is given to asking one question, before deadlines begin."""
_LATE = 3.0
"""Seconds that a race goes on after the last deadline."""
_ROUND = 50
"""Races that are run together."""
TIMER = "timeout"
"""Who decides when nobody else has."""


@dataclass
class Ground:
    """What the parts of the benchmark work on."""

    servers: Servers
    crew: Crew
    folder: Path
    rng: random.Random

    @property
    def place(self) -> Place:
        """Where the desk is."""
        return Place(str(self.folder / "desk"), self.servers.postgres.url, self.servers.redis.url)

    def stop_all(self) -> None:
        """End both servers at once."""
        self.servers.postgres.kill()
        self.servers.redis.kill()

    def start_all(self) -> None:
        """Start both servers again."""
        self.servers.postgres.start()
        self.servers.redis.start()

    def restart_all(self) -> None:
        """End both servers at once and start them again."""
        self.stop_all()
        self.start_all()

    def order(self, what: str, asked: Asked, **given: Any) -> Order:
        """Return an order for the desk."""
        return Order(what, self.place, {"asked": asked} | given)


@dataclass(frozen=True)
class Part:
    """What one part of the benchmark found."""

    figures: dict[str, Any]
    aims: tuple[Aim, ...]
    notes: tuple[str, ...] = ()


def twice(ground: Ground, count: int) -> Part:
    """Deliver every decision twice, from two processes at the same moment."""
    began = time.monotonic()
    asked = Asked("twice", list(range(count)))
    halves = [Asked("twice", asked.numbers[part::2]) for part in range(2)]
    far = time.time() + 30 * 86400
    ground.crew.together(*(ground.order("ask", half, first_due=far, spacing=0.0) for half in halves))
    start = time.time() + _SOON
    came = ground.crew.together(*(ground.order("deliver", asked, start=start) for _ in range(2)))
    looked = ground.crew.alone(ground.order("look", asked))
    seconds = sorted(second for each in came for second in each["seconds"])
    applied = [end["by"] == [PERSON] and end["decisions"] == ["approve"] for end in looked["ended"].values()]
    noted = [kinds.count("decision") == 1 for kinds in looked["told"].values()]
    return Part(
        {
            "decisions": len(applied),
            "deliveries": len(seconds),
            "not_applied_once": applied.count(False),
            "not_noted_once": noted.count(False),
            "audit_problems": len(looked["problems"]),
            "answer_p95_ms": 1000 * percentile(seconds, 95),
            "seconds": time.monotonic() - began,
        },
        (
            Aim("deliveries", ">=", 2 * count),
            Aim("not_applied_once", "<=", 0),
            Aim("not_noted_once", "<=", 0),
            Aim("audit_problems", "<=", 0),
        ),
    )


def race(ground: Ground, count: int) -> Part:
    """Let every decision arrive at its deadline, give or take, while another process fires the deadlines.

    They come in rounds: asked all at once, the first deadlines would be over before the last question is asked.
    """
    began, found, lead = time.monotonic(), Counter[str](), _ASK_SECONDS * min(count, _ROUND)
    for start in range(0, count, _ROUND):
        asked, spacing = Asked("race", list(range(start, min(start + _ROUND, count)))), 0.05
        asking, first = time.monotonic(), time.time() + _SOON + lead
        ground.crew.alone(ground.order("ask", asked, first_due=first, spacing=spacing))
        lead = max(lead, 2 * (time.monotonic() - asking))
        until = max(first, time.time()) + spacing * _ROUND + _LATE
        answers, _ = ground.crew.together(
            ground.order("race", asked, first_due=first, spacing=spacing),
            ground.order("settle", asked, until=until),
        )
        found += _outcomes(ground.crew.alone(ground.order("look", asked)), set(answers["refused"]))
    return Part(
        {
            "races": count,
            "won_by_person": found[PERSON],
            "won_by_deadline": found[TIMER],
            "not_one_winner": count - found[PERSON] - found[TIMER] + found["disagree"],
            "not_in_audit": found["untold"],
            "audit_problems": found["problems"],
            "seconds": time.monotonic() - began,
        },
        (
            Aim("won_by_person", ">=", 1),
            Aim("won_by_deadline", ">=", 1),
            Aim("not_one_winner", "<=", 0),
            Aim("not_in_audit", "<=", 0),
            Aim("audit_problems", "<=", 0),
        ),
    )


def _outcomes(looked: dict[str, Any], refused: set[str]) -> Counter[str]:
    """Return who won how many races, and how many of them the rows, the answers and the audit do not tell alike."""
    winners = Counter(winner(end) for end in looked["ended"].values())
    agree = [(winner(end) == TIMER) == (name in refused) for name, end in looked["ended"].items()]
    told = [_both(looked["told"][name], name in refused) for name in looked["ended"]]
    faults = {"disagree": agree.count(False), "untold": told.count(False), "problems": len(looked["problems"])}
    return winners + Counter(faults)


def winner(end: dict[str, Any]) -> str:
    """Return who decided a question, if it was one alone."""
    wanted = {PERSON: ["approve"], TIMER: ["reject"]}
    [by] = end["by"] if len(end["by"]) == 1 else [""]
    return by if end["status"] == "decided" and end["decisions"] == wanted.get(by) else ""


def _both(told: list[str], was_refused: bool) -> bool:
    """Return whether the audit tells who won, and of an answer that came too late; a deadline that lost never was."""
    wanted = ["decision:refused", "timeout"] if was_refused else ["decision"]
    return sorted(kind for kind in told if kind != "question") == wanted


def deadlines(ground: Ground, count: int) -> Part:
    """Let deadlines pass while neither a process nor a server runs, and start everything again."""
    began = time.monotonic()
    asked = Asked("down", list(range(count)))
    first = time.time() + _SOON + _ASK_SECONDS * count
    ground.crew.alone(ground.order("ask", asked, first_due=first, spacing=0.001))
    ground.stop_all()
    time.sleep(max(0.0, first + 0.001 * count - time.time()) + 1)
    ground.start_all()
    started = time.time()
    # Two at once, so that a timer could fire twice if it were not one update that decides.
    both = ground.crew.together(*(ground.order("settle", asked, until=started + 60) for _ in range(2)))
    looked = ground.crew.alone(ground.order("look", asked))
    fired = [at - started for each in both for at in each["fired"].values()]
    once = [kinds.count("timeout") == 1 for kinds in looked["told"].values()]
    done = [winner(end) == TIMER for end in looked["ended"].values()]
    times = Counter(name for each in both for name in each["fired"])
    return Part(
        {
            "deadlines": count,
            "not_fired": done.count(False),
            "fired_twice": sum(n > 1 for n in times.values()) + sum(n > 1 for e in both for n in e["times"].values()),
            "not_noted_once": once.count(False),
            "seconds_after_start_p95": percentile(sorted(fired), 95),
            "seconds_after_start_worst": max(fired, default=0.0),
            "audit_problems": len(looked["problems"]),
            "seconds": time.monotonic() - began,
        },
        (
            Aim("not_fired", "<=", 0),
            Aim("fired_twice", "<=", 0),
            Aim("not_noted_once", "<=", 0),
            Aim("seconds_after_start_worst", "<=", 5),
            Aim("audit_problems", "<=", 0),
        ),
    )


def percentile(ordered: list[float], share: float) -> float:
    """Return the value that so many percent do not exceed; 0 where there is none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))] if ordered else 0.0
