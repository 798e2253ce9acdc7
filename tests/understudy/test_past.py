"""Runs of the past, through the front door: undone, traced, carried on after an untimely end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import UnknownRun
from domain.events import RunFinished
from domain.outcomes import Outcome
from evals.benchmarks.crash_world import TEAM, Script, World
from graph.context import Context, Services
from memory.records import Value
from understudy.durable.fences import ThreadBusy
from understudy.orchestrator import Orchestrator
from understudy.pruning import Retention
from understudy.settings import Settings, load_settings
from understudy.wiring import House


class Playhouse(House):
    """A house whose tools mark a world outside."""

    def __init__(self, settings: Settings, world: World) -> None:
        super().__init__(settings)
        self.world = world

    async def services_for(self, context: Context) -> Services:
        cast = Script().cast()
        services = await super().services_for(context)
        return replace(services, team=TEAM, cast=cast, understudies=cast, tools=self.world.tools())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "effects")


@pytest.fixture
async def house(tmp_path: Path, world: World) -> House:
    return Playhouse(load_settings(home=tmp_path / "home", workspace="w"), world)


@pytest.fixture
async def product(house: House) -> AsyncIterator[Orchestrator]:
    async with Orchestrator(house.settings, house=house) as orchestrator:
        yield orchestrator


async def test_an_undone_run_is_no_success_any_more(product: Orchestrator, world: World) -> None:
    await product.run("chain 1", thread="t")
    done = await product.undo("t")
    assert [what.split()[0] for what in done.undone] == ["mark"]
    assert [what.split(":")[-1] for what in done.kept] == [" send cannot be undone"]
    assert (world.stands("chain1.a"), world.stands("chain1.b")) == (False, True)
    [task] = await product.memory.list("w")
    assert (task.last_success, task.successes, task.failures) == (False, 0, 1)
    ending = [stamped.event async for stamped in product.resume("t")][-1]
    assert isinstance(ending, RunFinished)
    assert (ending.outcome.status, len(ending.outcome.undone), len(ending.outcome.kept)) == ("undone", 1, 1)


async def test_undoing_again_changes_nothing(product: Orchestrator, world: World) -> None:
    await product.run("chain 1", thread="t")
    first = await product.undo("t")
    events = await product.events("t")
    assert (await product.undo("t")).undone == first.undone
    assert world.happened()["-chain1.a"] == 1
    assert sum(isinstance(s.event, RunFinished) for s in await product.events("t")) == sum(
        isinstance(s.event, RunFinished) for s in events
    )


async def test_a_run_is_found_by_its_id_though_its_thread_went_on(product: Orchestrator, world: World) -> None:
    first = await product.run("fan 1", thread="t")
    await product.run("chain 2", thread="t")
    run = first.events[0].run
    await product.undo(run)
    assert (world.stands("fan1.a"), world.stands("chain2.a")) == (False, True)
    trace = await product.trace(run)
    assert (trace.goal, sorted(e.state for e in trace.effects)) == ("fan 1", ["done", "undone", "undone"])
    ending = [stamped.event async for stamped in product.resume("t")][-1]
    assert isinstance(ending, RunFinished)
    assert ending.outcome.status == "done"


async def test_a_run_that_changed_nothing_is_left_alone(product: Orchestrator) -> None:
    async for stamped in product.stream("chain 1", thread="t", plan_only=True):
        last = stamped
    assert (await product.undo("t")).undone == []
    assert last.run == (await product.trace("t")).run
    ending = [stamped.event async for stamped in product.resume("t")][-1]
    assert isinstance(ending, RunFinished)
    assert ending.outcome.status == "done"


async def test_an_interrupted_run_ends_with_its_undoing(product: Orchestrator, world: World) -> None:
    async for stamped in product.stream("chain 1", thread="t"):
        if stamped.event.type == "effect_recorded":
            product.request_stop()
    assert world.stands("chain1.a")
    await product.undo("t")
    ending = [stamped.event async for stamped in product.resume("t")][-1]
    assert isinstance(ending, RunFinished)
    assert ending.outcome.status == "undone"
    assert not world.stands("chain1.a")


async def test_an_unknown_run_is_refused(product: Orchestrator) -> None:
    with pytest.raises(UnknownRun, match="'nope'"):
        await product.undo("nope")


async def test_a_run_whose_process_ended_before_the_goal_was_taken_in_begins(product: Orchestrator) -> None:
    stream = product.stream("chain 1", thread="t")
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    saver = product._saver
    await saver.adelete_thread("w:t")
    ending = [stamped.event async for stamped in product.resume("t")][-1]
    assert isinstance(ending, RunFinished)
    assert ending.outcome.status == "done"


async def test_a_run_whose_process_ended_before_it_told_its_end_tells_it(product: Orchestrator, house: House) -> None:
    result = await product.run("chain 1", thread="t")
    entry = await house.records.get("thread:w:t")
    assert entry is not None
    await house.journal.forget("w", "t")
    await house.records.put("thread:w:t", entry | {"state": "running"})
    ending = [stamped.event async for stamped in product.resume("t")][-1]
    assert ending == RunFinished(outcome=result.outcome or Outcome(status="failed"))
    assert (await house.records.get("thread:w:t") or {})["state"] == "ended"


async def test_nothing_is_shown_before_it_is_stored_and_what_comes_together_is_stored_together(
    product: Orchestrator, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, sizes, append = 0, list[int](), house.records.append_many

    async def counted(log: str, entries: Sequence[Value]) -> int:
        nonlocal stored
        last = await append(log, entries)
        if log.startswith("journal:"):
            sizes.append(len(entries))
            stored = last
        return last

    monkeypatch.setattr(house.records, "append_many", counted)
    seen = []
    async for stamped in product.stream("chain 1", thread="t"):
        assert stamped.seq <= stored
        seen.append(stamped)
    assert [stamped.seq for stamped in seen] == list(range(1, stored + 1))
    assert [(stamped.seq, stamped.event) for stamped in await product.events("t")] == [(s.seq, s.event) for s in seen]
    assert len(sizes) < sum(sizes)


async def test_services_are_made_once_for_who_asks(house: House) -> None:
    async with House(house.settings) as own:
        mine, yours = Context(workspace="w"), Context(workspace="v")
        assert await own.services_for(mine) is await own.services_for(Context(workspace="w"))
        assert await own.services_for(mine) is not await own.services_for(yours)


async def test_two_who_undo_at_once_undo_once(product: Orchestrator, world: World) -> None:
    await product.run("fan 1", thread="t")
    tries = await asyncio.gather(*(product.undo("t") for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(found, ThreadBusy) for found in tries) == 2
    assert [world.happened()[f"-fan1.{step}"] for step in "ac"] == [1, 1]


async def test_while_a_run_goes_on_its_thread_is_neither_undone_nor_forgotten(
    product: Orchestrator, world: World
) -> None:
    refused = 0
    async for stamped in product.stream("chain 1", thread="t"):
        if stamped.event.type == "effect_recorded":
            for changed in (product.undo("t"), product.forget_thread("t")):
                with pytest.raises(ThreadBusy):
                    await changed
                refused += 1
    assert refused == 4
    assert (world.stands("chain1.a"), world.stands("chain1.b")) == (True, True)
    assert len((await product.undo("t")).undone) == 1


async def test_a_run_that_was_left_for_another_one_can_still_be_undone(product: Orchestrator, world: World) -> None:
    async for stamped in product.stream("chain 1", thread="t"):
        if stamped.event.type == "effect_recorded":
            product.request_stop()
    await product.run("chain 2", thread="t")
    done = await product.undo(stamped.run)
    assert len(done.undone) == 1
    assert (world.stands("chain1.a"), world.stands("chain2.a")) == (False, True)


async def test_what_a_run_changed_is_undone_after_its_checkpoints_are_pruned(
    product: Orchestrator, world: World
) -> None:
    await product.run("chain 1", thread="t")
    await product.prune(Retention(checkpoints=1))
    assert len((await product.undo("t")).undone) == 1
    assert not world.stands("chain1.a")
    await product.prune(Retention(checkpoints=1, days=0))
    with pytest.raises(UnknownRun):
        await product.undo("t")
