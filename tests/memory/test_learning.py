import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from domain.errors import InvalidSettings
from memory.encoders import Encoder, Vectors
from memory.learning import Calibrated, Learning
from memory.learnt import Learnt
from memory.learnt_stored import stored
from memory.plan_learning import PlanLearning
from memory.records import Value
from memory.tasks import TaskMemory
from memory.view import View
from tests.memory.conftest import Clock, House, OpenHouse, failure, success
from tests.memory.requests import ALIEN, requests, successes

KNOWN = "please refund the blue jacket"


@pytest.fixture
async def grown(house: House) -> House:
    await house.tasks.remember_many("acme", successes(requests()))
    await house.tasks.close()
    return house


async def test_a_grown_memory_has_learnt_by_itself(grown: House) -> None:
    recall = await grown.tasks.recall("acme", "marketing", KNOWN)
    assert (recall.band, recall.sequence) == ("reuse", ["refunds"])
    assert "learnt from 120 tasks here" in recall.explanation


async def test_requests_go_on_while_it_learns(house: House) -> None:
    await house.tasks.remember_many("acme", successes(requests()))
    recall = await house.tasks.recall("acme", "marketing", KNOWN)
    assert "learnt from" not in recall.explanation
    await house.tasks.close()


async def test_calibrate_learns_now_and_tells_what(grown: House) -> None:
    [found] = await grown.tasks.calibrate("acme")
    assert found == Calibrated("marketing", 120, 3, found.accuracy, found.novel_below, found.trust)
    assert found.accuracy > 0.9
    assert found.trust == pytest.approx(100 / 180)


async def test_a_small_memory_is_left_to_the_prior(tasks: TaskMemory) -> None:
    await tasks.remember(success("refund my ticket", "refunds"))
    assert await tasks.calibrate("acme") == []


async def test_what_was_learnt_survives_a_restart(grown: House, reopen: OpenHouse) -> None:
    before = await grown.tasks.recall("acme", "marketing", KNOWN)
    again = await (await reopen()).tasks.recall("acme", "marketing", KNOWN)
    assert again.confidence == pytest.approx(before.confidence, abs=0.01)
    assert "learnt from 120 tasks here" in again.explanation


@dataclass
class Renamed:
    """The same encoder under another name."""

    encoder: Encoder
    id: str = "renamed"
    dimension: int = 256

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self.encoder.encode(texts)


async def test_what_another_encoder_learnt_is_not_used(grown: House, wordllama: Encoder, clock: Clock) -> None:
    await grown.close()
    house = await House.open(grown.folder, Renamed(wordllama), clock)
    assert "learnt from" not in (await house.tasks.recall("acme", "marketing", KNOWN)).explanation
    await house.close()


async def test_a_request_from_another_world_is_never_reused(grown: House) -> None:
    recall = await grown.tasks.recall("acme", "marketing", ALIEN)
    assert recall.confidence <= 0.5


async def test_a_request_from_another_world_is_no_hint_where_the_memory_is_narrow(house: House) -> None:
    narrow = [
        success(f"{kind} number {n}", kind) for n in range(40) for kind in ("paint the wall", "refund the ticket")
    ]
    await house.tasks.remember_many("acme", narrow)
    await house.tasks.close()
    assert (await house.tasks.recall("acme", "marketing", "paint the wall number 99")).band == "reuse"
    recall = await house.tasks.recall("acme", "marketing", ALIEN)
    assert recall.band == "plan" and recall.confidence < 0.2


async def test_the_same_novel_goal_is_reused_once_it_succeeded(grown: House) -> None:
    await grown.tasks.remember(success(ALIEN, "proofs"))
    recall = await grown.tasks.recall("acme", "marketing", ALIEN)
    assert (recall.band, recall.sequence) == ("reuse", ["proofs"])


async def test_a_route_that_fails_is_demoted_at_once_and_promoted_by_success(grown: House) -> None:
    await grown.tasks.remember(failure("refund the kite", "refunds"))
    demoted = await grown.tasks.recall("acme", "marketing", KNOWN)
    await grown.tasks.remember(success("refund the drum", "refunds", quality=1.0))
    promoted = await grown.tasks.recall("acme", "marketing", KNOWN)
    assert (demoted.band, promoted.band) == ("hint", "reuse")
    assert "failed the last time" in demoted.explanation


async def test_tasks_done_by_other_versions_count_less(tasks: TaskMemory) -> None:
    await tasks.remember(success("refund my ticket", "refunds").model_copy(update={"versions": {"team": "1"}}))
    same = await tasks.recall("acme", "marketing", "refund my ticket", versions={"team": "1"})
    other = await tasks.recall("acme", "marketing", "refund my ticket", versions={"team": "2"})
    assert (same.band, other.band) == ("reuse", "hint")


