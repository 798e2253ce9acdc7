"""Random secrets that are shown once and kept as hashes.

A slow hash is for secrets that people choose: it makes the few that they would choose costly to try. These have 256
random bits and cannot be tried; a slow hash would only make every request slow.
"""

import hashlib
import hmac
import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
SECRET_CHARS = 43
"""62 possible characters each: 256 bits."""
_OF_NOTHING = "0" * 64


def drawn() -> str:
    """Return a new secret of letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_CHARS))


def hashed(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matches(secret: str, kept: str | None) -> bool:
    """Return whether a secret is the one that is kept; takes the same time whether it is, or none is kept."""
    return hmac.compare_digest(hashed(secret), kept or _OF_NOTHING) and kept is not None


def csrf_of(token: str) -> str:
    """Return the token that forms of a session carry; it tells nothing of the session's own, which only cookies have.

    A page of another site can have the cookie sent, and cannot read this.
    """
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"understudy csrf", hashlib.sha256).hexdigest()


def is_csrf(token: str, given: str | None) -> bool:
    """Return whether what a form carried belongs to the session; takes the same time whether it does."""
    return hmac.compare_digest(csrf_of(token).encode(), (given or "").encode("utf-8", "surrogatepass"))
