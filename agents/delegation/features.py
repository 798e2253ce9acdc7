"""What selection knows of a request's text: a few signs on its surface and the head of its embedding."""

import re
from collections.abc import Sequence

import numpy as np

from agents.delegation.arms import Floats
from memory.encoders import Encoder

SURFACE = 3
"""Leading columns: length, how many numbers, how much of it is neither letter nor space."""
HEAD = 32
"""Columns of the embedding that are kept; encoders of the Matryoshka kind put most into the first ones."""
WIDTH = SURFACE + HEAD
_NUMBER = re.compile(r"\d+")
_SYMBOL = re.compile(r"[^\w\s]|\d")


def features(goals: Sequence[str], encoder: Encoder) -> Floats:
    """Return what is known of each goal, shape [goals, WIDTH], every column of the order of 1; blocking.

    The head of a unit embedding is scaled to length 1 again (Kusupati et al., Matryoshka Representation Learning,
    NeurIPS 2022).
    """
    head = np.asarray(encoder.encode(goals), np.float64)[:, :HEAD]
    head = np.pad(head, ((0, 0), (0, HEAD - head.shape[1])))
    norms = np.linalg.norm(head, axis=1, keepdims=True)
    return np.hstack(
        [np.array([_surface(goal) for goal in goals]).reshape(-1, SURFACE), head / np.maximum(norms, 1e-9)]
    )


def _surface(goal: str) -> tuple[float, float, float]:
    numbers, symbols = len(_NUMBER.findall(goal)), len(_SYMBOL.findall(goal))
    # Around 100 characters and one number are taken as the middle, so that the intercept means an ordinary request.
    return np.log1p(len(goal)) - 4.6, np.log1p(numbers) - 0.7, 5 * symbols / (len(goal) + 1) - 0.3
