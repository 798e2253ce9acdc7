"""A service over a network, seen by who uses it."""

from domain.errors.base import UnderstudyError
from domain.errors.user import InvalidSettings, UserError


class ServiceError(UnderstudyError):
    """A service failed, or does not answer as it should; `status` is the HTTP status where it gave one."""

    code = "service_failed"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ServiceAway(ServiceError):
    """A service cannot be reached, or will not answer now; the same call may succeed later."""

    code = "service_away"


class NotServed(UserError):
    """A service does not offer this; it is done on the machine that it runs on."""

    code = "not_served"


class InsecureAddress(InvalidSettings):
    """A service to which keys, goals and answers would go in clear over a network."""

    code = "insecure_address"
