"""Requests that are made from the OpenAPI document: none breaks anything, and every answer is one that it promises."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.understudy.service.conftest import BASE, client_of, opened, settings_in
from tests.understudy.service.tenants import SCOPE

pytestmark = [
    # Its parts disagree with each other about formats and chance.
    pytest.mark.filterwarnings("ignore:Overriding standard format", "ignore:Do not use the `random` module"),
    pytest.mark.timeout(240),
]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES, RUNS = 5, 2
"""For each operation; fewer for those that have goals carried out."""
ENDLESS = "GET /threads/{thread}/stream"
schemathesis.serializer.alias("application/x-ndjson", "text/plain")
Send = Callable[[Case], httpx.Response]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Send]]:
    """The document, and what sends a case to the application in this process."""
    with asyncio.Runner() as runner:
        application = opened(settings_in(tmp_path_factory.mktemp("served")))
        app = runner.run(_coroutine(application.__aenter__()))
        client = client_of(app)
        runner.run(client.post("/rules", json={"name": "reports", "scope": SCOPE}))
        yield app.openapi(), lambda case: runner.run(_sent(client, case))
        runner.run(client.aclose())
        runner.run(_coroutine(application.__aexit__(None, None, None)))


def test_what_the_document_allows_is_answered_as_it_says(served: tuple[dict[str, Any], Send]) -> None:
    document, send = served
    assert _wrong(document, send, GenerationMode.POSITIVE, lambda _: True, CHECKS) == {}


def test_what_the_document_forbids_is_refused(served: tuple[dict[str, Any], Send]) -> None:
    document, send = served
    checks = [*CHECKS, negative_data_rejection]
    assert _wrong(document, send, GenerationMode.NEGATIVE, _has_body, checks) == {}


def _wrong(
    document: dict[str, Any], send: Send, mode: GenerationMode, wanted: Callable[[Any], bool], checks: list[Any]
) -> dict[str, str]:
    """Return what was answered otherwise than promised, by operation."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = BASE
    schema.config.generation.with_security_parameters = False
    found: dict[str, str] = {}
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if not wanted(operation):
            continue

        @bounded(
            max_examples=RUNS if "stream" in operation.label or "runs" in operation.label else EXAMPLES,
            database=None, deadline=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def tried(case: Case) -> None:
            if case.operation.label == ENDLESS:
                case.path_parameters["thread"] = "nobody"
            answer = send(case)
            try:
                case.validate_response(Response.from_httpx(answer, verify=True), checks=checks)
            except (AssertionError, BaseExceptionGroup) as failure:
                told = f"{case.body!r:.300} -> {answer.status_code} {answer.text:.300}"
                found[case.operation.label] = f"{failure!r:.500}: {told}"

        tried()
    return found


def _has_body(operation: Any) -> bool:
    return operation.method.upper() == "POST" and bool(operation.body) and "{" not in operation.path


async def _sent(client: httpx.AsyncClient, case: Case) -> httpx.Response:
    given = dict(case.as_transport_kwargs())
    body = given.pop("data", None)
    given.pop("cookies")
    given["headers"] = [(name.encode(), str(value).encode("utf-8")) for name, value in given["headers"].items()]
    async with asyncio.timeout(60):
        answer = await client.request(**given, content=body if isinstance(body, (bytes, str)) else None)
    answer.elapsed = datetime.timedelta()  # nobody has measured it without a socket
    return answer


async def _coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
