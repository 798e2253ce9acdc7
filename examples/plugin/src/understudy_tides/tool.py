"""A tool: the height of the tide at an hour."""

import math
from typing import Annotated

from pydantic import Field
from understudy.plugins import ToolDeclaration

MEAN, RANGE = 3.0, 2.0
"""Metres."""
PERIOD = 12.42
"""Hours from one high water to the next."""

Hour = Annotated[float, Field(ge=0, le=24)]


def tide_height(hour: Hour) -> dict[str, float]:
    """Tell how high the water stands in the harbour.

    Args:
        hour: Hour of the day, 0 to 24.
    """
    height = MEAN + RANGE * math.cos(2 * math.pi * hour / PERIOD)
    return {"hour": hour, "metres": round(height, 2)}


TIDE_HEIGHT = ToolDeclaration(
    name="tide_height",
    origin="function",
    target="understudy_tides.tool:tide_height",
    effect="none",
    level="HIGH",
    capability="tides",
)
