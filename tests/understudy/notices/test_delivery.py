"""Notices reach real servers: once, with the words that were meant, and again after the server was away."""

import asyncio
from threading import Event

import pytest
import sqlalchemy as sa

from domain.notices import Notice
from domain.secrets import Secrets
from memory.friction import EVERYBODY
from tests.understudy.notices.conftest import OpenPost
from tests.understudy.notices.servers import Mailbox, Webhook, text_of, webhook
from understudy.notices.outbox import FIRST_PAUSE, KEPT_SECONDS

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

TEXT = """Answer with: understudy inbox show q1

> For: Thank the club
> send_mail(to="the club") (it cannot be undone)"""


async def test_webhook_and_mail_get_a_notice_once_however_often_it_is_put_and_delivered(
    open_post: OpenPost, hook: Webhook, mail: tuple[Mailbox, str], notice: Notice
) -> None:
    box, url = mail
    post = await open_post({"users": {"ada": [hook.url, url]}})
    for _ in range(2):
        await post.outbox(notice)
        await post.database.write(lambda connection: post.outbox.put(connection, notice))
    assert [await post.outbox.deliver() for _ in range(3)] == [1, 0, 0]
    assert hook.received == [
        {
            "version": "1.0", "title": "[default] Approval wanted: send_mail", "message": TEXT, "attachments": [],
            "type": "info", "notice": "q1:asked:0",
        }
    ]  # fmt: skip
    (got,) = box.mails
    assert (got["subject"], got["to"], got["x-understudy-notice"]) == (
        "[default] Approval wanted: send_mail", "ada@example.com", "q1:asked:0",
    )  # fmt: skip
    assert text_of(got) == TEXT
    assert await post.audited() == [("sent over 2 channel(s)", "q1:asked:0")]
    (kept,) = await post.outbox.listed("default")
    assert (kept.status, kept.tries, kept.title) == ("sent", 1, "")


async def test_a_notice_is_kept_only_if_its_transaction_is(open_post: OpenPost, hook: Webhook, notice: Notice) -> None:
    post = await open_post({"users": {"ada": hook.url}})

    def broken(connection: sa.Connection) -> None:
        post.outbox.put(connection, notice)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await post.database.write(broken)
    assert await post.outbox.deliver() == 0
    assert (await post.outbox.listed("default"), hook.received) == ([], [])


async def test_it_is_tried_again_after_the_server_was_away_and_came_back(open_post: OpenPost, notice: Notice) -> None:
    with webhook() as gone:
        port, url = gone.port, gone.url
    post = await open_post({"users": {"ada": url}})
    await post.outbox(notice)
    assert await post.outbox.deliver() == 0
    (kept,) = await post.outbox.listed("default")
    assert (kept.status, kept.tries, kept.due) == ("waiting", 1, post.clock.now + FIRST_PAUSE)
    assert kept.reason.startswith("users.ada[0] (json): A Connection error occurred")
    with webhook(port) as back:
        assert (await post.outbox.deliver(), back.received) == (0, [])  # not due yet
        post.clock.now = kept.due
        assert await post.outbox.deliver() == 1
        assert len(back.received) == 1


async def test_pauses_grow_and_it_gives_up_in_the_end_and_says_so(
    open_post: OpenPost, hook: Webhook, notice: Notice
) -> None:
    hook.status = 503
    post = await open_post({"users": {"ada": hook.url}, "give_up_after_seconds": 300})
    await post.outbox(notice)
    started, pauses = post.clock.now, []
    while (due := await post.outbox.next_due()) is not None:
        pauses.append(due - post.clock.now)
        post.clock.now = due
        assert await post.outbox.deliver() == 0
    assert (pauses, post.clock.now - started) == ([0, 30, 60, 120, 90], 300)
    (kept,) = await post.outbox.listed("default")
    assert (kept.status, kept.tries, kept.title) == ("given_up", 5, "Approval wanted: send_mail")
    assert "error=503" in kept.reason
    assert await post.audited() == [("given up: no channel took it in time", "q1:asked:0")]
    assert await post.outbox.troubles("default") == ["1 notice(s) could not be delivered: see understudy notify list"]
    assert await post.outbox.troubles("other") == []