async def test_a_forgotten_task_is_gone_from_what_was_learnt(grown: House) -> None:
    nearest = (await grown.tasks.recall("acme", "marketing", KNOWN)).neighbours[0]
    await grown.tasks.forget("acme", nearest.task)
    [(_, value)] = await grown.records.scan("memory:calibration:acme:")
    assert nearest.task not in value["tasks"]
    assert (await grown.tasks.recall("acme", "marketing", KNOWN)).sequence == ["refunds"]


async def test_many_tasks_are_stored_as_one_by_one(house: House) -> None:
    stored = await house.tasks.remember_many("acme", successes([("refund my ticket", "refunds")] * 2))
    assert (await house.tasks.list("acme"))[0] == stored[-1]
    assert (stored[-1].successes, await house.index.count("acme")) == (2, 1)


async def test_tasks_of_another_workspace_are_refused_as_a_whole(tasks: TaskMemory) -> None:
    records = [success("refund my ticket", "refunds"), success("steal it", "refunds", workspace="other")]
    with pytest.raises(InvalidSettings, match="other"):
        await tasks.remember_many("acme", records)
    assert await tasks.count("acme") == 0


async def test_an_index_lost_while_learning_is_rebuilt(grown: House) -> None:
    await grown.index.delete("acme", sorted(await grown.index.ids("acme"))[:3])
    [found] = await grown.tasks.calibrate("acme")
    assert found.tasks == 120


async def test_the_event_loop_is_free_while_it_learns(grown: House) -> None:
    learning = asyncio.create_task(grown.tasks.calibrate("acme"))
    turns = 0
    while not learning.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 50


async def test_what_grows_while_it_learns_is_learnt_afterwards_all_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    learn = Learning.learn

    async def noted(self: Learning, workspace: str, view: View, team: str) -> Calibrated | None:
        begun.append(view.sizes[team])
        return await learn(self, workspace, view, team)

    monkeypatch.setattr(Learning, "learn", noted)
    known = successes(requests())
    for start in range(0, 120, 20):
        await house.tasks.remember_many("acme", known[start : start + 20])
    await house.tasks.close()
    assert begun[-1] == 120 and len(begun) < 6
    assert "learnt from 120 tasks here" in (await house.tasks.recall("acme", "marketing", KNOWN)).explanation


async def test_a_task_forgotten_while_it_learns_is_left_out_and_the_index_stays(
    grown: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = (await grown.tasks.recall("acme", "marketing", KNOWN)).neighbours[0].task
    learn_plans = PlanLearning.learn

    async def forgetting(self: PlanLearning, *given: Any) -> None:
        await learn_plans(self, *given)
        await grown.tasks.forget("acme", gone)

    async def renewed() -> None:
        raise AssertionError("the index was not damaged")

    monkeypatch.setattr(PlanLearning, "learn", forgetting)
    monkeypatch.setattr(grown.index, "renew", renewed)
    [found] = await grown.tasks.calibrate("acme")
    assert found.tasks == 119


async def test_a_task_forgotten_while_what_was_learnt_is_stored_does_not_come_back(
    grown: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = (await grown.tasks.recall("acme", "marketing", KNOWN)).neighbours[0].task
    begun, go_on = threading.Event(), threading.Event()

    def held_up(learnt: Learnt) -> Value:
        value = stored(learnt)
        if not begun.is_set():
            begun.set()
            assert go_on.wait(20)
        return value

    monkeypatch.setattr("memory.learning.stored", held_up)
    learning = asyncio.create_task(grown.tasks.calibrate("acme"))
    assert await asyncio.to_thread(begun.wait, 20)
    forgetting = asyncio.create_task(grown.tasks.forget("acme", gone))
    for _ in range(200):
        await grown.tasks.get("acme", gone)  # time for whatever would overtake
    assert await grown.tasks.get("acme", gone) is None
    go_on.set()
    await asyncio.gather(learning, forgetting)
    [(_, value)] = await grown.records.scan("memory:calibration:acme:")
    assert gone not in value["tasks"] and len(value["tasks"]) == 119


async def test_learning_that_fails_is_told_and_closing_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise MemoryError("too large")

    monkeypatch.setattr("memory.learning.learn", broken)
    with caplog.at_level(logging.ERROR):
        await house.tasks.remember_many("acme", successes(requests()))
        await house.tasks.close()
    assert "learning for marketing in acme failed" in caplog.text
    assert (await house.tasks.recall("acme", "marketing", KNOWN)).sequence == ["refunds"]
