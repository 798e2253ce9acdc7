"""Questions about a run, and what is known of it to answer them from."""

import re

from pydantic import BaseModel, ConfigDict, Field

_ASKS = re.compile(
    r"^(?:and\s+|but\s+|so\s+|ok(?:ay)?[,.]?\s+)?(?:what|why|how|who|whom|whose|when|where|which"
    r"|is|are|was|were|do|does|did|will|would|can|could|should|has|have|had)(?:n't)?\b",
    re.IGNORECASE,
)


_ORDERS = re.compile(
    r"^(?:and\s+|but\s+|so\s+|ok(?:ay)?[,.]?\s+)?do\s+(?:the|it|this|that|not|so|as|a|an|only)\b", re.IGNORECASE
)
"""What begins like a question and is an order."""


def is_question(text: str) -> bool:
    """Return whether a message asks something, by its last sign or its first word."""
    said = text.strip()
    return said.endswith("?") or bool(_ASKS.match(said) and not _ORDERS.match(said))


class RunFacts(BaseModel):
    """What is known of a run, in words, each list in the order in which a person reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goal: str
    state: str
    """How it stands: `running`, `waiting`, `stopped` or `ended`."""
    route: str = ""
    """Why it went the way it went."""
    asked: list[str] = Field(default_factory=list)
    """What a person is asked, one text for each request."""
    reasons: list[str] = Field(default_factory=list)
    """Why a person is asked."""
    expected: list[str] = Field(default_factory=list)
    """What that which is asked about is expected to take."""
    estimates: str = ""
    """What the whole plan was expected to take."""
    undo: list[str] = Field(default_factory=list)
    """Whether it can be taken back."""
    rationale: str = ""
    """Why the plan is as it is."""
    done: list[str] = Field(default_factory=list)
    """Steps that have ended, and how."""
    current: list[str] = Field(default_factory=list)
    """Steps at work."""
    left: list[str] = Field(default_factory=list)
    """Steps that are still to come."""
    changed: list[str] = Field(default_factory=list)
    """What was changed outside."""
    spent: str = ""
    """Time and cost so far."""
    trouble: list[str] = Field(default_factory=list)
    """What went wrong."""
    sources: list[str] = Field(default_factory=list)
    answer: str = ""
    """Of a run that has ended."""

    def sections(self) -> list[tuple[str, list[str]]]:
        """Return everything that is known, with headings."""
        told = [
            ("Goal", [self.goal]),
            ("State", [self.state]),
            ("Why it goes this way", [self.route, self.rationale]),
            ("What the person is asked", self.asked),
            ("Why they are asked", self.reasons),
            ("Expected of what is asked about", self.expected),
            ("Expected of the whole plan", [self.estimates]),
            ("Taking it back", self.undo),
            ("Done", self.done),
            ("At work", self.current),
            ("Still to come", self.left),
            ("Changed outside", self.changed),
            ("Spent so far", [self.spent]),
            ("Went wrong", self.trouble),
            ("Sources", self.sources),
            ("Answer", [self.answer]),
        ]
        return [(head, kept) for head, lines in told if (kept := [line for line in lines if line])]
