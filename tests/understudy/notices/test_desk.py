"""Questions at the desk: who is told of them, and what friction they count as."""

from typing import Any

import pytest

from domain.approvals import ActionRequest, shown_digest
from domain.questions import Question
from domain.waiting import Level, Patience
from tests.understudy.notices.conftest import OpenPost, Post
from tests.understudy.notices.servers import Webhook
from understudy.durable.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
PATIENCE = Patience(approvers=("ada",), escalation=(Level(to=("eve",), after_seconds=60),), timeout_seconds=600)


def question(post: Post, name: str, *requests: str) -> Question:
    wanted = [
        ActionRequest(id=each, name="send_mail", args={"to": "all"}, description="Sends it.", patience=PATIENCE)
        for each in requests
    ]
    return Question(
        id=name, workspace="default", thread="talk", run="r", interrupt="i", team="club", goal="Thank them",
        user="bob", requests=wanted, digest=shown_digest(wanted), opened=post.clock.now,
    )  # fmt: skip


def desk_of(post: Post) -> Desk:
    return Desk(
        post.database, post.clock, notify=post.outbox, audit=post.audit, command="understudy", friction=post.friction
    )


async def counted(post: Post) -> dict[str, tuple[Any, ...]]:
    return {week.user: week[2:] for week in await post.friction.weeks("default")}


async def test_an_escalated_question_is_a_dialog_for_the_one_and_a_nag_for_the_other(
    open_post: OpenPost, hook: Webhook
) -> None:
    post = await open_post({"users": {"eve": hook.url}, "workspaces": {"default": hook.url}})
    desk = desk_of(post)
    await desk.open(question(post, "q1", "a", "b"))
    assert await post.outbox.deliver() == 1
    post.clock.now += 60
    await desk.settle()
    assert await post.outbox.deliver() == 1
    assert [got["title"] for got in hook.received] == [
        "[default] Approval wanted: send_mail", "[default] Still unanswered: send_mail",
    ]  # fmt: skip
    post.clock.now += 30
    await desk.answer("default", "q1", {"decisions": [{"type": "approve"}, {"type": "reject"}]}, by="eve")
    # One tap, and one escalation, although two things were asked.
    assert await counted(post) == {"ada": (0, 1, 0, 0, 0, None), "eve": (1, 0, 1, 0, 1, 90.0)}
    assert await post.outbox.deliver() == 1
    assert hook.received[-1]["title"] == "[default] Decided: send_mail"


async def test_asking_the_same_again_is_a_nag(open_post: OpenPost) -> None:
    post = await open_post({})
    desk = desk_of(post)
    await desk.open(question(post, "q1", "a"))
    await desk.open(question(post, "q2", "a"))
    assert await counted(post) == {"ada": (0, 1, 1, 0, 0, None)}


async def test_nobody_is_told_of_a_question_that_was_answered_meanwhile(open_post: OpenPost, hook: Webhook) -> None:
    post = await open_post({"workspaces": {"default": {"url": hook.url, "kinds": ["asked"]}}})
    desk = desk_of(post)
    await desk.open(question(post, "q1", "a"))
    await desk.answer("default", "q1", {"decisions": [{"type": "approve"}]}, by="ada")
    await post.outbox.deliver()
    assert hook.received == []
    await desk.forget("default", "talk")
    assert await post.outbox.listed("default") == []
