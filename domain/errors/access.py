"""Who asks is not known, may not, or asks too much; and what a request over a network can be wrong with."""

from domain.errors.base import UnderstudyError
from domain.errors.user import UserError


class AccessError(UnderstudyError):
    """Whoever asks does not get it."""

    code = "access_denied"


class Unauthenticated(AccessError):
    """Nobody is known by what was shown: no key, an unknown, expired or revoked one, a bad token."""

    code = "unauthenticated"


class IssuerAway(AccessError):
    """Tokens cannot be checked now, because their issuer cannot be reached; the same request may succeed later."""

    code = "issuer_away"


class Forbidden(AccessError):
    """Who asks is known, and may not do this here; the same words whether the thing exists or not."""

    code = "forbidden"


class TooManyRequests(AccessError):
    """A key or a workspace asks more often than it may; `retry_after` says how many seconds to wait."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvalidRequest(UserError):
    """A request that cannot be read, or that asks for what does not fit together."""

    code = "invalid_request"


class RequestTooLarge(InvalidRequest):
    """A request with more in it than is taken."""

    code = "request_too_large"


class RequestTooSlow(InvalidRequest):
    """A request that did not come in, or was not answered, in time."""

    code = "request_too_slow"


class KeyReused(InvalidRequest):
    """An idempotency key that came before with another request, or whose first request is not answered yet."""

    code = "idempotency_key_reused"


class UnknownKey(UserError):
    """No API key has this id."""

    code = "unknown_key"


class InvalidMember(UserError):
    """No user can be called so, have such roles, or be a member in such a way."""

    code = "invalid_member"


class IdentityMissing(UserError):
    """The service would be open to others, and nothing says who they are."""

    code = "identity_missing"
