"""Questions of runs at the desk, through the front door: asked, asked anew, answered in parts, typed, and withdrawn."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from agents.tools.registry import Toolbox
from domain.autonomy import Autonomy
from domain.errors import InvalidArguments, NothingPending, QuestionClosed, StorageError
from domain.events import AnswerNoted, ApprovalRequested, Event, RunFinished
from domain.questions import Question
from evals.benchmarks.crash_worker import Stage
from evals.benchmarks.crash_world import TEAM, Mark, Script, World
from memory.encoders import encoder
from understudy.crashing import Playhouse
from understudy.durable.desk import Desk
from understudy.durable.questions import QUESTIONS, TIMERS
from understudy.graph_threads import GraphThreads
from understudy.orchestrator import Orchestrator
from understudy.settings import load_settings

CAUTIOUS = TEAM.model_copy(update={"autonomy": Autonomy(tier="cautious")})
APPROVE: Any = {"decisions": [{"type": "approve"}]}


class Product:
    """The product on scripted roles, with what a test looks at."""

    def __init__(self, folder: Path, *, check: Callable[[Mark], Awaitable[None]] | None = None) -> None:
        self.world = World(folder / "effects")
        settings = load_settings(home=folder / "home", user="ada")
        tools = Toolbox.of([replace(tool, check=check) for tool in self.world.tools().tools.values()])
        self.house = Playhouse(settings, Stage(CAUTIOUS, Script().cast(), tools), encoder())
        self.door = Orchestrator(settings, house=self.house)

    @property
    def desk(self) -> Desk:
        return self.house.desk

    async def start(self, goal: str = "chain 1") -> list[Event]:
        return [stamped.event async for stamped in self.door.stream(goal, thread="t")]

    async def resume(self, answer: Any = None) -> list[Event]:
        return [stamped.event async for stamped in self.door.resume("t", answer)]

    async def question(self) -> Question:
        [found] = await self.desk.listed("default")
        return found

    async def expire(self) -> None:
        """Let the time of the open question be over."""

        def over(connection: sa.Connection) -> None:
            connection.execute(sa.update(TIMERS).values(over=1.0))
            connection.execute(sa.update(QUESTIONS).values(due=1.0))

        await self.house.database.write(over)
        assert [each.status for each in await self.desk.settle()] == ["expired"]


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    made = Product(tmp_path)
    async with made.door:
        yield made


async def test_what_is_asked_stands_at_the_desk_until_it_is_applied(product: Product) -> None:
    assert isinstance((await product.start())[-1], ApprovalRequested)
    asked = await product.question()
    pending = await product.door.pending("t")
    assert pending is not None
    assert (pending.question, pending.interrupt, pending.requests) == (asked.id, asked.interrupt, asked.requests)
    assert isinstance((await product.resume(APPROVE))[-1], ApprovalRequested)
    before = await product.desk.get("default", asked.id)
    assert (before.status, before.applied, before.closed_by) == ("decided", True, "ada")
    assert isinstance((await product.resume(APPROVE))[-1], RunFinished)
    assert await product.desk.listed("default") == []
    assert await product.desk.ready() == []
    assert product.world.happened() == {"+chain1.a": 1, "+chain1.b": 1}


async def test_what_was_decided_elsewhere_is_carried_out_by_resuming(product: Product) -> None:
    await product.start()
    await product.desk.answer("default", (await product.question()).id, APPROVE, by="ben")
    assert await product.door.pending("t") is None
    with pytest.raises(QuestionClosed, match="ben"):
        await product.resume({"decisions": [{"type": "reject"}]})
    assert isinstance((await product.resume())[-1], ApprovalRequested)
    assert product.world.happened() == {"+chain1.a": 1}


async def test_a_question_whose_time_was_over_is_asked_anew(product: Product) -> None:
    await product.start()
    first = await product.question()
    await product.expire()
    with pytest.raises(QuestionClosed):
        await product.resume(APPROVE)
    with pytest.raises(QuestionClosed):
        await product.start("yes")
    assert product.world.happened() == {}
    assert isinstance((await product.resume())[-1], ApprovalRequested)
    again = await product.question()
    assert (again.id, again.interrupt) == (f"{first.id}-2", first.interrupt)
    assert isinstance((await product.resume(APPROVE))[-1], ApprovalRequested)
    assert product.world.happened() == {"+chain1.a": 1}


async def test_a_typed_yes_is_an_answer_at_the_desk_and_other_words_ask_again(product: Product) -> None:
    await product.start()
    first = await product.question()
    assert isinstance((await product.start("Do the same for Ohio."))[-1], ApprovalRequested)
    assert (await product.desk.get("default", first.id)).status == "withdrawn"
    second = await product.question()
    assert isinstance((await product.start("yes"))[-1], ApprovalRequested)
    assert (await product.desk.get("default", second.id)).closed_by == "ada"
    assert product.world.happened() == {"+chain1.a": 1}


async def test_an_edit_that_the_tool_refuses_is_asked_about_again_with_the_reason(tmp_path: Path) -> None:
    async def check(mark: Mark) -> None:
        if ".." in mark.name:
            raise InvalidArguments(f"'{mark.name}' leads out of the world")

    product = Product(tmp_path, check=check)
    async with product.door:
        await product.start()
        first = await product.question()
        answer = {"type": "edit", "args": {"args": {"name": "../out"}}}
        await product.desk.answer("default", first.id, answer, by="ben")
        asked = (await product.resume())[-1]
        assert isinstance(asked, ApprovalRequested)
        again = await product.question()
        told = "The last answer could not be used: '../out' leads out of the world.\n"
        assert again.id != first.id
        assert again.requests[0].description == asked.requests[0].description
        assert again.requests[0].description == told + first.requests[0].description
        pending = await product.door.pending("t")
        assert pending is not None and pending.requests == again.requests
        assert product.world.happened() == {}
        await product.resume(APPROVE)
        assert product.world.happened() == {"+chain1.a": 1}


async def test_an_answer_to_one_of_several_requests_waits_for_the_others(product: Product) -> None:
    await product.start("fan 1")
    ids = [request.id for request in (await product.question()).requests]
    for each in ids[:-1]:
        noted = (await product.resume({"request": each, "type": "approve"}))[-1]
        assert isinstance(noted, AnswerNoted) and ids[-1] in noted.wants
    assert product.world.happened() == {}
    assert isinstance((await product.resume({"request": ids[-1], "type": "approve"}))[-1], RunFinished)
    assert product.world.happened() == {f"+fan1.{name}": 1 for name in "abc"}


async def test_who_undoes_or_forgets_a_waiting_run_takes_its_question_away(product: Product) -> None:
    await product.start()
    await product.resume(APPROVE)
    await product.door.undo("t")
    assert await product.desk.listed("default") == []
    with pytest.raises(NothingPending):
        await product.resume(APPROVE)
    await product.start("chain 2")
    await product.door.forget_thread("t")
    assert await product.desk.listed("default") + await product.desk.listed("default", closed=True) == []


async def test_a_thread_that_was_asked_when_its_process_ended_is_asked_once(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Desk, question: Question) -> Question:
        raise StorageError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(Desk, "open", broken)
        with pytest.raises(StorageError, match="ends here"):
            await product.start()
    assert await product.desk.listed("default") == []
    assert isinstance((await product.resume())[-1], ApprovalRequested)
    assert len((await product.question()).requests) == 1


async def test_undoing_that_was_cut_short_takes_the_question_away_when_it_is_done_again(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise StorageError("the process ends here")

    await product.start()
    await product.resume(APPROVE)
    with monkeypatch.context() as patch:
        patch.setattr(Desk, "withdraw", broken)
        with pytest.raises(StorageError, match="ends here"):
            await product.door.undo("t")
    await product.door.undo("t")
    assert await product.desk.listed("default") == []
    assert product.world.happened() == {"+chain1.a": 1, "-chain1.a": 1}


async def test_a_conversation_that_is_half_forgotten_has_no_question_that_could_still_be_approved(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise StorageError("the process ends here")

    await product.start()
    with monkeypatch.context() as patch:
        patch.setattr(GraphThreads, "forget", broken)
        with pytest.raises(StorageError, match="ends here"):
            await product.door.forget_thread("t")
    assert await product.desk.listed("default") == []
