"""What people decided earlier: kinds of acts that are alike, and the decisions on them. Pure."""

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.approvals import DecisionType
from domain.targets import PATH_NAMES, is_short, leaves, recipients_in

DecisionOutcome = Literal["open", "done", "failed", "undone"]
"""What came of the act: `open` until it is known, and for good where it was rejected."""
MAX_SCOPE = 300
"""Characters of a scope; a longer one is cut, which makes more acts alike only among very long ones."""


class ActKind(BaseModel):
    """Acts that are alike: one tool in one scope."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str
    """The tool, or `review_plan`, `review_step`, `review_result`, `perform_step`."""
    scope: str = ""
    """To whom or where: recipients, else folders of paths; empty where the arguments name neither."""

    def __str__(self) -> str:
        return f"{self.tool} → {self.scope}" if self.scope else self.tool


class PastDecision(BaseModel):
    """One decision of a person, or of the clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    """The same for the same decision noted twice."""
    kind: ActKind
    type: DecisionType
    edited: tuple[str, ...] = ()
    """Names of the arguments that were changed."""
    by: str
    """The user; `timeout` for the clock."""
    time: float
    """Unix time in seconds."""
    outcome: DecisionOutcome = "open"
    message: str = Field(default="", max_length=300)
    """Why it was rejected."""
    run: str = ""
    step: str = ""
    """Id of what was asked: a step, `plan`, `result`."""
    thread: str = ""

    @property
    def unedited(self) -> bool:
        """Whether it was approved as it was proposed."""
        return self.type == "approve" and not self.edited


def kind_of(tool: str, args: Mapping[str, Any]) -> ActKind:
    """Return the kind of an act; acts that go to other people or other folders are of other kinds."""
    scope = sorted(set(recipients_in(args))) or sorted({*_folders(args)})
    return ActKind(tool=tool, scope=", ".join(scope)[:MAX_SCOPE])


def _folders(args: Mapping[str, Any]) -> Iterable[str]:
    """Yield the folders of everything that is called a path or a file."""
    for name, text in leaves(args):
        if name.casefold() in PATH_NAMES and is_short(text):
            plain = posixpath.normpath(text.strip().replace("\\", "/"))
            folder = plain if name.casefold() in ("folder", "directory", "dir") else posixpath.dirname(plain)
            yield f"{folder or '.'}/"


def in_words(decision: PastDecision, now: float) -> str:
    """Return a past decision as whoever decides next is told of it.

    Args:
        decision: The decision.
        now: Unix time in seconds.
    """
    did = {"approve": "approved", "edit": "edited", "reject": "rejected", "respond": "sent back"}[decision.type]
    edited = f" ({', '.join(decision.edited)})" if decision.edited else ""
    came = {"open": "", "done": ", and it was done", "failed": ", and it failed", "undone": ", and it was undone"}
    why = f": {decision.message}" if decision.message else ""
    return f"{_ago(now - decision.time)} {decision.by} {did}{edited} {decision.kind}{why}{came[decision.outcome]}"


def _ago(seconds: float) -> str:
    for unit, size in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
