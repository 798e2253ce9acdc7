from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from memory.encoders import Encoder, encoder
from memory.sqlite import SqliteRecords


@pytest.fixture(scope="session")
def wordllama() -> Encoder:
    return encoder("wordllama")


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqliteRecords]:
    opened = await SqliteRecords.open(tmp_path / "records.db")
    yield opened
    await opened.close()
