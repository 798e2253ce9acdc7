"""Which of a team's resources could do a step, and in which order: feasibility first, then score and placement."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from domain.plans import Step
from domain.resources import Placement, Resource, hindrance

LOCAL_PREFERENCE = 0.8
"""What the score of a cloud resource counts beside that of a local one; a private one stands between them."""
_PLACEMENT: Mapping[Placement, float] = {"local": 1.0, "private": (1 + LOCAL_PREFERENCE) / 2, "cloud": LOCAL_PREFERENCE}
_LARGEST_WEIGHT = 0.8
_FULL_AT = 100
ENOUGH = 10
"""Tries after which a measured time is believed."""
_PRICE = 0.1
"""What the dearest resource's cost takes off its score."""


class Seen(NamedTuple):
    """What was measured of a resource in a workspace."""

    n: int = 0
    errors: int = 0
    seconds: float = 0.0
    """Sum over the successes."""

    @property
    def latency(self) -> float | None:
        """Mean seconds of a success, or None without one."""
        done = self.n - self.errors
        return self.seconds / done if done else None


class Offer(NamedTuple):
    """A resource that could do the step."""

    resource: Resource
    score: float
    """After placement and price; only comparable within one step."""
    seconds: float
    """Expected time."""
    measured: float | None = None
    """Mean time of a success, once there were `ENOUGH`."""

    def __str__(self) -> str:
        r = self.resource
        return f"{r.name} ({r.kind}, {r.placement}): score {self.score:.2f}, {self.seconds:.3g} s, {r.dollars:g} $"


class Offers(NamedTuple):
    """What the team has for a step."""

    ranked: Sequence[Offer]
    """Best first."""
    refused: Mapping[str, str]
    """Why each resource that serves the step cannot be given it, by name."""


def offers_for(
    step: Step,
    wanted: frozenset[str],
    resources: Sequence[Resource],
    seen: Mapping[str, Seen],
    broken: Sequence[str] = (),
) -> Offers:
    """Return the resources that could do a step, ranked.

    score = (c(1 - w) + w(0.4 success + 0.3(1 - latency) + 0.3(1 - error))) placement - price, w = min(0.8, n/100):
    the selection formula of `agents.delegation.policies.source` with what is declared and measured of the resource,
    where latency is relative to the slowest candidate's. Privacy and consent are no part of the score: a resource that
    may not see the data is refused. One that is broken comes last, since it may have recovered.
    """
    serving = [r for r in resources if "*" in r.serves or wanted & set(r.serves)]
    hindrances = {r.name: hindrance(r, step, wanted) for r in serving}
    able = [r for r in serving if not hindrances[r.name]]
    seconds = {r.name: seen.get(r.name, Seen()).latency or r.seconds for r in able}
    slowest, dearest = max(seconds.values(), default=1.0), max((r.dollars for r in able), default=0.0)

    def offer(resource: Resource) -> Offer:
        merit = _merit(resource, seen.get(resource.name, Seen()), seconds[resource.name] / slowest)
        price = _PRICE * resource.dollars / dearest if dearest else 0.0
        known = seen.get(resource.name, Seen())
        measured = known.latency if known.n >= ENOUGH else None
        return Offer(resource, merit * _PLACEMENT[resource.placement] - price, seconds[resource.name], measured)

    ranked = sorted(map(offer, able), key=lambda o: (o.resource.name in broken, -o.score, o.resource.name))
    return Offers(ranked, {name: why for name, why in hindrances.items() if why})


def _merit(resource: Resource, seen: Seen, latency: float) -> float:
    weight = min(_LARGEST_WEIGHT, seen.n / _FULL_AT)
    error = seen.errors / seen.n if seen.n else 0.0
    measured = 0.4 * (1 - error) + 0.3 * (1 - latency) + 0.3 * (1 - error)
    return resource.skill * (1 - weight) + weight * measured
