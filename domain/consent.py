"""Consent: what a person has agreed to, by scope: always, this time, or never.

A scope is a word that steps, tools, materials and resources name (`personal_data`, `camera`). Who is asked may say
"always", "this time" or "never"; a plain yes means this time, and a plain no refuses for this run without keeping it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.approvals import ActionRequest, Decision
from domain.consent_words import GIVE_CONSENT, Answer, said_consent
from domain.errors import InvalidConsent, InvalidDecision

Move = Literal["always", "never", "revoked"]
Standing = Literal["always", "never"]
PREFIX = "consent:"
"""How the ids of questions for a consent begin; the scope follows."""
SCOPE = r"^[a-z][a-z0-9_.-]{0,59}$"


class Consent(BaseModel):
    """One move of a person: a consent given or refused for good, or taken back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = 0
    """Its place in the workspace's log, from 1."""
    user: str
    """Whose consent it is."""
    scope: str = Field(max_length=60)
    move: Move
    by: str = ""
    """Who said so."""
    time: float
    run: str = ""
    """The run that asked; empty where nobody did."""


def scope_of(words: str) -> str:
    """Return the scope that words mean, as a planner writes them ("Personal data"); none at all mean `unnamed`."""
    plain = re.sub(r"[^a-z0-9_.-]+", "_", words.strip().casefold()).strip("_.-")[:60]
    return plain if re.fullmatch(SCOPE, plain) else f"scope_{plain}"[:60].rstrip("_.-") if plain else "unnamed"


def checked_scope(scope: str) -> str:
    """Return a scope, or raise `InvalidConsent` where it cannot be one."""
    if not re.fullmatch(SCOPE, scope):
        msg = f"{scope!r:.80} is no scope: use a-z, 0-9, '_', '.' and '-', a letter first, at most 60 characters"
        raise InvalidConsent(msg)
    return scope


def holding(moves: Iterable[Consent]) -> list[Consent]:
    """Return the moves that hold, of moves in their order: of each person and scope the last, unless it takes back."""
    last = {(move.user, move.scope): move for move in moves}
    return [move for move in last.values() if move.move != "revoked"]


def standing(moves: Iterable[Consent], user: str) -> dict[str, Standing]:
    """Return what a person's moves, oldest first, come to: by scope what holds until it is taken back."""
    return {m.scope: m.move for m in holding(moves) if m.user == user and m.move != "revoked"}


def consent_request(scope: str, purposes: Sequence[str]) -> ActionRequest:
    """Return the question for a consent; the same scope is the same question, whichever steps need it."""
    wanted = "; ".join(dict.fromkeys(purposes))
    return ActionRequest(
        id=f"{PREFIX}{scope}",
        name=GIVE_CONSENT,
        args={"scope": scope, "answer": "this time"},
        types={"scope": "string", "answer": "string"},
        description=f"Your consent to {scope!r} is needed: {wanted}.\n"
        "Answer 'always', 'this time' or 'never'; yes is this time, no is not this time.",
    )


def answer_of(decision: Decision) -> Answer | None:
    """Return what a person answered to a question for a consent; None is a no that is not kept.

    Raises:
        InvalidDecision: It is none of the answers there are; the question stays open.
    """
    match decision.type:
        case "approve":
            return "this time"
        case "edit":
            said = said_consent(str((decision.args or {}).get("answer", "")))
        case "respond":
            said = said_consent(decision.message)
        case "reject":
            return "never" if said_consent(decision.message) == "never" else None
    if said is None:
        msg = "a consent is given 'always' or 'this time', or 'never'"
        raise InvalidDecision(msg)
    return said
