"""Traces, as a real collector gets them."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.trace import ReadableSpan
from pydantic import SecretStr

from domain import events as ev
from domain.approvals import Decision
from domain.outcomes import Failure
from domain.secrets import Secrets
from evals.scripted import ScriptedServer
from tests.understudy.telemetry.collector import Collector, attributes, collecting
from tests.understudy.telemetry.told import TIME, asked, begun, called, ended, finished, stamped, started
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings
from understudy.telemetry.settings import TelemetrySettings
from understudy.telemetry.spans import incoming
from understudy.telemetry.telemetry import open_telemetry
from understudy.telemetry.tracing import INCOMING, Tracing

ENERGY = Path(__file__).parents[3] / "examples" / "energy"
GOAL = "Who publishes the numbers on net generation?"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def told(collector: Collector, events: Iterable[ev.Stamped], *, content: bool = False) -> list[Span]:
    """Have telemetry hear events, and return what the collector got of them."""
    settings = Settings(telemetry=TelemetrySettings(otlp_endpoint=collector.url, content=content))
    async with open_telemetry(settings) as telemetry:
        for each in events:
            telemetry.heard(each)
    return collector.spans


def one_run() -> list[ev.Stamped]:
    return [
        stamped(1, started()),
        stamped(2, asked()),
        stamped(3, begun()),
        stamped(4, ev.ToolCalled(step="look", tool="search_documents", args={"query": "wind"})),
        stamped(5, called()),
        stamped(6, asked(role="specialist", step="look", input_tokens=7, output_tokens=3, dollars=0.01)),
        stamped(7, ended(text="It is strong.")),
        stamped(8, finished(answer="The wind is strong.")),
    ]


async def test_a_real_run_is_a_trace_with_a_span_for_each_step_and_call() -> None:
    with collecting() as collector:
        settings = Settings(data=ENERGY, telemetry=TelemetrySettings(otlp_endpoint=collector.url))
        async with open_telemetry(settings) as telemetry, Orchestrator(settings) as understudy:
            events = [stamped async for stamped in understudy.stream(GOAL)]
            for each in events:
                telemetry.heard(each)
        root = collector.named("invoke_agent documents")
        steps = {s.span_id: s for s in collector.spans if s.name.startswith("invoke_agent ") and s != root}
        tools = [s for s in collector.spans if s.name.startswith("execute_tool ")]
        assert {s.parent_span_id for s in steps.values()} == {root.span_id}
        assert len(steps) == sum(isinstance(each.event, ev.StepFinished) for each in events)
        assert len(tools) == sum(isinstance(each.event, ev.ToolReturned) for each in events) > 0
        assert {s.parent_span_id for s in tools} <= set(steps)
        assert len({s.trace_id for s in collector.spans}) == 1
        assert not any(GOAL.encode() in body for body in collector.bodies)
        assert attributes(root)["gen_ai.conversation.id"] == events[0].thread


async def test_calls_of_a_real_model_are_spans_of_clients_with_their_tokens() -> None:
    reply = {"content": {"route": "reply", "kind": "search", "message": "Hello."}}
    with collecting() as collector, ScriptedServer([reply]) as server:
        settings = Settings(
            openai_api_key=SecretStr("sk-of-this-test"),
            openai_base_url=server.base_url,
            model="openai:scripted",
            telemetry=TelemetrySettings(otlp_endpoint=collector.url),
        )
        async with open_telemetry(settings) as telemetry, Orchestrator(settings) as understudy:
            async for each in understudy.stream("Hello"):
                telemetry.heard(each)
        call, root = collector.named("chat scripted"), collector.named("invoke_agent documents")
        assert (call.kind, call.parent_span_id) == (Span.SPAN_KIND_CLIENT, root.span_id)
        told = attributes(call)
        assert (told["gen_ai.operation.name"], told["gen_ai.provider.name"]) == ("chat", "openai")
        assert told["gen_ai.usage.input_tokens"] > 0


async def test_spans_have_the_times_of_their_events() -> None:
    with collecting() as collector:
        await told(collector, one_run())
        root, call = collector.named("invoke_agent documents"), collector.named("execute_tool search_documents")
        assert (root.start_time_unix_nano, root.end_time_unix_nano) == ((TIME + 1) * 1e9, (TIME + 8) * 1e9)
        assert (call.start_time_unix_nano, call.end_time_unix_nano) == ((TIME + 4.75) * 1e9, (TIME + 5) * 1e9)


async def test_what_a_step_calls_for_is_below_it_and_what_a_role_does_is_below_the_run() -> None:
    with collecting() as collector:
        spans = await told(collector, one_run())
        root, step = collector.named("invoke_agent documents"), collector.named("invoke_agent search")
        parents = {attributes(span)["understudy.role"]: span.parent_span_id for span in spans if "chat" in span.name}
        assert parents == {"planner": root.span_id, "specialist": step.span_id}
        assert step.parent_span_id == root.span_id


async def test_content_is_shown_only_where_it_is_wanted_and_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "hunter2hunter2")
    events = [stamped(1, started("Use hunter2hunter2 to look")), *one_run()[1:]]
    with collecting() as collector:
        await told(collector, events, content=True)
        text = b"".join(collector.bodies)
        assert b"to look" in text
        assert b"wind is strong" in text
        assert b"hunter2" not in text
        arguments = attributes(collector.named("execute_tool search_documents"))["gen_ai.tool.call.arguments"]
        assert arguments == '{"query": "wind"}'
    with collecting() as collector:
        await told(collector, events)
        assert not any(word in b"".join(collector.bodies) for word in (b"to look", b"wind", b"strong"))


async def test_a_failure_is_an_error_with_its_code_and_without_its_message() -> None:
    failure = Failure(code="tool_timeout", message="the secret place did not answer")
    with collecting() as collector:
        await told(collector, [stamped(1, started()), stamped(2, called(failure=failure)), stamped(3, finished())])
        span = collector.named("execute_tool search_documents")
        assert (span.status.code, attributes(span)["error.type"]) == (Status.STATUS_CODE_ERROR, "tool_timeout")
        assert b"secret place" not in b"".join(collector.bodies)


async def test_a_wait_for_a_person_is_two_events_of_the_run() -> None:
    decided = ev.ApprovalDecided(request="r", decision=Decision(type="approve", by="ada"))
    waits = ev.ApprovalRequested(interrupt="i", requests=[])
    events = [stamped(1, started()), stamped(2, waits), stamped(3, decided, time=TIME + 90_000), stamped(4, finished())]
    with collecting() as collector:
        await told(collector, events)
        marks = collector.named("invoke_agent documents").events
        assert [(mark.name, mark.time_unix_nano) for mark in marks] == [
            ("approval.requested", (TIME + 2) * 1e9),
            ("approval.decided", (TIME + 90_000) * 1e9),
        ]


async def test_parts_of_a_run_in_two_processes_come_together() -> None:
    with collecting() as collector:
        await told(collector, one_run()[:5])
        await told(collector, one_run()[5:])
        root, step = collector.named("invoke_agent"), collector.named("invoke_agent search")
        assert {span.trace_id for span in collector.spans} == {root.trace_id}
        assert {span.parent_span_id for span in collector.spans} == {b"", root.span_id, step.span_id}


async def test_a_run_belongs_to_the_trace_of_the_request_that_began_it() -> None:
    with collecting() as collector:
        token = INCOMING.set(PARENT)
        await told(collector, one_run())
        INCOMING.reset(token)
        root = collector.named("invoke_agent documents")
        assert (root.trace_id.hex(), root.parent_span_id.hex()) == tuple(PARENT.split("-")[1:3])
        assert {span.trace_id for span in collector.spans} == {root.trace_id}


async def test_a_run_can_be_joined_by_its_id() -> None:
    with collecting() as collector:
        async with open_telemetry(Settings(telemetry=TelemetrySettings(otlp_endpoint=collector.url))) as telemetry:
            telemetry.join("run-1", PARENT)
            for each in one_run():
                telemetry.heard(each)
        assert collector.named("invoke_agent documents").parent_span_id.hex() == PARENT.split("-")[2]


async def test_what_is_not_sampled_by_who_asks_is_not_sent() -> None:
    with collecting() as collector:
        async with open_telemetry(Settings(telemetry=TelemetrySettings(otlp_endpoint=collector.url))) as telemetry:
            telemetry.join("run-1", PARENT[:-2] + "00")
            for each in one_run():
                telemetry.heard(each)
            assert b'understudy_spans_total{result="dropped"}' not in telemetry.metrics()
        assert collector.spans == []


@pytest.mark.parametrize(
    "junk",
    ["", "x", PARENT + "-more", "ff" + PARENT[2:], PARENT.upper(), f"00-{'0' * 32}-00f067aa0ba902b7-01", "0" * 10_000],
)
def test_a_header_that_is_no_trace_parent_names_none(junk: str) -> None:
    assert incoming(junk) is None


async def test_an_event_that_is_told_twice_is_traced_once() -> None:
    with collecting() as collector:
        run = one_run()
        spans = await told(collector, [*run, run[-1], run[4]])
        assert len(spans) == len({span.span_id for span in spans}) == 5


async def test_half_a_character_in_a_name_costs_nothing_else() -> None:
    events = [stamped(1, started(team="\ud800")), stamped(2, called(tool="\udfff")), stamped(3, finished())]
    with collecting() as collector:
        assert {span.name for span in await told(collector, events)} == {"invoke_agent ?", "execute_tool ?"}


def test_a_run_that_waits_while_many_others_come_is_known_no_more() -> None:
    spans = list[ReadableSpan]()
    tracing = Tracing(spans.append, secrets=Secrets())
    tracing.heard(stamped(1, started()))
    for number in range(2_000):
        tracing.heard(stamped(1, started(), run=f"other-{number}"))
    tracing.heard(stamped(9, finished()))
    assert [(span.name, span.start_time) for span in spans] == [("invoke_agent", (TIME + 9) * 1e9)]


async def test_headers_are_sent_and_never_shown() -> None:
    with collecting() as collector:
        headers = {"authorization": SecretStr("Bearer abcdefgh12345678")}
        settings = TelemetrySettings(otlp_endpoint=collector.url + "/", otlp_headers=headers)
        async with open_telemetry(Settings(telemetry=settings)) as telemetry:
            telemetry.heard(stamped(1, started()))
            telemetry.heard(stamped(2, finished()))
        assert collector.paths == ["/v1/traces"]
        assert collector.headers[0]["authorization"] == "Bearer abcdefgh12345678"
        assert "abcdefgh" not in repr(settings)
        assert "abcdefgh12345678" in set(settings.secrets())
