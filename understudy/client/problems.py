"""What a server says is wrong, as the error that it stands for."""

from functools import cache
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import (
    ConsentNeeded,
    InvalidTeamFile,
    NotServed,
    PlanError,
    QuestionClosed,
    ServiceAway,
    ServiceError,
    TooManyRequests,
    UnderstudyError,
)
from domain.errors import __all__ as _NAMES

AWAY = (502, 503, 504)
"""Statuses of a server, or of a proxy before it, that cannot answer now."""
_NOT_OFFERED = (404, 405, 501)
"""Statuses without a code that we know: the path leads nowhere."""


class Mistake(BaseModel):
    """One thing that is wrong with a request."""

    at: str
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457), as far as it is read."""

    model_config = ConfigDict(extra="allow")

    code: str = ""
    title: str = ""
    detail: str = ""
    mistakes: list[Mistake] = Field(default_factory=list)

    @property
    def said(self) -> str:
        """What is wrong, in words."""
        mistakes = "; ".join(f"{each.at}: {each.message}" for each in self.mistakes)
        return ": ".join(filter(None, (self.detail or self.title, mistakes)))


def error_of(response: httpx.Response, place: str) -> UnderstudyError:
    """Return the error of a response that was read and is none of success; unknown ones become `ServiceError`.

    Args:
        response: What came.
        place: Who sent it, in words.
    """
    status = response.status_code
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        problem = Problem()
    kind = _kinds().get(problem.code)
    if kind is TooManyRequests or (kind is None and status == httpx.codes.TOO_MANY_REQUESTS):
        return TooManyRequests(problem.said or f"{place} is asked too often", retry_after=retry_after(response) or 1.0)
    if kind is not None and not issubclass(kind, ServiceError):
        return _made(kind, problem.said, problem.model_extra or {})
    if status in _NOT_OFFERED:
        return NotServed(f"{place} does not offer this; do it on the machine that it runs on")
    said = f"{place} answered {status} {response.reason_phrase}".rstrip()
    told = f"{said}: {problem.said}" if problem.said else said
    return (ServiceAway if status in AWAY else ServiceError)(told, status=status)


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a server asks to wait; a date is not read, since clocks differ."""
    told = response.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else None


def _made(kind: type[UnderstudyError], said: str, more: dict[str, Any]) -> UnderstudyError:
    """Return an error of a class, in the words of the server, whatever its constructor wants to make them from."""
    if kind is QuestionClosed:
        by, time = str(more.get("by", "")), more.get("time")
        return QuestionClosed(said, by=by, time=time if isinstance(time, float | int) else 0.0)
    error = kind.__new__(kind)
    error.args = (said,)
    error.__dict__.update(_UNTOLD.get(kind, {}))
    return error


_UNTOLD: dict[type[UnderstudyError], dict[str, Any]] = {
    ConsentNeeded: {"scopes": ()},
    InvalidTeamFile: {"path": "", "mistakes": ()},
    PlanError: {"problems": ()},
}
"""What errors hold beside their words, and a server does not send."""


@cache
def _kinds() -> dict[str, type[UnderstudyError]]:
    """Return the class of each code."""
    import domain.errors
    from understudy.durable.fences import ThreadBusy

    kinds = [*(getattr(domain.errors, name) for name in _NAMES), ThreadBusy]
    return {kind.code: kind for kind in kinds}
