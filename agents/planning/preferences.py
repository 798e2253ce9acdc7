"""What counts in the choice of a plan: the team's weights, over them the installation's, over them the person's. Pure.

A profile says what it wants in its preferences: `weight_quality`, `weight_latency`, `weight_cost` and `weight_privacy`
with a number from 0 to 100, or in words `quality_first`, `speed_first`, `cost_first` or `privacy_first` with `true`,
which gives that aim as much weight as all others together.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import ValidationError

from agents.team import Weights
from domain.budgets import MEASURES, Budget

_FIRST = {"quality_first": "quality", "speed_first": "latency", "cost_first": "cost", "privacy_first": "privacy"}
_TRUE = frozenset({"true", "yes", "1", "on"})


class Preference(NamedTuple):
    """The weights in force and who set them."""

    weights: Weights
    source: str
    """`the weights of the team`, `of the settings` or `of your preferences`."""


def preference(team: Weights, settings: Mapping[str, float], profile: Mapping[str, str]) -> Preference:
    """Return the weights in force; a preference that is not a usable number is passed over.

    Args:
        team: The team file's weights.
        settings: Weights of the installation by name, each over the team's.
        profile: The person's preferences.
    """
    weights, source = team, "the weights of the team"
    if settings:
        weights, source = Weights.model_validate(weights.model_dump() | dict(settings)), "the weights of the settings"
    for name in Weights.model_fields:
        if (changed := _with(weights, name, profile.get(f"weight_{name}"))) is not None:
            weights, source = changed, "the weights of your preferences"
    for wish, name in _FIRST.items():
        if profile.get(wish, "").strip().lower() in _TRUE:
            others = sum(value for other, value in weights.model_dump().items() if other != name)
            weights = weights.model_copy(update={name: max(getattr(weights, name), others)})
            source = "the weights of your preferences"
    return Preference(weights, source)


def _with(weights: Weights, name: str, value: str | None) -> Weights | None:
    if value is None:
        return None
    try:
        return Weights.model_validate(weights.model_dump() | {name: value})
    except ValidationError:
        return None


def budget_for(team: Budget, briefing: Mapping[str, float]) -> dict[str, float]:
    """Return the bounds by measure (`domain.budgets.MEASURES`); of two for one measure the lower one holds."""
    bounds: dict[str, float] = dict(team.bounds.items())
    for measure in MEASURES:
        if measure in briefing:
            bounds[measure] = min(briefing[measure], bounds.get(measure, briefing[measure]))
    return bounds
