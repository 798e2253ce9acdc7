import json
import logging
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from domain import errors
from domain.errors import TooManyRequests, Unauthenticated, UnderstudyError
from tests.understudy.service.conftest import client_of
from understudy.durable.fences import ThreadBusy
from understudy.service.document import PROBLEMS
from understudy.service.problems import MEDIA_TYPE, handle_errors, problem_of, status_of

SECRET = "sk-very-secret"


def _every(kind: type[UnderstudyError]) -> Iterator[type[UnderstudyError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from _every(inner)


def _app(error: Exception) -> FastAPI:
    app = FastAPI()
    handle_errors(app, lambda text: text.replace(SECRET, "***"))

    @app.get("/fails/{number}")
    async def fails(number: int) -> int:
        raise error

    return app


async def _answer(error: Exception, path: str = "/fails/1") -> httpx.Response:
    async with client_of(_app(error)) as client:
        return await client.get(path)


@pytest.mark.parametrize("kind", sorted(set(_every(UnderstudyError)), key=str))
def test_every_error_has_a_status_that_the_document_names_and_a_code_of_its_own(kind: type[UnderstudyError]) -> None:
    error = kind.__new__(kind)
    assert status_of(error).value in PROBLEMS
    assert error.code


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unauthenticated("who?"), 401),
        (errors.Forbidden("no"), 403),
        (errors.NotAnApprover("no"), 403),
        (errors.UnknownThread("none"), 404),
        (errors.RequestTooSlow("slow"), 408),
        (ThreadBusy("busy"), 409),
        (errors.StaleApproval("old"), 409),
        (errors.RequestTooLarge("large"), 413),
        (errors.InvalidGoal("bad"), 422),
        (TooManyRequests("often", retry_after=2.4), 429),
        (errors.InvalidSettings("ours"), 500),
        (errors.StorageAway("away"), 503),
        (errors.StorageFull("full"), 507),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_an_error_is_told_with_its_status_and_code(error: UnderstudyError, status: int) -> None:
    answer = await _answer(error)
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["instance"]) == (status, error.code, "/fails/1")
    assert problem["detail"] == str(error)


async def test_who_asks_too_often_is_told_how_long_to_wait() -> None:
    assert (await _answer(TooManyRequests("often", retry_after=0.2))).headers["retry-after"] == "1"
    assert (await _answer(TooManyRequests("often", retry_after=61.0))).headers["retry-after"] == "61"


async def test_who_is_not_known_is_told_how_to_say() -> None:
    assert (await _answer(Unauthenticated("who?"))).headers["www-authenticate"] == "Bearer"


async def test_a_secret_is_in_no_answer_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    answer = await _answer(errors.StorageAway(f"cannot reach postgres://u:{SECRET}@db"))
    assert SECRET not in answer.text + caplog.text
    assert "***" in answer.text


async def test_an_unexpected_error_says_nothing_of_itself_but_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    answer = await _answer(RuntimeError("inner workings"))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "inner workings" not in answer.text
    assert any(record.exc_info for record in caplog.records)


async def test_mistakes_name_their_place_and_not_what_was_sent() -> None:
    answer = await _answer(RuntimeError(), f"/fails/{SECRET}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert [mistake["at"] for mistake in answer.json()["mistakes"]] == ["path.number"]
    assert SECRET not in json.dumps(answer.json()["mistakes"])


async def test_what_is_not_there_at_all_is_a_problem_too() -> None:
    async with client_of(_app(RuntimeError())) as client:
        for answer, status, code in (
            (await client.get("/nothing"), 404, "not_found"),
            (await client.post("/fails/1"), 405, "method_not_allowed"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert answer.headers["content-type"] == MEDIA_TYPE


def test_the_type_of_a_problem_is_stable() -> None:
    problem = problem_of("/x", errors.UnknownRule("none"))
    assert (problem.type, problem.title, problem.code) == ("about:blank", "Not Found", "unknown_rule")
