"""Draw how the regret against the best fixed arm grows along a stream."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from agents.delegation.arms import Floats
from domain.errors import UserError


def draw(curves: Mapping[str, Floats], *, rows: int, price: float, path: Path) -> None:
    """Write a PNG with one line a policy, the mean over seeds with its 95 % interval.

    Args:
        curves: Cumulative regret by policy, each of shape [seeds, points].
        rows: Length of the stream.
        price: For the title.
        path: Where the file goes.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "drawing needs matplotlib; install it with: pip install 'understudy[plots]'"
        raise UserError(msg) from error
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    for policy, values in curves.items():
        mean, half = values.mean(0), 1.96 * values.std(0) / np.sqrt(len(values))
        steps = np.linspace(1, rows, len(mean))
        (line,) = axes.plot(steps, mean, label=policy)
        axes.fill_between(steps, mean - half, mean + half, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.axhline(0, color="black", linewidth=0.8, label="best fixed arm")
    axes.set(xlabel="requests", ylabel="cumulative regret", title=f"Regret against the best fixed arm, price {price:g}")
    axes.legend()
    figure.savefig(path, format="png", dpi=120)
