"""Redis is killed in the middle of a run: the run goes on, says so, and nothing of it is lost or doubled."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agents.contracts import Assignment
from agents.tools.registry import ToolOutput
from domain.events import Explained, MemoryRecalled, RoleDegraded, RunFinished, Stamped
from domain.outcomes import Outcome, StepResult
from domain.plans import Plan
from graph.context import Context
from memory.effects import FIRST_RESULT
from memory.journal import Journal
from memory.queued import QueuedRecords
from memory.redis import RedisRecords
from memory.tasks import TASK_RUN, TaskRecord
from tests.graph.conftest import DELIVER, Note, Opener, Theatre, Troupe, step
from tests.redis_server import RedisServer
from tests.understudy.durable.desks import open_reception
from understudy.bus import Bus
from understudy.durable.fence_rows import Holder
from understudy.durable.fences import Fences
from understudy.runs import Runs
from understudy.threads import ThreadEntry


@dataclass
class Interrupted(Troupe):
    """Lets something happen while a step is done, or while the tool saves."""

    happens: Callable[[], None] = lambda: None
    at: str = "read"

    async def specialist(self, request: Assignment) -> StepResult:
        if request.step.id == self.at:
            self.happens()
        return await super().specialist(request)

    async def save(self, note: Note) -> ToolOutput:
        if self.at == "save":
            self.happens()
        return await super().save(note)


@pytest.fixture
async def records(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[QueuedRecords]:
    redis = RedisRecords.open(redis_server.url)
    records = await QueuedRecords.open(redis, tmp_path / "outbox.sqlite", merges=(TASK_RUN, FIRST_RESULT))
    yield records
    await records.close()


async def nobody_asks(entry: ThreadEntry, question: str) -> Explained:
    raise AssertionError(question)


async def ran(stage: Theatre, records: QueuedRecords) -> list[Stamped]:
    with TemporaryDirectory() as folder:
        async with open_reception(Path(folder), None) as reception:
            fences = Fences(reception.database, Holder.of("here"), time.time)
            journal, desk = Journal(records), reception.desk
            runs = Runs(
                stage.graph, records, journal, time.time,
                fences=fences, desk=desk, bus=Bus(), ended=nothing, explain=nobody_asks,
            )  # fmt: skip
            return [stamped async for stamped in runs.start("Save it", Context(user="ada"), thread="t")]


def outcome(events: list[Stamped]) -> Outcome:
    assert isinstance(events[-1].event, RunFinished)
    return events[-1].event.outcome


async def journal(records: QueuedRecords) -> list[Stamped]:
    return [Stamped(seq=seq, **body) for seq, body in await Journal(records).read("default", "t")]


async def remembered(stage: Theatre) -> list[TaskRecord]:
    return await stage.services.memory.list("default")


async def nothing(_: ThreadEntry) -> None:
    pass


async def test_a_run_outlives_redis_and_is_there_when_it_is_back(
    theatre: Opener, records: QueuedRecords, redis_server: RedisServer
) -> None:
    stage = theatre(Interrupted(happens=redis_server.kill), records=records)
    events = await ran(stage, records)
    assert (outcome(events).status, records.absence is not None) == ("done", True)
    redis_server.start()
    assert await journal(records) == events
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [(task.goal, task.successes) for task in await remembered(stage)] == [("Save it", 1)]


async def test_a_run_without_memory_says_so(theatre: Opener, records: QueuedRecords, redis_server: RedisServer) -> None:
    redis_server.kill()
    stage = theatre(records=records)
    events = [stamped.event for stamped in await ran(stage, records)]
    assert [e.role for e in events if isinstance(e, RoleDegraded)] == ["memory"]
    (recalled,) = [e.recall for e in events if isinstance(e, MemoryRecalled)]
    assert recalled.explanation.startswith("Nothing could be recalled: Redis at ")
    redis_server.start()
    assert len(await remembered(stage)) == 1


async def test_an_effect_during_which_redis_dies_happens_once_and_is_known_later(
    theatre: Opener, records: QueuedRecords, redis_server: RedisServer
) -> None:
    troupe = Interrupted(plans=[Plan(steps=[step("read"), DELIVER])], happens=redis_server.kill, at="save")
    stage = theatre(troupe, records=records)
    events = await ran(stage, records)
    assert outcome(events).status == "done"
    redis_server.start()
    [entry] = await stage.services.effects.of_run("default", events[0].run)
    assert (entry.state, entry.effect.result) == ("done", {"text": "wrote a.md", "data": {"path": "a.md"}})
    assert len(troupe.saved) == 1


async def test_no_effect_begins_while_redis_is_away(
    theatre: Opener, records: QueuedRecords, redis_server: RedisServer
) -> None:
    troupe = Interrupted(plans=[Plan(steps=[step("read"), DELIVER])], happens=redis_server.kill)
    failed = outcome(await ran(theatre(troupe, records=records), records))
    assert failed.failure is not None
    assert (failed.status, failed.failure.code, troupe.saved) == ("failed", "storage_away", [])
    redis_server.start()
    assert await records.scan("effects:") == []
