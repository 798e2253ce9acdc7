"""Tokens of an issuer, checked: who signed, for whom, until when; the header of a token decides nothing by itself."""

import base64
import binascii
import json
import logging
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from domain.errors import InvalidMember, Unauthenticated
from understudy.identity.issuer import Issuer
from understudy.identity.names import checked_user
from understudy.identity.settings import OidcSettings

REFUSED = "this token is not accepted"
"""Said of every token that is not; what is wrong with it stands in the log alone."""
MOST_CHARS = 16_000
Claims = dict[str, Any]
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_TYPES = ("", "jwt", "at+jwt", "application/at+jwt")
"""Tokens of other types (for a logout, say) are signed with the same keys and mean something else."""


class Tokens:
    """Checks the tokens of one issuer."""

    def __init__(self, settings: OidcSettings, issuer: Issuer, clock: Callable[[], float]) -> None:
        """Set up the check."""
        self._settings, self._issuer, self._clock = settings, issuer, clock

    async def claims(self, token: str, audiences: tuple[str, ...]) -> Claims:
        """Return what a token says.

        Args:
            token: As it was sent.
            audiences: Whom it must be meant for, one of several.

        Raises:
            Unauthenticated: It is not to be believed.
            IssuerAway: It cannot be checked now.
        """
        algorithm, kid = self._signed_with(token)
        key = await self._issuer.key(kid, _KEY_TYPES[algorithm[:2]])
        if key is None:
            raise refused("its key is unknown")
        try:
            claims = jwt.decode(token, key, algorithms=[algorithm]).claims
            self._rules(audiences).validate(claims)
        except (JoseError, ValueError, TypeError, OverflowError) as error:
            raise refused(type(error).__name__) from error
        return claims

    def user_in(self, claims: Claims) -> str:
        """Return the user that a token's claims name, or raise `Unauthenticated`."""
        name = claims.get(self._settings.user_claim)
        if self._settings.user_claim == "email" and claims.get("email_verified", True) is not True:
            raise refused("its e-mail address is not verified")
        if not isinstance(name, str):
            raise refused("it names no user")
        try:
            return checked_user(name)
        except InvalidMember as error:
            raise refused("its user cannot be called so") from error

    def _signed_with(self, token: str) -> tuple[str, str | None]:
        """Return the algorithm, one of those that are allowed, and the id of the key."""
        if len(token) > MOST_CHARS or token.count(".") != 2 or not token.isascii():
            raise refused("malformed")
        header = _header_of(token)
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "")
        if algorithm not in self._settings.algorithms:
            raise refused("its algorithm is not allowed")
        if not (kid is None or isinstance(kid, str)) or not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise refused("it is of another kind")
        if "crit" in header:
            raise refused("it must not be read without knowing extensions that are not known here")
        return algorithm, kid

    def _rules(self, audiences: tuple[str, ...]) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=self._settings.leeway,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "values": list(audiences)},
            exp={"essential": True},
        )


def refused(reason: str) -> Unauthenticated:
    """Return the one error of all tokens that are not accepted, having told the log why."""
    logging.getLogger(__name__).info("a token was refused: %s", reason)
    return Unauthenticated(REFUSED)


def _header_of(token: str) -> Claims:
    text = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise refused("malformed") from error
    if not isinstance(header, dict):
        raise refused("malformed")
    return header