async def test_a_channel_that_took_it_is_not_used_again_when_another_one_fails(
    open_post: OpenPost, hook: Webhook, mail: tuple[Mailbox, str], notice: Notice
) -> None:
    box, url = mail
    hook.status = 500
    post = await open_post({"users": {"ada": [hook.url, url]}})
    await post.outbox(notice)
    assert await post.outbox.deliver() == 0
    hook.status, post.clock.now = 200, post.clock.now + FIRST_PAUSE
    assert await post.outbox.deliver() == 1
    assert (len(box.mails), len(hook.received)) == (1, 2)


async def test_two_deliverers_at_once_send_each_notice_once(open_post: OpenPost, hook: Webhook) -> None:
    post = await open_post({"workspaces": {"default": hook.url}})
    ids = [f"q{number}:asked:0" for number in range(12)]
    for each in ids:
        await post.outbox(Notice(id=each, kind="asked", workspace="default", title="Approval wanted", body=""))
    others = [post.other({"workspaces": {"default": hook.url}}) for _ in range(3)]
    sent = await asyncio.gather(*(each.deliver(limit=12) for each in others))
    assert sum(sent) == 12
    assert sorted(got["notice"] for got in hook.received) == sorted(ids)


async def test_a_claim_of_a_process_that_died_lapses(open_post: OpenPost, hook: Webhook, notice: Notice) -> None:
    post = await open_post({"users": {"ada": hook.url}})
    await post.outbox(notice)
    hook.gate = Event()
    died = asyncio.ensure_future(post.outbox.deliver())
    await asyncio.to_thread(hook.came.wait)  # it was sent, and before that is noted:
    died.cancel()
    await asyncio.wait([died])
    hook.gate.set()
    other = post.other({"users": {"ada": hook.url}})
    assert await other.deliver() == 0
    post.clock.now += post.outbox.claim_seconds
    assert await other.deliver() == 1
    assert [got["notice"] for got in hook.received] == ["q1:asked:0"] * 2  # at least once


async def test_a_channel_that_hangs_is_given_its_time_only(open_post: OpenPost, hook: Webhook, notice: Notice) -> None:
    hook.gate = Event()
    post = await open_post({"users": {"ada": hook.url}, "timeout_seconds": 0.2})
    await post.outbox(notice)
    assert await post.outbox.deliver() == 0
    (kept,) = await post.outbox.listed("default")
    assert kept.status == "waiting"
    assert "took longer than 0.2 s" in kept.reason or "Connection error" in kept.reason


async def test_a_failed_channel_is_left_alone_for_the_rest_of_the_call(open_post: OpenPost, hook: Webhook) -> None:
    hook.status = 500
    post = await open_post({"workspaces": {"default": hook.url}})
    for number in range(20):
        await post.outbox(Notice(id=f"n{number}", kind="failed", workspace="default", title="t", body="b"))
    assert await post.outbox.deliver() == 0
    assert len(hook.received) <= 4  # those that were on their way together
    assert {kept.tries for kept in await post.outbox.listed("default")} == {1}


async def test_the_end_of_a_command_is_not_held_up(open_post: OpenPost, hook: Webhook, notice: Notice) -> None:
    post = await open_post({"users": {"ada": hook.url}})
    await post.outbox(notice)
    assert (await post.outbox.deliver(seconds=0), hook.received) == (0, [])
    await post.outbox.deliver_left()
    assert len(hook.received) == 1

    def broken(connection: sa.Connection) -> None:
        connection.execute(sa.text("DROP TABLE notices"))

    await post.database.write(broken)
    await post.outbox.deliver_left()


async def test_secrets_and_personal_data_do_not_leave(open_post: OpenPost, hook: Webhook) -> None:
    post = await open_post({})
    outbox = post.other({"workspaces": {"default": hook.url}}, secrets=Secrets(["hunter2-hunter2"]))
    body = "key hunter2-hunter2, card 4111 1111 1111 1111, mail ada@example.org"
    await outbox(Notice(id="n", kind="acted", workspace="default", title="for hunter2-hunter2", body=body))
    assert await outbox.deliver() == 1
    (got,) = hook.received
    sent = got["title"] + got["message"]
    assert "hunter2" not in sent and "4111" not in sent and "ada@" not in sent
    assert "[secret]" in got["title"] and "[card]" in got["message"]


