"""Budgets and prices: what may be consumed, and what it costs."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Measure = Literal["calls", "tokens", "dollars", "seconds"]
MEASURES: tuple[Measure, ...] = ("calls", "tokens", "dollars", "seconds")


class Budget(BaseModel):
    """What may be consumed at most; None sets no bound."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: int | None = Field(default=None, ge=0)
    """Calls of models."""
    tokens: int | None = Field(default=None, ge=0)
    """In and out."""
    dollars: float | None = Field(default=None, ge=0)
    """A model whose price is unknown may not be called while this is bounded."""
    seconds: float | None = Field(default=None, gt=0)
    """Time at work; waiting for a person does not count."""

    @property
    def bounds(self) -> dict[Measure, float]:
        """The measures that are bounded."""
        limits = {measure: getattr(self, measure) for measure in MEASURES}
        return {measure: limit for measure, limit in limits.items() if limit is not None}

    def within(self, other: "Budget") -> "Budget":
        """Return the narrower bound of both for each measure."""
        both = [*self.bounds.items(), *other.bounds.items()]
        return Budget.model_validate({m: min(limit for name, limit in both if name == m) for m, _ in both})


class Budgets(BaseModel):
    """The budgets of whatever consumes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: Budget = Budget()
    step: Budget = Budget()
    """Of each step, all its attempts together."""
    workspace: Budget = Budget()
    """Of all runs of a workspace in one day (UTC)."""

    def within(self, other: "Budgets") -> "Budgets":
        """Return the narrower bounds of both."""
        return Budgets(
            run=self.run.within(other.run),
            step=self.step.within(other.step),
            workspace=self.workspace.within(other.workspace),
        )


class Price(BaseModel):
    """What a model costs, in dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0)
    output: float = Field(ge=0)


Prices = Mapping[str, Price]
"""By model, written `provider:name`."""


def cost_of(model: str, input_tokens: int, output_tokens: int, prices: Prices) -> float | None:
    """Return the dollars that tokens of a model cost, or None where its price is unknown."""
    price = prices.get(model)
    if price is None:
        return None
    return (input_tokens * price.input + output_tokens * price.output) / 1_000_000


class Amount(NamedTuple):
    """What was, or may be, consumed."""

    calls: int = 0
    tokens: int = 0
    dollars: float | None = 0.0
    """None: unknown."""
    seconds: float = 0.0

    def plus(self, other: "Amount", sign: int = 1) -> "Amount":
        """Return both together, or with `sign` -1 what is left without the other."""
        known = self.dollars is not None and other.dollars is not None
        return Amount(
            calls=self.calls + sign * other.calls,
            tokens=self.tokens + sign * other.tokens,
            dollars=(self.dollars or 0.0) + sign * (other.dollars or 0.0) if known else None,
            seconds=self.seconds + sign * other.seconds,
        )
