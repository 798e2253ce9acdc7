"""The client on a real service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from domain.errors import (
    InvalidDecision,
    InvalidGoal,
    NothingPending,
    UnknownQuestion,
    UnknownRun,
    UnknownThread,
)
from domain.events import ApprovalRequested, Explained, RunFinished, Stamped
from tests.forks import Forks, command
from tests.understudy.client.conftest import settings_in
from tests.understudy.client.served import Place, served
from understudy import Client
from understudy.service.app import create_app

GROWTH = "Which source of electricity grew most, and why?"
BRIEF = "Write a brief about wind power in Iowa"
PATIENCE = 50.0


@pytest.fixture
async def client(place: Place) -> AsyncIterator[Client]:
    async with Client(place.url, patience=PATIENCE) as client:
        yield client


async def test_a_run_is_streamed_to_its_end(client: Client) -> None:
    told = [stamped async for stamped in client.stream(GROWTH, thread="streamed")]
    assert [stamped.seq for stamped in told] == list(range(1, len(told) + 1))
    assert isinstance(told[-1].event, RunFinished) and told[-1].event.outcome.success
    assert told == await client.events("streamed")
    assert told[2:5] == await client.events("streamed", after=2, limit=3)
    assert (await client.trace("streamed")).run == told[0].run


async def test_many_events_are_read_in_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    await client.run(GROWTH, thread="paged")
    every = await client.events("paged")
    monkeypatch.setattr("understudy.client.running.PAGE", 7)
    assert await client.events("paged") == every
    assert await client.events("paged", limit=10) == every[:10]


async def test_two_clients_see_the_same(client: Client, place: Place) -> None:
    async with Client(place.url) as other:
        run = asyncio.create_task(client.run(GROWTH, thread="watched"))
        found = list[Stamped]()
        while not found:
            try:
                found = [stamped async for stamped in other.watch("watched", after=0)]
            except UnknownThread:
                await asyncio.sleep(0)
        assert found == (await run).events


async def test_a_question_is_answered_and_the_run_goes_on(client: Client) -> None:
    asked = await client.run(BRIEF, thread="asked")
    assert asked.pending and asked.pending.requests[0].name == "write_file"
    assert (await client.pending("asked")) is not None
    [again] = [stamped async for stamped in client.resume("asked")]
    assert isinstance(again.event, ApprovalRequested)
    with pytest.raises(InvalidDecision):
        await anext(client.resume("asked", {"decisions": [{"type": "nonsense"}]}))
    with pytest.raises(NothingPending):
        await anext(client.resume("asked", {"decisions": [{"type": "approve"}]}, interrupt="another"))
    answer = {"decisions": [{"type": "approve"}]}
    told = [stamped async for stamped in client.resume("asked", answer, interrupt=asked.pending.interrupt)]
    assert isinstance(told[-1].event, RunFinished)
    assert told[0].seq == again.seq + 1
    [ending] = [stamped async for stamped in client.resume("asked")]
    assert ending == told[-1]
    undone = await client.undo("asked")
    assert len(undone.undone) == 1 and not undone.kept


async def test_a_typed_answer_goes_on_with_the_run_that_asked(client: Client) -> None:
    await client.run("Write a brief about hydropower in Iowa", thread="typed")
    told = [stamped async for stamped in client.stream("no, because nobody reads it", thread="typed")]
    assert isinstance(told[-1].event, RunFinished)
    assert told[-1].event.outcome.status == "rejected"


async def test_a_question_back_is_answered_and_leaves_the_gate_open(client: Client) -> None:
    await client.run("Write a brief about coal in Iowa", thread="back")
    told = [stamped async for stamped in client.stream("why do you ask?", thread="back")]
    assert isinstance(told[-1].event, Explained)
    assert await client.pending("back") is not None


async def test_errors_of_the_service_come_as_they_are(client: Client) -> None:
    with pytest.raises(InvalidGoal):
        await client.route("  ")
    with pytest.raises(UnknownThread):
        await client.cancel("nowhere")
    with pytest.raises(UnknownThread):
        await anext(client.follow("nowhere"))
    with pytest.raises(UnknownRun):
        await client.trace("nowhere")
    with pytest.raises(UnknownQuestion):
        await client.question("nowhere")


async def test_a_server_that_is_killed_and_started_again_is_followed_without_loss(forks: Forks, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    environment = {
        f"UNDERSTUDY_{name.upper()}": str(getattr(settings, name)) for name in ("home", "data", "out", "user")
    }
    seen, waits = list[Stamped](), asyncio.Event()

    async def watch(client: Client) -> None:
        async with aclosing(client.follow("t")) as told:
            async for each in told:
                assert isinstance(each, Stamped)
                seen.append(each)
                if isinstance(each.event, ApprovalRequested):
                    waits.set()
                if isinstance(each.event, RunFinished):
                    return

    with forks.start(command, "serve", "--port", "0", environment=environment) as first:
        url = first.stdout.readline().split()[3]
        async with Client(url, patience=PATIENCE) as client:
            await client.run(BRIEF, thread="t")
            watching = asyncio.create_task(watch(client))
            await asyncio.wait_for(waits.wait(), PATIENCE)
            first.kill()
            first.wait()
            with served(create_app(settings), int(url.rpartition(":")[2])):
                await client.answer("t", {"decisions": [{"type": "approve"}]})
                await asyncio.wait_for(watching, PATIENCE)
                assert seen == await client.events("t")
    ending = seen[-1].event
    assert isinstance(ending, RunFinished) and ending.outcome.success


async def test_a_conversation_is_listed_renamed_asked_about_and_exported(client: Client) -> None:
    await client.run(GROWTH, thread="named")
    await client.rename_thread("named", "What *grew*")
    [found] = [each for each in await client.threads() if each.thread == "named"]
    assert (found.title, found.goal, found.state) == ("What *grew*", GROWTH, "ended")
    assert (await client.titles())["named"] == "What *grew*"
    assert (await client.ask_about("named", "what have you changed?")).question == "what have you changed?"
    assert (await client.export_thread("named")).startswith("# What \\*grew\\*\n")
    await client.rename_thread("named", "")
    assert "named" not in await client.titles()


async def test_what_is_wrong_with_a_conversation_is_the_same_error_as_here(client: Client) -> None:
    for call in (
        client.rename_thread("nowhere", "x"),
        client.export_thread("nowhere"),
        client.ask_about("nowhere", "?"),
    ):
        with pytest.raises(UnknownThread):
            await call
    with pytest.raises(InvalidGoal):
        await client.ask_about("nowhere", " ")
    with pytest.raises(InvalidGoal):
        await anext(client.stream(GROWTH, thread="a/b"))


async def test_what_is_remembered_and_told_is_read(client: Client) -> None:
    await client.run(GROWTH, thread="remembered")
    assert GROWTH in [task.goal for task in await client.latest_tasks(limit=50)]
    [nearest] = await client.tasks_like(GROWTH, limit=1)
    assert (nearest.goal, round(nearest.similarity, 2)) == (GROWTH, 1.0)
    await client.run(BRIEF, thread="told")
    assert "asked" in [notice.kind for notice in await client.notices()]
