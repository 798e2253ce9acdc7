import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from memory.encoders import Encoder, Vectors
from memory.index import ChromaIndex, Hit, IndexDamaged


@pytest.fixture
async def index(tmp_path: Path, wordllama: Encoder) -> AsyncIterator[ChromaIndex]:
    index = await ChromaIndex.open(tmp_path, wordllama)
    yield index
    await index.close()


def axes(count: int) -> Vectors:
    return np.eye(count, 256, dtype=np.float32)


async def test_the_nearest_vectors_come_first_with_their_cosine(index: ChromaIndex) -> None:
    await index.add("acme", ["a", "b", "c"], axes(3))
    query = np.asarray(axes(3)[0] * 0.8 + axes(3)[1] * 0.6, np.float32)
    hits = await index.query("acme", query, 2)
    assert [hit.id for hit in hits] == ["a", "b"]
    assert [hit.similarity for hit in hits] == pytest.approx([0.8, 0.6], abs=1e-5)


async def test_an_empty_workspace_has_no_hits(index: ChromaIndex) -> None:
    assert await index.query("acme", axes(1)[0], 5) == []


async def test_an_id_gets_its_new_vector(index: ChromaIndex) -> None:
    await index.add("acme", ["a"], axes(1))
    await index.add("acme", ["a"], axes(2)[1:])
    assert await index.count("acme") == 1
    [hit] = await index.query("acme", axes(2)[1], 1)
    assert hit == Hit("a", pytest.approx(1.0, abs=1e-5))  # type: ignore[arg-type]  # a matcher


async def test_deleted_vectors_are_gone(index: ChromaIndex) -> None:
    await index.add("acme", ["a", "b"], axes(2))
    await index.delete("acme", ["a", "unknown"])
    await index.delete("acme", [])
    assert await index.ids("acme") == {"b"}


@pytest.mark.parametrize("name", ["a", "A", "a.b", "0", "x" * 64, "a-", "a..b"])
async def test_every_workspace_name_has_its_own_collection(index: ChromaIndex, name: str) -> None:
    await index.add(name, ["a"], axes(1))
    assert (await index.count(name), await index.count("other")) == (1, 0)


async def test_a_closed_index_can_be_opened_again(tmp_path: Path, wordllama: Encoder) -> None:
    for count in (1, 2):
        index = await ChromaIndex.open(tmp_path, wordllama)
        await index.add("acme", [str(count)], axes(1))
        assert await index.count("acme") == count
        await index.close()
        await index.close()


def junk(file: Path) -> None:
    file.write_bytes(b"junk" * (file.stat().st_size // 4))


def junk_all(folder: Path, pattern: str) -> None:
    for file in folder.rglob(pattern):
        junk(file)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "database": lambda folder: junk_all(folder, "chroma.sqlite3"),
    "graph": lambda folder: junk_all(folder, "*.bin"),
    "graph lost": lambda folder: shutil.rmtree(next(folder.rglob("header.bin")).parent),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_damage_is_noticed_and_a_renewed_index_works(
    tmp_path: Path, wordllama: Encoder, damage: Callable[[Path], None]
) -> None:
    index = await ChromaIndex.open(tmp_path, wordllama)
    vectors = wordllama.encode([f"task number {i}" for i in range(1001)])  # Chroma writes the graph from 1000 on
    await index.add("acme", [str(i) for i in range(1001)], vectors)
    await index.close()
    damage(tmp_path)
    index = await ChromaIndex.open(tmp_path, wordllama)
    try:
        assert await index.query("acme", vectors[0], 5) == []  # noticed at opening, and renewed there
    except IndexDamaged:
        await index.renew()
    await index.add("acme", ["0"], vectors[:1])
    assert [hit.id for hit in await index.query("acme", vectors[0], 5)] == ["0"]
    await index.close()


async def test_a_collection_with_another_distance_is_replaced(tmp_path: Path, wordllama: Encoder) -> None:
    index = await ChromaIndex.open(tmp_path, wordllama)
    name = await index._call(lambda: index._collection("acme").name)
    await index._call(lambda: index._client and index._client.delete_collection(name))
    await index._call(lambda: index._client and index._client.create_collection(name, embedding_function=None))
    await index.close()
    index = await ChromaIndex.open(tmp_path, wordllama)
    await index.add("acme", ["a"], axes(1))
    [hit] = await index.query("acme", np.asarray(axes(1)[0] * 0.5, np.float32), 1)
    assert hit.similarity == pytest.approx(1.0, abs=1e-5)
    await index.close()
