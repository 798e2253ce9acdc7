"""Figures of confidence: how well it orders answers, what a threshold lets through, and whether it is true."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import InvalidSettings
from domain.routing import REUSE_ABOVE

Array = npt.NDArray[Any]
BINS = 10


class Answers(NamedTuple):
    """What was said to each request; every field has the shape [requests]."""

    confidence: Array
    right: Array
    """Whether the sequence was the request's own."""
    known: Array
    """Whether memory holds the request's route."""


class Bin(NamedTuple):
    """The answers of a tenth of the scale of confidence."""

    confidence: float
    """Mean."""
    right: float
    """Share."""
    share: float
    """Of all answers."""


def figures(answers: Answers) -> dict[str, Any]:
    """Return accuracy, AUROC, what is reused, coverage at a precision, and ECE."""
    return {
        "accuracy": _share(answers.right, answers.known),
        "auroc": auroc(answers),
        f"at_{REUSE_ABOVE}": reuse(answers),
        "coverage_at_precision": {str(p): coverage_at(answers, p) for p in (0.95, 0.98)},
        "ece": calibration_error(answers.confidence, answers.right),
    }


def auroc(answers: Answers) -> float | None:
    """Return P(a right answer has more confidence than a wrong one); None where all are alike."""
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # ships no types

    if answers.right.all() or not answers.right.any():
        return None
    return float(roc_auc_score(answers.right, answers.confidence))


def reuse(answers: Answers) -> dict[str, float | None]:
    """Return what reuse above the threshold does: None is the share of nothing."""
    reused = answers.confidence > REUSE_ABOVE
    return {
        "precision": _share(answers.right, reused),
        "coverage": _share(reused, answers.known),
        "unknown_reused": _share(reused, ~answers.known),
    }


def coverage_at(answers: Answers, precision: float) -> float:
    """Return the largest share of known requests above a threshold whose precision is reached."""
    order = np.argsort(-answers.confidence, kind="stable")
    reached = np.cumsum(answers.right[order]) / np.arange(1, len(order) + 1) >= precision
    # A threshold cannot part answers of one confidence.
    last_of_tie = np.append(np.diff(answers.confidence[order]) != 0, True)
    cuts = np.flatnonzero(reached & last_of_tie)
    known = answers.known[order]
    return float(known[: cuts[-1] + 1].sum() / known.sum()) if len(cuts) and known.any() else 0.0


def bins(confidence: Array, right: Array) -> list[Bin]:
    """Return the tenths that hold answers."""
    tenth = np.minimum((confidence * BINS).astype(int), BINS - 1)
    chosen = [tenth == b for b in range(BINS) if (tenth == b).any()]
    return [Bin(float(confidence[c].mean()), float(right[c].mean()), float(c.mean())) for c in chosen]


def calibration_error(confidence: Array, right: Array) -> float:
    """Return the expected calibration error over ten bins (Naeini et al., AAAI 2015)."""
    return sum(abs(b.confidence - b.right) * b.share for b in bins(confidence, right))


def draw(answers: Answers, path: Path) -> None:
    """Write the reliability diagram as a PNG.

    Raises:
        InvalidSettings: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InvalidSettings("the diagram needs matplotlib: pip install 'understudy[plots]'") from error
    found = bins(answers.confidence, answers.right)
    figure = Figure(figsize=(5.5, 5.5), layout="constrained")
    # Room beyond 0 and 1, so that the marks there are whole.
    axes = figure.add_subplot(xlabel="confidence", ylabel="share that was right", xlim=(-0.1, 1.1), ylim=(-0.1, 1.1))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="as sure as right")
    axes.axvline(REUSE_ABOVE, color="grey", linestyle=":", label=f"reused above {REUSE_ABOVE:g}")
    axes.scatter(
        [b.confidence for b in found], [b.right for b in found], s=[1500 * b.share + 10 for b in found], alpha=0.7,
        zorder=3,
    )  # fmt: skip
    axes.plot([], [], "o", color="C0", alpha=0.7, label="a tenth of confidence; area: its requests")
    figure.legend(loc="outside lower center", fontsize=8)
    axes.set_title(f"ECE {calibration_error(answers.confidence, answers.right):.3f}, {len(answers.right)} requests")
    figure.savefig(path, format="png", dpi=120)


def _share(what: Array, among: Array) -> float | None:
    return float(what[among].mean()) if among.any() else None


def answers_of(rows: Sequence[tuple[float, bool, bool]]) -> Answers:
    """Return rows of confidence, right and known as answers."""
    confidence, right, known = zip(*rows, strict=True)
    return Answers(np.array(confidence), np.array(right, bool), np.array(known, bool))
