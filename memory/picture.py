"""Where tasks stand in a picture: their vectors on the two axes along which they differ most. Pure."""

from typing import NamedTuple

import numpy as np

from memory.encoders import Vectors


class Picture(NamedTuple):
    """Places on a plane."""

    places: Vectors
    """Shape [vectors, 2], both coordinates within -1..1; all in the middle where nothing tells them apart."""
    shown: float
    """Share of the variance along the two axes, 0-1."""


def pictured(vectors: Vectors) -> Picture:
    """Return a place for each vector: its first two principal components.

    The same vectors have the same places: an axis points to where its largest weight is positive.

    Args:
        vectors: Shape [vectors, dimension].
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64) if len(vectors) else vectors
    if len(vectors) < 2 or not np.abs(centred).max() > 1e-9:
        return Picture(np.zeros((len(vectors), 2), np.float32), 1.0)
    weights, axes = np.linalg.eigh(centred.T @ centred)
    order = np.argsort(-weights, kind="stable")[:2]
    axes = axes[:, order]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])])
    placed = centred @ axes
    if placed.shape[1] < 2:
        placed = np.hstack([placed, np.zeros((len(vectors), 1))])
    places: Vectors = (placed / np.abs(placed).max()).astype(np.float32)
    return Picture(places, float(weights[order].sum() / weights.sum()))
