"""Errors as problem details (RFC 9457): the one table that says which status an error has."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ExceptionHandler

from domain import errors
from domain.errors import UnderstudyError
from understudy.durable.fences import ThreadBusy

MEDIA_TYPE = "application/problem+json"
STATUSES: tuple[tuple[type[UnderstudyError], HTTPStatus], ...] = (
    (errors.Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (errors.TooManyRequests, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.IssuerAway, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.AccessError, HTTPStatus.FORBIDDEN),
    (errors.NotAnApprover, HTTPStatus.FORBIDDEN),
    (errors.RequestTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.RequestTooSlow, HTTPStatus.REQUEST_TIMEOUT),
    (errors.KeyReused, HTTPStatus.CONFLICT),
    (ThreadBusy, HTTPStatus.CONFLICT),
    (errors.NothingPending, HTTPStatus.CONFLICT),
    (errors.QuestionClosed, HTTPStatus.CONFLICT),
    (errors.StaleApproval, HTTPStatus.CONFLICT),
    (errors.UnknownAgent, HTTPStatus.NOT_FOUND),
    (errors.UnknownTeam, HTTPStatus.NOT_FOUND),
    (errors.UnknownThread, HTTPStatus.NOT_FOUND),
    (errors.UnknownTask, HTTPStatus.NOT_FOUND),
    (errors.UnknownRun, HTTPStatus.NOT_FOUND),
    (errors.UnknownRule, HTTPStatus.NOT_FOUND),
    (errors.UnknownCheckpoint, HTTPStatus.NOT_FOUND),
    (errors.UnknownQuestion, HTTPStatus.NOT_FOUND),
    (errors.UnknownTrial, HTTPStatus.NOT_FOUND),
    (errors.UnknownFolder, HTTPStatus.NOT_FOUND),
    (errors.UnknownKey, HTTPStatus.NOT_FOUND),
    (errors.UnknownGoal, HTTPStatus.NOT_FOUND),
    (errors.InvalidSettings, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.UserError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.StorageFull, HTTPStatus.INSUFFICIENT_STORAGE),
    (errors.StorageError, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.ModelError, HTTPStatus.BAD_GATEWAY),
    (errors.ToolError, HTTPStatus.CONFLICT),
    (errors.ConsentNeeded, HTTPStatus.CONFLICT),
    (errors.LimitReached, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.PlanError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.RunFenced, HTTPStatus.CONFLICT),
    (errors.EffectUnknown, HTTPStatus.CONFLICT),
    (UnderstudyError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
"""The first class that fits decides."""


class Mistake(BaseModel):
    """One thing that is wrong with a request."""

    at: str
    """Path of the field, with dots."""
    message: str


class Problem(BaseModel):
    """What went wrong, for people and programs (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    """Stable; what programs decide by."""
    instance: str
    """Path that was asked for."""
    mistakes: list[Mistake] = Field(default_factory=list)


def status_of(error: UnderstudyError) -> HTTPStatus:
    """Return the status that an error has."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def problem_of(path: str, error: UnderstudyError) -> Problem:
    """Return an error as problem details."""
    return _problem(path, status_of(error), str(error), error.code)


def answer_of(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return problem details as an answer."""
    return JSONResponse(
        problem.model_dump(mode="json"), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers
    )


def handle_errors(app: FastAPI, shown: Callable[[str], str]) -> None:
    """Have all errors of an application answered with problem details.

    Args:
        app: The application.
        shown: Takes secrets out of what is shown.
    """

    def ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, UnderstudyError)
        problem = problem_of(request.url.path, error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logging.getLogger(__name__).warning("%s %s: %s", request.method, request.url.path, shown(str(error)))
        return answer_of(problem.model_copy(update={"detail": shown(problem.detail)}), _headers(error))

    def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        problem = _problem(
            request.url.path, HTTPStatus.UNPROCESSABLE_ENTITY, "the request does not fit", "invalid_request"
        )
        return answer_of(problem.model_copy(update={"mistakes": [_mistake(each) for each in error.errors()]}))

    def other(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        code = status.phrase.lower().replace(" ", "_")
        return answer_of(_problem(request.url.path, status, str(error.detail), code), dict(error.headers or {}))

    def unexpected(request: Request, error: Exception) -> JSONResponse:
        logging.getLogger(__name__).error("unexpected error in %s %s", request.method, request.url.path, exc_info=error)
        text = "something went wrong here; the log says what"
        return answer_of(_problem(request.url.path, HTTPStatus.INTERNAL_SERVER_ERROR, text, "internal_error"))

    handlers: tuple[tuple[type[Exception], ExceptionHandler], ...] = (
        (UnderstudyError, ours),
        (RequestValidationError, invalid),
        (HTTPException, other),
        (Exception, unexpected),
    )
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)


def _problem(path: str, status: HTTPStatus, detail: str, code: str) -> Problem:
    return Problem(title=status.phrase, status=status, detail=detail, code=code, instance=path)


def _headers(error: UnderstudyError) -> dict[str, str]:
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.TooManyRequests):
        return {"Retry-After": str(max(1, round(error.retry_after)))}
    return {}


def _mistake(found: dict[str, Any]) -> Mistake:
    """Return what is wrong, without repeating what was sent: it may hold a secret."""
    return Mistake(at=".".join(str(part) for part in found["loc"]), message=str(found["msg"]))
