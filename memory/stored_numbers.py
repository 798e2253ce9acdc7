"""Numbers that are read from records: finite, of a sane size, and of the right count."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from memory.calibration import MatchModel

LEAST_SCALE = 1e-6
"""Smaller scales would blow the numbers up that are divided by them."""

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]


class StoredModel(BaseModel):
    """A match model as it is stored; whoever reads one says of how many signals it is."""

    model_config = ConfigDict(extra="forbid")

    mean: list[Number]
    scale: list[Number]
    weights: list[Number]
    intercept: Number

    def check(self, signals: int) -> None:
        """Raise `ValueError` unless it is a model of so many signals with scales to divide by."""
        if {len(self.mean), len(self.scale), len(self.weights)} != {signals}:
            raise ValueError("the model is of another number of signals")
        if min(self.scale) < LEAST_SCALE:
            raise ValueError("a scale is not positive")

    def model(self) -> MatchModel:
        """Return the model."""
        return MatchModel(tuple(self.mean), tuple(self.scale), tuple(self.weights), self.intercept)
