from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from memory.encoders import Encoder, encoder
from memory.index import ChromaIndex
from memory.sqlite import SqliteRecords
from memory.tasks import TaskMemory, TaskRecord

DAY = 86400.0


@dataclass
class Clock:
    """Time that moves when told to."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += days * DAY


@dataclass
class House:
    """An opened memory with the parts it is made of."""

    folder: Path
    records: SqliteRecords
    index: ChromaIndex
    tasks: TaskMemory

    @classmethod
    async def open(cls, folder: Path, encoder: Encoder, clock: Clock) -> "House":
        records = await SqliteRecords.open(folder / "records.db", clock=clock)
        index = await ChromaIndex.open(folder / "index", encoder)
        return cls(folder, records, index, TaskMemory(records, index, clock=clock))

    async def close(self) -> None:
        await self.tasks.close()
        await self.index.close()
        await self.records.close()

    def bytes_of_files(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


OpenHouse = Callable[[], Awaitable[House]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def wordllama() -> Encoder:
    return encoder("wordllama")


@pytest.fixture
async def reopen(tmp_path: Path, wordllama: Encoder, clock: Clock) -> AsyncIterator[OpenHouse]:
    """Open the memory in one folder, closing the one that was open before."""
    opened: list[House] = []

    async def _reopen() -> House:
        for house in opened:
            await house.close()
        opened[:] = [await House.open(tmp_path, wordllama, clock)]
        return opened[0]

    yield _reopen
    for house in opened:
        await house.close()


@pytest.fixture
async def house(reopen: OpenHouse) -> House:
    return await reopen()


@pytest.fixture
def tasks(house: House) -> TaskMemory:
    return house.tasks


def success(
    goal: str, *sequence: str, workspace: str = "acme", team: str = "marketing", quality: float = 0.92
) -> TaskRecord:
    return TaskRecord(
        workspace=workspace,
        team=team,
        goal=goal,
        sequence=list(sequence),
        successes=1,
        last_success=True,
        quality=quality,
    )


def failure(goal: str, *sequence: str, workspace: str = "acme", team: str = "marketing") -> TaskRecord:
    return TaskRecord(
        workspace=workspace,
        team=team,
        goal=goal,
        sequence=list(sequence),
        failures=1,
        last_success=False,
        error="broke",
    )
