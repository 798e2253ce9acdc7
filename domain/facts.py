"""What a person is told so that a decision needs no further look-up."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.plans import Privacy

Undo = Literal["nothing_changes", "undoable", "final"]
"""Whether what is decided about can be taken back: it changes nothing, it can, or it cannot."""


_UNDO: Mapping[Undo, str] = {
    "nothing_changes": "not needed: nothing outside is changed",
    "undoable": "possible",
    "final": "not possible",
}


class Facts(BaseModel):
    """What would happen, and what speaks for and against it; filled by code, never by a model."""

    model_config = ConfigDict(extra="forbid")

    what: str = ""
    """What will happen, in words; the question begins with it."""
    to: list[str] = Field(default_factory=list)
    """Recipients, as the arguments name them."""
    data: list[str] = Field(default_factory=list)
    """Which data goes into it: earlier steps, the draft, sources."""
    privacy: Privacy = "internal"
    """How private that data is."""
    cost: dict[str, float] = Field(default_factory=dict)
    """What it is expected to take: `dollars`, `seconds`, `calls`, `tokens`; what is unknown is left out."""
    undo: Undo = "final"
    rationale: str = ""
    """Why the plan is as it is."""
    scores: dict[str, float] = Field(default_factory=dict)
    """What the critic gave, 0-1; `overall` and by aspect."""
    issues: list[str] = Field(default_factory=list)
    """What the critic found wrong."""
    why: list[str] = Field(default_factory=list)
    """Why a person is asked: every checkpoint's reason, and what else there is to look at; the question says it too."""
    past: list[str] = Field(default_factory=list)
    """Earlier decisions on the like, the latest first."""

    def lines(self) -> list[tuple[str, str]]:
        """Return what is known beside the question itself as labelled lines, in the order in which a person reads."""
        cost = ", ".join(f"{amount:.4g} {measure}" for measure, amount in self.cost.items())
        scores = ", ".join(f"{aspect} {score:.2f}" for aspect, score in self.scores.items())
        told = [
            ("to", ", ".join(self.to)),
            ("with", "; ".join([*self.data, f"{self.privacy} data"])),
            ("expected", cost),
            ("undo", _UNDO[self.undo]),
            ("rationale", self.rationale),
            ("critic", "; ".join(part for part in (scores, *self.issues) if part)),
            *(("earlier", past) for past in self.past),
        ]
        return [(label, text) for label, text in told if text]
