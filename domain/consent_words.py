"""The words with which a consent is given or refused."""

import re
from typing import Literal

GIVE_CONSENT = "give_consent"
"""Name of the question for a consent (`domain.consent.consent_request`)."""
Answer = Literal["always", "this time", "never"]

_WORDS: tuple[tuple[Answer, re.Pattern[str]], ...] = (
    ("always", re.compile(r"(yes,? )?(always|for good)", re.IGNORECASE)),
    (
        "this time",
        re.compile(r"(yes,? )?((only |just )?(this|the) time|this_time|once|for now)( only)?", re.IGNORECASE),
    ),
    ("never", re.compile(r"(no,? )?never( again)?", re.IGNORECASE)),
)


def said_consent(text: str) -> Answer | None:
    """Return which of the answers somebody's words are, or None for any others."""
    said = text.strip().rstrip(".! ")
    return next((answer for answer, words in _WORDS if words.fullmatch(said)), None)
