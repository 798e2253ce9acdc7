"""Whom a text makes its reader contact, and which numbers of people and accounts it carries. Pure."""

import html
import re

from domain.disguises import without_invisible

_ADDRESS = re.compile(r"[^\s<>,;:\"'()\[\]|*`]+@[^\s<>,;:\"'()\[\]|*`]+\w")
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"')\]|`]+|(?<![:/\w])//[\w-]+\.[\w-][^\s<>\"')\]|`]*|\bwww\.[^\s<>\"')\]|`]+",
    re.IGNORECASE,
)
_REMOTE = r"\s*<?\s*((?:[a-z][a-z0-9+.-]*:)?(?://|\\\\)[^\s<>\"')]+)"
_LOADED = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        rf"!\[[^\]]*\]\({_REMOTE}",
        rf"^[ \t]*\[[^\]]+\]:{_REMOTE}",
        rf"<(?:img|iframe|frame|script|link|video|audio|source|track|embed|object|form|input|body|base|image|use)\b"
        rf"[^>]*?\b(?:src|srcset|href|data|action|poster|background)\s*=\s*[\"']?{_REMOTE}",
        rf"\burl\(\s*[\"']?{_REMOTE}",
        rf"@import\s+[\"']{_REMOTE}",
    )
)
_BROKEN_SCHEME = re.compile(r"(?<=[a-zA-Z:/])[\t\r\n]+(?=[a-zA-Z:/]*:?//)")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b")
_IDENTIFIER = re.compile(
    r"(?<![\w.,])(?:[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,}(?: ?[A-Z0-9]{1,4})?|[A-Za-z]{1,4}\d(?:[ -]?\d){4,}"
    r"|\+?\d(?:[ -]?\d){8,})(?!\w|[.,]\d)"
)


def links_in(text: str) -> list[str]:
    """Return the addresses and links that stand in a text, each once; hidden ones too."""
    clean = _clean(text)
    found = [link.rstrip(".,;:!?") for link in _LINK.findall(clean)] + _ADDRESS.findall(clean)
    return list(dict.fromkeys(found))


def loaded_in(text: str) -> list[str]:
    """Return what somebody's viewer loads from elsewhere when it shows a text: images, frames, scripts, styles."""
    clean = _clean(text)
    return list(dict.fromkeys(link for pattern in _LOADED for link in pattern.findall(clean)))


def _clean(text: str) -> str:
    """Return a text as a viewer reads it: entities resolved, nothing invisible, no line break inside a scheme."""
    return _BROKEN_SCHEME.sub("", without_invisible(html.unescape(text)))


def identifiers_in(text: str) -> list[str]:
    """Return what looks like the number of a card, an account, a passport or a telephone, each once.

    These are IBANs, nine digits or more, or five or more behind one to four letters; dates and amounts are none.
    """
    return list(dict.fromkeys(_IDENTIFIER.findall(_DATE.sub(" ", without_invisible(text)))))
