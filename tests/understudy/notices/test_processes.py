"""Notices where processes die, and where several deliver at once."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest
from pydantic import SecretStr

from domain.notices import Notice
from tests.forks import Forked, Forks
from tests.understudy.notices.conftest import OpenPost, Post
from tests.understudy.notices.deliver_child import act
from tests.understudy.notices.servers import Webhook

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
Child = Callable[[Post], Forked]


@pytest.fixture
def child(forks: Forks, tmp_path: Path, database_url: SecretStr | None, hook: Webhook) -> Iterator[Child]:
    """Start processes that deliver what an outbox has."""
    settings = json.dumps({"workspaces": {"default": hook.url}})
    database = url.get_secret_value() if (url := database_url) else ""
    with ExitStack() as stack:
        yield lambda post: stack.enter_context(
            forks.start(act, str(tmp_path), database, post.clock.now, settings, stderr=True)
        )


async def test_a_killed_process_loses_no_notice(
    child: Child, open_post: OpenPost, hook: Webhook, notice: Notice
) -> None:
    post = await open_post({"workspaces": {"default": hook.url}})
    await post.outbox(notice)
    hook.gate = Event()
    killed = child(post)
    assert await asyncio.to_thread(hook.came.wait, 60)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    hook.gate.set()
    assert await post.outbox.deliver() == 0  # claimed
    post.clock.now += post.outbox.claim_seconds
    assert await post.outbox.deliver() == 1
    # It died after the server had it and before that was noted: the one case in which something comes twice.
    assert [got["notice"] for got in hook.received] == [notice.id, notice.id]


async def test_several_processes_send_each_notice_once(
    child: Child, open_post: OpenPost, hook: Webhook, notice: Notice
) -> None:
    post = await open_post({})
    ids = sorted(f"q{number}:asked:0" for number in range(30))
    for each in ids:
        await post.outbox(notice.model_copy(update={"id": each}))
    children = [child(post) for _ in range(2)]
    sent = [int(await asyncio.to_thread(each.stdout.read)) for each in children]
    assert [each.stderr and each.stderr.read() for each in children] == ["", ""]
    assert sum(sent) == 30
    assert sorted(got["notice"] for got in hook.received) == ids
