"""Connections that break, servers that are away, slow or not ours: nothing is lost, nothing comes twice."""

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from domain.approvals import Decision
from domain.errors import ServiceAway, ServiceError, TooManyRequests, UnknownThread
from domain.events import WORKER_ENDS, AnswerNoted, RunStopped, Stamped
from domain.questions import Vote
from tests.understudy.client.scripted import Request, Script, after, answer, problem, sent, stream, told
from tests.understudy.durable.desks import question, request
from understudy import Client
from understudy.client import patience
from understudy.durable.fences import ThreadBusy

ACCEPTED = answer({"thread": "t", "run": "r", "after": 0}, "202 Accepted")
AWAY = problem("503 Service Unavailable", "storage_away")
ALL = list(range(1, 6))
CUTS = sorted(
    {cut for cut, byte in enumerate(sent(1)) if byte > 127 or byte in b'\r\n:"{}'}
    | set(range(0, len(sent(1, 2)) + 1, 40))
)
"""Places of every kind: within a character, at the ends of lines, in names and in values."""


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between tries."""
    monkeypatch.setattr(patience, "_FIRST", 0.001)
    monkeypatch.setattr(patience, "_MOST", 0.01)


async def followed(script: Script, *, last: int = 5, **given: Any) -> list[int]:
    """Return the numbers of what a client yields, up to the last one."""
    found = list[int]()
    async with (
        script.served() as url,
        Client(url, **{"patience": 5, "silence": 5} | given) as client,
        aclosing(client.follow("t")) as following,
    ):
        async for each in following:
            assert isinstance(each, Stamped)
            found.append(each.seq)
            if each.seq == last:
                break
    return found


@pytest.mark.parametrize("cut", CUTS)
async def test_a_stream_that_is_cut_anywhere_goes_on_where_it_was(cut: int) -> None:
    script = Script(stream(sent(*ALL)[:cut]), lambda request: stream(sent(*after(request))))
    assert await followed(script) == ALL


@pytest.mark.parametrize("cut", [1, 8, 40, 90, 200, 400])
async def test_a_stream_in_chunks_that_is_cut_goes_on_where_it_was(cut: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(sent(seq)), sent(seq)) for seq in ALL)
    script = Script(head + chunks[:cut], lambda request: stream(sent(*after(request))))
    assert await followed(script) == ALL


async def test_a_server_that_tells_everything_again_is_heard_once() -> None:
    assert await followed(Script(stream(sent(1, 2, 3)), stream(sent(*ALL)))) == ALL


async def test_what_was_lost_on_the_way_is_asked_for_again() -> None:
    script = Script(stream(sent(1, 3, 4)), lambda request: stream(sent(*after(request))))
    assert await followed(script) == ALL
    assert [request.headers["last-event-id"] for request in script.requests] == ["0", "1"]


async def test_what_the_log_itself_lacks_is_not_waited_for() -> None:
    assert await followed(Script(stream(sent(1, 3, 4, 5)))) == [1, 3, 4, 5]


async def test_a_stream_waits_for_a_server_that_starts_anew() -> None:
    script = Script(stream(sent(1)), b"", AWAY, b"HTTP/1.1 200", lambda request: stream(sent(*after(request))))
    assert await followed(script) == ALL


async def test_a_stream_that_ends_time_after_time_is_given_up() -> None:
    with pytest.raises(ServiceAway, match="time after time"):
        await followed(Script(stream(sent(1)), stream()), patience=0.1)


async def test_a_silent_stream_is_given_up() -> None:
    with pytest.raises(ServiceAway, match="is away"):
        await followed(Script(stream(sent(1)), None), patience=0.1, silence=0.05)


@pytest.mark.parametrize(
    ("junk", "said"),
    [
        (stream(b"<html>", kind="text/html"), "no event stream"),
        (stream(b"data: {nonsense\n\n"), "does not tell events"),
        (stream(b"data: 7\n\n"), "same version"),
        (stream(b'data: {"type": "from_the_future", "seq": 1}\n\n'), "same version"),
        (stream(b"data: \xff\n\n"), "UTF-8"),
        (answer({"hello": "world"}), "no event stream"),
        (b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example\r\nContent-Length: 0\r\n\r\n", "302"),
    ],
)
async def test_what_is_no_stream_of_ours_is_refused(junk: bytes, said: str) -> None:
    with pytest.raises(ServiceError, match=said):
        await followed(Script(junk), patience=0.1)


async def test_a_thread_that_is_unknown_stays_so() -> None:
    with pytest.raises(UnknownThread):
        await followed(Script(problem("404 Not Found", "unknown_thread")))


async def test_a_run_that_was_only_accepted_is_waited_for() -> None:
    unknown = problem("404 Not Found", "unknown_thread")
    script = Script(ACCEPTED, unknown, unknown, lambda request: stream(sent(*after(request))))
    async with script.served() as url, Client(url, patience=5) as client:
        assert [stamped.seq async for stamped in client.stream("Do it")] == ALL


@pytest.mark.parametrize(
    "failure",
    [b"", b"HTTP/1.1 202 Acc", ACCEPTED[:-3], AWAY, answer("bad gateway", "502 Bad Gateway"),
     problem("429 Too Many Requests", "too_many_requests", Retry_After="0")],
)  # fmt: skip
async def test_what_is_asked_is_sent_again_as_the_same_request(failure: bytes) -> None:
    script = Script(failure, failure, answer({"was_going": True}))
    async with script.served() as url, Client(url, patience=5) as client:
        assert await client.cancel("t")
        assert await client.cancel("t")
    keys = [request.headers["idempotency-key"] for request in script.requests]
    assert len(set(keys[:3])) == 1 and keys[3] not in keys[:3]


async def test_a_request_that_is_still_worked_on_is_waited_for() -> None:
    going = problem("409 Conflict", "idempotency_key_reused")
    script = Script(b"", going, going, answer({"was_going": False}))
    async with script.served() as url, Client(url, patience=5) as client:
        assert not await client.cancel("t")


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [(AWAY, "StorageAway"), (problem("429 Too Many Requests", "too_many_requests", Retry_After="9"), "TooManyRequests"),
     (answer("no", "504 Gateway Timeout"), "ServiceAway")],
)  # fmt: skip
async def test_a_server_that_stays_away_is_given_up(refusal: bytes, kind: str) -> None:
    async with Script(refusal).served() as url, Client(url, patience=0.05) as client:
        with pytest.raises(Exception) as raised:  # the class is looked at below
            await client.cancel("t")
    assert type(raised.value).__name__ == kind
    assert not isinstance(raised.value, TooManyRequests) or raised.value.retry_after == 9


async def test_a_slow_server_is_given_up_and_asked_only_once_at_a_time() -> None:
    script = Script(None)
    async with script.served() as url, Client(url, patience=0.2, answer=0.05) as client:
        with pytest.raises(ServiceAway, match="is away"):
            await client.status()


async def test_nobody_at_the_address_is_told_at_once() -> None:
    async with Script(b"").served() as url:
        pass
    async with Client(url, patience=3600) as client:
        with pytest.raises(ServiceAway):
            await client.status()


async def test_a_key_goes_with_every_request_and_is_never_shown() -> None:
    script = Script(problem("401 Unauthorized", "unauthenticated"))
    async with script.served() as url, Client(url, key="us-key-4711", workspace="acme") as client:
        with pytest.raises(Exception) as raised:  # only its words matter
            await client.status()
        assert "4711" not in f"{raised.value!r} {client!r} {vars(client)!r}"
    [request] = script.requests
    assert request.headers["authorization"] == "Bearer us-key-4711"
    assert request.line == "GET /system/status?workspace=acme HTTP/1.1"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\nb"])
async def test_names_that_no_path_can_hold_are_refused(name: str) -> None:
    async with Client("https://understudy.example") as client:
        with pytest.raises(Exception, match="cannot be asked for"):
            await client.cancel(name)


async def test_names_are_one_segment_of_a_path_whatever_they_hold() -> None:
    script = Script(answer({"was_going": False}))
    async with script.served() as url, Client(f"{url}/team a") as client:
        await client.cancel("ä ?#%&;")
    assert script.requests[0].line == "POST /team%20a/threads/%C3%A4%20%3F%23%25%26%3B/cancel HTTP/1.1"


async def test_an_answer_that_is_not_ours_is_no_crash() -> None:
    answers: list[Callable[[Client], Any]] = [
        lambda c: c.status(), lambda c: c.performance(), lambda c: c.standings(), lambda c: c.inbox(),
        lambda c: c.route("x"), lambda c: c.trace("x"), lambda c: c.undo("x"), lambda c: c.events("x"),
        lambda c: c.feedback("x", rating=1), lambda c: c.friction(), lambda c: c.pending("x"), lambda c: c.plan("x"),
        lambda c: c.question("x"), lambda c: c.bottlenecks(), lambda c: c.state(), lambda c: c.run("x"),
        lambda c: c.cancel("x"), lambda c: c.select_agent("x", "y"),
    ]  # fmt: skip
    nonsense: list[Any] = [{"a": 1}, [1], "text", 7, [{"b": []}]]
    for junk in nonsense:
        async with Script(answer(junk)).served() as url, Client(url, patience=0.1) as client:
            for asked in answers:
                with pytest.raises(ServiceError):
                    await asked(client)


def stopped(reason: str) -> Stamped:
    return told(2).model_copy(update={"event": RunStopped(reason=reason)})


async def test_a_run_that_another_worker_carries_on_is_followed_on() -> None:
    script = Script(ACCEPTED, stream(sent(1, stopped(WORKER_ENDS))), lambda request: stream(sent(*after(request))))
    async with script.served() as url, Client(url, patience=5) as client:
        assert [stamped.seq async for stamped in client.stream("Do it")] == ALL


async def test_a_stop_is_asked_for_where_the_run_is() -> None:
    asked: list[str] = []

    def by_path(request: Request) -> bytes:
        asked.append(request.line.split()[1])
        if request.line.startswith("POST"):
            return answer({"was_going": True}) if "cancel" in request.line else ACCEPTED
        return stream(sent(1, stopped("cancelled")) if "/threads/t/cancel" in asked else sent(1))

    async with Script(by_path).served() as url, Client(url, patience=5) as client:
        found = []
        async for stamped in client.stream("Do it", thread="t"):
            found.append(stamped.seq)
            if stamped.seq == 1:
                client.request_stop(grace=1)
    assert found == [1, 2]


async def test_an_answer_that_is_not_the_last_one_wanted_is_told() -> None:
    asks = request(quorum=2)
    shown = question("q", asks, thread="t", opened=0.0)
    voted = shown.model_copy(
        update={"votes": [Vote(request=asks.id, decision=Decision(type="approve"), by="ann", time=1.0)]}
    )
    answers = [answer({"question": each.model_dump(mode="json"), "answerers": {}}) for each in (shown, voted)]
    script = Script(answers[0], ACCEPTED, answers[1])
    async with script.served() as url, Client(url, patience=5) as client:
        [noted] = [stamped async for stamped in client.resume("t", {"decisions": [{"type": "approve"}]})]
    assert isinstance(noted.event, AnswerNoted)
    assert (noted.event.by, noted.event.wants) == ("ann", f"send_mail (1 more to approve {asks.id!r})")


async def test_a_thread_that_is_let_go_of_in_a_moment_is_waited_for_but_no_other() -> None:
    busy = problem("409 Conflict", "thread_busy")
    async with Script(busy).served() as url, Client(url, patience=5) as client:
        with pytest.raises(ThreadBusy):
            await client.run("Do it")
    script = Script(ACCEPTED, stream(sent(*ALL)), busy, busy, ACCEPTED, stream(sent(*ALL)))
    async with script.served() as url, Client(url, patience=5) as client:
        assert (await client.run("Do it")).events == (await client.run("Do it")).events