async def test_what_nobody_wants_is_closed_and_what_no_process_can_send_waits(
    open_post: OpenPost, hook: Webhook, notice: Notice
) -> None:
    post = await open_post({})
    await post.outbox(notice)
    assert (await post.outbox.deliver(), await post.outbox.next_due()) == (0, None)
    assert [kept.status for kept in await post.outbox.listed("default")] == ["waiting"]
    assert await post.other({"users": {"ada": {"url": hook.url, "kinds": ["failed"]}}}).deliver() == 0
    assert [kept.status for kept in await post.outbox.listed("default")] == ["unaddressed"]
    assert hook.received == []


async def test_what_does_not_hold_any_more_is_not_sent(open_post: OpenPost, hook: Webhook, notice: Notice) -> None:
    post = await open_post({"users": {"ada": hook.url}})
    await post.outbox(notice)
    await post.outbox(notice.model_copy(update={"id": "q12:asked:0"}))
    await post.database.write(lambda connection: post.outbox.withdraw(connection, "q1"))
    assert (await post.outbox.deliver(), [got["notice"] for got in hook.received]) == (1, ["q12:asked:0"])
    await post.outbox.forget_run("q12")
    assert [(kept.id, kept.status, kept.title) for kept in await post.outbox.listed("default")] == [
        ("q1:asked:0", "withdrawn", "")
    ]


async def test_ended_notices_are_pruned_and_an_unreadable_one_stops_nobody(
    open_post: OpenPost, hook: Webhook, notice: Notice
) -> None:
    post = await open_post({"users": {"ada": hook.url}})
    await post.outbox(notice)
    await post.database.write(lambda c: c.execute(sa.text("UPDATE notices SET notice = '{\"id\": 1}'")))
    post.clock.now += 1
    await post.outbox(notice.model_copy(update={"id": "q2:asked:0"}))
    assert await post.outbox.deliver(limit=1) == 1
    assert {kept.id: kept.status for kept in await post.outbox.listed("default")} == {
        "q1:asked:0": "given_up", "q2:asked:0": "sent",
    }  # fmt: skip
    post.clock.now += KEPT_SECONDS + 1
    await post.outbox.deliver()
    assert await post.outbox.listed("default") == []


async def test_any_text_can_be_kept_and_sent(open_post: OpenPost, hook: Webhook) -> None:
    post = await open_post({"workspaces": {"default": hook.url}})
    odd = "a\x00b\ud800c 🎷\x1b]0;x\x07"
    await post.outbox(Notice(id=f"r{odd}:acted:s", kind="acted", workspace="default", title=odd, body=odd, answer=odd))
    assert await post.outbox.deliver() == 1
    assert hook.received[0]["message"] == "Answer with: abc 🎷\n\n> abc 🎷"


async def test_notices_that_nobody_asked_for_count_as_nags(open_post: OpenPost, hook: Webhook, notice: Notice) -> None:
    post = await open_post({"workspaces": {"default": hook.url}})
    await post.outbox(notice)
    await post.outbox(notice.model_copy(update={"id": "r:acted:s", "kind": "acted"}))
    await post.outbox(notice.model_copy(update={"id": "r:failed:s", "kind": "failed", "to": ()}))
    assert await post.outbox.deliver() == 3
    assert [(week.user, week.nags) for week in await post.friction.weeks("default")] == [(EVERYBODY, 1), ("ada", 1)]


async def test_who_configures_a_channel_late_does_not_get_all_of_the_past(
    open_post: OpenPost, hook: Webhook, notice: Notice
) -> None:
    post = await open_post({})
    await post.outbox(notice)
    post.clock.now += 90_000
    await post.outbox(notice.model_copy(update={"id": "q2:asked:0"}))
    assert await post.other({}).deliver() == 0
    (waits, past) = await post.outbox.listed("default")
    assert (past.id, past.status, past.reason) == ("q1:asked:0", "unaddressed", "no channel was configured in time")
    assert (waits.id, waits.status) == ("q2:asked:0", "waiting")
    assert await post.other({"users": {"ada": hook.url}}).deliver() == 1
    assert [each["notice"] for each in hook.received] == ["q2:asked:0"]
