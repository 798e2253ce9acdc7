"""The service as a whole: a request is traced into the run that it begins, and counted where /metrics shows it."""

import json
import logging
from contextlib import aclosing
from pathlib import Path

import pytest

from domain.events import Stamped, comes_to_rest
from domain.secrets import Secrets
from tests.understudy.service.conftest import GOAL, client_of, opened, settings_in
from tests.understudy.telemetry.collector import collecting
from tests.understudy.telemetry.test_metrics import shown
from understudy.durable.queue import Order
from understudy.orchestrator import Orchestrator
from understudy.service.dispatch import Dispatch
from understudy.service.installation import Installation
from understudy.telemetry.degradations import Degradations
from understudy.telemetry.logs import JsonLines
from understudy.telemetry.metrics import Metrics
from understudy.telemetry.settings import TelemetrySettings
from understudy.telemetry.telemetry import Telemetry
from understudy.telemetry.tracing import INCOMING

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_a_run_that_a_request_begins_joins_its_trace_and_is_counted(tmp_path: Path) -> None:
    with collecting() as collector:
        settings = settings_in(tmp_path, telemetry=TelemetrySettings(otlp_endpoint=collector.url))
        async with opened(settings) as app, client_of(app) as api:
            headers = {"traceparent": PARENT, "x-request-id": "of-this-test"}
            answer = await api.post("/threads/traced/runs/wait", json={"goal": GOAL}, headers=headers)
            found = shown((await api.get("/metrics")).content)
        root = collector.named("invoke_agent documents")
    assert answer.headers["x-request-id"] == "of-this-test"
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == tuple(PARENT.split("-")[1:3])
    assert found["understudy_runs_total route=planner status=done"] == 1
    assert found["understudy_http_requests_total method=POST route=/threads/{thread}/runs/wait status=200"] == 1
    assert found["understudy_workers"] == 1


async def test_a_run_that_a_worker_takes_out_of_the_queue_joins_the_trace_of_its_request(tmp_path: Path) -> None:
    with collecting() as collector:
        settings = settings_in(tmp_path, telemetry=TelemetrySettings(otlp_endpoint=collector.url))
        async with opened(settings) as app:
            house: Installation = app.state.installation
            assert house.engine is not None
            dispatch, orders = Dispatch(house.engine.queue.put), house.orchestrator
            token = INCOMING.set(PARENT)
            started = await dispatch.start(orders, GOAL, thread="queued", may_answer=True)
            INCOMING.reset(token)
            async with aclosing(orders.follow("queued", after=started.after)) as followed:
                async for told in followed:
                    if isinstance(told, Stamped) and comes_to_rest(told.event):
                        break
        root = collector.named("invoke_agent documents")
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == tuple(PARENT.split("-")[1:3])


@pytest.mark.parametrize("header", [None, "junk", PARENT.replace("4bf9", "zzzz")])
async def test_an_order_carries_no_trace_that_is_none(tmp_path: Path, header: str | None) -> None:
    put = list[Order]()

    async def begin(order: Order) -> None:
        put.append(order)

    async with Orchestrator(settings_in(tmp_path)) as orchestrator:
        token = INCOMING.set(header)
        await Dispatch(begin).start(orchestrator, GOAL, thread="t", may_answer=True)
        INCOMING.reset(token)
    assert "traceparent" not in put[0].why


def test_what_is_logged_while_an_order_is_carried_out_says_of_which_run() -> None:
    record = logging.LogRecord("understudy.x", logging.INFO, "", 0, "said", (), None)
    lines = JsonLines(Secrets([]))
    with Telemetry(Metrics(), None, Degradations(lambda: 0.0)).around(Order("o", "acme", "t", {"start": "r"})):
        told = json.loads(lines.format(record))
    assert (told["workspace"], told["thread"], told["run"]) == ("acme", "t", "r")
    assert "run" not in json.loads(lines.format(record))
