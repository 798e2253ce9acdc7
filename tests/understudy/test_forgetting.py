"""Forgetting through the front door: cut short and done again, beside runs that go on, and of what is old."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agents.delegation.history import digest
from domain.errors import StorageAway
from domain.events import RunFinished
from memory.scopes import Slot, Where
from understudy.document_store import DocumentStore
from understudy.orchestrator import Orchestrator
from understudy.pruning import Retention
from understudy.settings import Settings, load_settings

CANARY = b"canary-55e0"
GOAL = f"Write a brief on how Iowa's electricity mix changed, for {CANARY.decode()}"
SIGNS = (CANARY, digest(GOAL).encode(), b"effects:w:", b"state:w:", b"journal:w:", b"calls:w:")
"""What must be gone: the words, what selection knows of them, and whatever belongs to the conversation."""
ENERGY = Path(__file__).parents[2] / "examples" / "energy"


def stored(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def at(folder: Path) -> Settings:
    return load_settings(home=folder / "home", workspace="w", data=ENERGY, out=folder / "out")


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Orchestrator]:
    async with Orchestrator(at(tmp_path)) as orchestrator:
        yield orchestrator


async def done(orchestrator: Orchestrator, thread: str, goal: str = GOAL) -> None:
    """Run a goal, approving what is asked, with a note and a kept call in the conversation, and correct the answer."""
    await orchestrator._house.calls.append("w", thread, "r", "tool", {"text": CANARY.decode()})
    note = Slot("note", "session", str)
    await orchestrator._house.state.set(note, Where("w", thread), f"think of {CANARY.decode()}")
    result = await orchestrator.run(goal, thread=thread)
    while result.pending is not None:
        answers = {"decisions": [{"type": "approve"} for _ in result.pending.requests]}
        events = [stamped async for stamped in orchestrator.resume(thread, answers)]
        if isinstance(events[-1].event, RunFinished):
            break
    await orchestrator.feedback(thread, rating=2, correction=f"{CANARY.decode()} is a bird")


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("left")


@pytest.mark.parametrize("what", ["thread", "task"])
async def test_forgetting_that_is_cut_short_anywhere_is_finished_by_doing_it_again(
    left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    if not (left / "home").exists():
        async with Orchestrator(at(left)) as orchestrator:
            await done(orchestrator, "secret")
        assert all(sign in stored(left / "home") for sign in SIGNS)
    point, cut = 0, True
    while cut:
        folder = tmp_path / str(point)
        shutil.copytree(left, folder)
        async with Orchestrator(at(folder)) as orchestrator:
            cut = await cut_short(orchestrator, monkeypatch, what, point)
            await forget(orchestrator, what)
        rest = stored(folder / "home")
        assert all(sign not in rest for sign in SIGNS), f"cut short before deletion {point}"
        point += 1
    assert point > 8


async def forget(orchestrator: Orchestrator, what: str) -> None:
    """Forget what is still there."""
    if what == "task":
        for task in await orchestrator.memory.list("w"):
            await orchestrator.forget(task.id)
    elif await orchestrator._runs.entries("w"):
        await orchestrator.forget_thread("secret")


async def cut_short(orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch, what: str, point: int) -> bool:
    """Forget, with storage that goes away before the deletion of this number; return whether there was one."""
    records, left = orchestrator._house.records, [point]

    def going(delete: Any) -> Any:
        async def deleted(key: str) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise StorageAway("gone")
            return await delete(key)

        return deleted

    with monkeypatch.context() as patched:
        for name in ("delete", "drop"):
            patched.setattr(records, name, going(getattr(records, name)))
        try:
            await forget(orchestrator, what)
        except StorageAway:
            return True
    return False


async def test_a_task_is_forgotten_though_a_run_of_its_goal_goes_on(product: Orchestrator) -> None:
    goal = f"What does net generation mean, {CANARY.decode()}?"
    for thread in ("first", "second"):
        await product.run(goal, thread=thread)
    stream = product.stream("And what else?", thread="second")
    await anext(stream)
    [task] = await product.memory.list("w")
    forgotten = await product.forget(task.id)
    assert (forgotten.tasks, forgotten.threads, forgotten.kept) == ([task.id], ["first"], ["second"])
    await stream.aclose()  # type: ignore[attr-defined]
    assert await product.memory.list("w") == []


async def test_pruning_leaves_a_conversation_alone_that_goes_on(product: Orchestrator) -> None:
    for thread in ("first", "second"):
        await product.run("What does net generation mean?", thread=thread)
    stream = product.stream("And what else?", thread="second")
    await anext(stream)
    assert (await product.prune(Retention(checkpoints=1, days=0))).conversations == ["first"]
    ending = [stamped async for stamped in stream][-1]
    assert isinstance(ending.event, RunFinished)


async def test_a_task_goes_with_its_conversation_though_the_episode_is_too_old(product: Orchestrator) -> None:
    await product.run(f"What does {CANARY.decode()} mean?", thread="old")
    await product.run("What does net generation mean?", thread="other")
    [task] = [task for task in await product.memory.list("w") if CANARY.decode() in task.goal]
    await product.lessons.episodes.forget_thread("w", "old")
    assert (await product.forget_thread("old")).tasks == [task.id]
    assert [task.goal for task in await product.memory.list("w")] == ["What does net generation mean?"]


async def test_a_task_stays_that_another_conversation_did_longer_ago_than_episodes_are_kept(
    product: Orchestrator,
) -> None:
    for thread in ("old", "new"):
        await product.run("What does net generation mean?", thread=thread)
    await product.lessons.episodes.forget_thread("w", "old")
    assert (await product.forget_thread("new")).tasks == []
    assert len(await product.memory.list("w")) == 1


async def test_the_documents_of_a_forgotten_conversation_are_gone(tmp_path: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"Wind grew."

    settings = at(tmp_path)
    async with Orchestrator(settings) as understudy:
        await understudy.run("How much did wind grow?", thread="docs")
        store = DocumentStore(settings.home, settings.workspace, "docs", None)
        await store.take("notes.md", chunks())
        await understudy.forget_thread("docs")
    assert not store.folder.exists()
