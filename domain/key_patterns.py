"""Keys and tokens in a text: by the marks that their issuers give them, and by what they are assigned to."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from domain.findings import Finding

_MARKED = re.compile(
    r"""
    (?<![A-Za-z0-9_]) (?:
        (?: AKIA | ASIA | ABIA | ACCA | AROA | AIDA | AGPA ) [A-Z0-9]{16}      # AWS
      | gh[pousr]_ [A-Za-z0-9]{20,255}+ | github_pat_ [A-Za-z0-9_]{20,255}+    # GitHub
      | gl(?:pat|rt|ptt|dt) - [A-Za-z0-9_\-]{16,255}+                          # GitLab
      | sk- [A-Za-z0-9_\-]{20,255}+                                            # OpenAI, Anthropic
      | us_ [0-9a-f]{12} _ [A-Za-z0-9]{40,64}+                                 # Understudy
      | [srp]k_ (?:live|test) _ [A-Za-z0-9]{16,255}+ | whsec_ [A-Za-z0-9]{16,255}+  # Stripe
      | xox[abcdeoprs] - [A-Za-z0-9\-]{10,255}+ | xapp- [A-Za-z0-9\-]{10,255}+ # Slack
      | AIza [A-Za-z0-9_\-]{35} | ya29\. [A-Za-z0-9_\-]{20,512}+ | GOCSPX- [A-Za-z0-9_\-]{20,64}+  # Google
      | (?: npm | hf ) _ [A-Za-z0-9]{30,255}+ | pypi-[A-Za-z0-9_\-]{16,512}+
      | SG\. [A-Za-z0-9_\-]{16,64}+ \. [A-Za-z0-9_\-]{16,64}+                  # SendGrid
      | [0-9]{8,10} : AA [A-Za-z0-9_\-]{33}                                    # Telegram
      | eyJ [A-Za-z0-9_\-]{8,4096}+ \. [A-Za-z0-9_\-]{8,8192}+ (?: \. [A-Za-z0-9_\-]{0,8192}+ )?  # JWT
    )
    | hooks\.slack\.com/services/ [A-Za-z0-9/]{20,255}+
    """,
    re.VERBOSE,
)
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_WORDS = ("key", "secret", "token", "passw", "passphrase", "pwd", "credential")
_SCHEMES = ("bearer", "basic", "apikey")
"""Searched for first, which takes a tenth of the time of the patterns."""
_ASSIGNED = re.compile(
    r"""
    (?P<name> (?i: api[_\- ]?key | access[_\-]?key | private[_\-]?key | account[_\-]?key | secret | token
                 | passw(?:or)?d | passwort | passphrase | pwd | credential ) )
    [\w\-]{0,30} \\?["']? \s{0,3} (?: => | := | [:=] ) \s{0,3} \\?["']?
    (?P<value> [^\s"'\\,;<>(){}\[\]]{6,512}+ )
    """,
    re.VERBOSE,
)
_CARRIED = re.compile(r"(?i:\b(?:bearer|basic|apikey))\s{1,3}(?P<value>[A-Za-z0-9._~+/\-]{16,4096}+={0,2})")
_IN_URL = re.compile(r"://[^\s:/@\"'<>]{0,128}+:(?P<value>[^\s/@\"'<>]{1,256}+)@")
_NO_VALUE = re.compile(
    r"[\d.,:]+%?|\d{4}-\d\d-\d\d.*|[./~$%*].*|.*\w\.\w+\.\w.*|\w+://.*|x{4,}.*|\.{3}.*", re.IGNORECASE
)
"""Numbers, dates, paths, variables, attributes of objects, addresses, and what somebody has crossed out already."""
_BITS = 2.8
"""Bits a character from which on a value is taken for a random one; English words have about 2.5 in ten letters."""


def keys(text: str) -> Iterator[Finding]:
    """Yield the places of keys and tokens; of an assignment that of its value alone."""
    yield from _blocks(text)
    for match in _MARKED.finditer(text):
        yield Finding("key", *match.span())
    lower = text.lower()
    for match in _ASSIGNED.finditer(text) if any(word in lower for word in _WORDS) else ():
        worded = match["name"].lower().startswith(("passw", "passp", "pwd"))
        if is_random(match["value"]) or (worded and _is_password(match["value"])):
            yield Finding("key", *match.span("value"))
    for match in _CARRIED.finditer(text) if any(word in lower for word in _SCHEMES) else ():
        if is_random(match["value"]):
            yield Finding("key", *match.span("value"))
    for match in _IN_URL.finditer(text) if "://" in text else ():
        yield Finding("key", *match.span("value"))


def _blocks(text: str) -> Iterator[Finding]:
    """Yield PEM blocks; of one without an end everything that follows."""
    end = 0
    while begin := _BEGIN.search(text, end):
        closing = _END.search(text, begin.end())
        end = closing.end() if closing else len(text)
        yield Finding("key", begin.start(), end)


def is_random(value: str) -> bool:
    """Return whether a value looks like one that a machine drew: long, letters and digits mixed, hardly repetitive."""
    if len(value) < 8 or _NO_VALUE.fullmatch(value):
        return False
    letters, digits = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    return letters and digits and _entropy(value) >= _BITS


def _is_password(value: str) -> bool:
    """Return whether what a password is set to is one, and not a word about it ("required")."""
    return _NO_VALUE.fullmatch(value) is None and not value.isalpha()


def _entropy(value: str) -> float:
    """Return the bits a character (Shannon) of the value's own frequencies."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())
