import httpx
import pytest

import domain.errors
from domain.errors import (
    NotServed,
    QuestionClosed,
    ServiceAway,
    ServiceError,
    TooManyRequests,
    UnderstudyError,
    UserError,
)
from understudy.client.problems import error_of
from understudy.durable.fences import ThreadBusy

KINDS = [getattr(domain.errors, name) for name in domain.errors.__all__] + [ThreadBusy]
THEIRS = [kind for kind in KINDS if not issubclass(kind, ServiceError)]


def said(status: int, **problem: object) -> UnderstudyError:
    return error_of(httpx.Response(status, json=problem), "the server at x")


@pytest.mark.parametrize("kind", THEIRS, ids=lambda kind: str(kind.__name__))
def test_every_error_comes_back_as_what_it_is(kind: type[UnderstudyError]) -> None:
    error = said(422, code=kind.code, detail="so it is")
    assert (type(error), str(error)) == (kind, "so it is")


@pytest.mark.parametrize("name", ["problems", "scopes", "mistakes", "path"])
def test_what_errors_hold_beside_their_words_is_there(name: str) -> None:
    holders = [error for kind in THEIRS if hasattr(error := said(422, code=kind.code, detail="x"), name)]
    assert len(holders) == 1 and not getattr(holders[0], name)


def test_who_closed_a_question_is_told() -> None:
    error = said(409, code="question_closed", detail="x", by="ann", time=7.5)
    assert isinstance(error, QuestionClosed) and (error.by, error.time) == ("ann", 7.5)


@pytest.mark.parametrize("told", ["3", "", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "٣"])
def test_how_long_to_wait_is_a_number_of_seconds(told: str) -> None:
    response = httpx.Response(429, content=b"", headers={b"Retry-After": told.encode()})
    error = error_of(response, "x")
    assert isinstance(error, TooManyRequests) and error.retry_after == (3.0 if told == "3" else 1.0)


def test_every_mistake_of_a_request_is_told() -> None:
    mistakes = [{"at": "query.limit", "message": "too large"}, {"at": "body.goal", "message": "missing"}]
    error = said(422, code="invalid_request", detail="it does not fit", mistakes=mistakes)
    assert str(error) == "it does not fit: query.limit: too large; body.goal: missing"
    assert isinstance(error, UserError)


@pytest.mark.parametrize("code", ["", "not_found", "from_the_future", "service_failed"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NotServed), (405, NotServed), (500, ServiceError), (418, ServiceError), (503, ServiceAway)],
)
def test_codes_that_nobody_knows_go_by_their_status(code: str, status: int, kind: type[UnderstudyError]) -> None:
    error = said(status, code=code, detail="so it is")
    assert type(error) is kind
    assert not isinstance(error, ServiceError) or error.status == status


@pytest.mark.parametrize("junk", [b"", b"<html>", b"[]", b'{"code": 7}', b"\xff", b'{"code": "error", "mistakes": 1}'])
def test_answers_that_are_no_problems_go_by_their_status(junk: bytes) -> None:
    error = error_of(httpx.Response(500, content=junk), "the server at x")
    assert (type(error), str(error)) == (ServiceError, "the server at x answered 500 Internal Server Error")
