import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from domain.errors import StorageError
from memory.chroma_server import ChromaServer
from memory.encoders import Encoder, Vectors, encoder
from memory.index import ChromaIndex, IndexDamaged
from tests.chroma_server import ChromaProcess

Open = Callable[[], Awaitable[ChromaIndex]]


@pytest.fixture(params=["folder", "server"])
def open_index(request: pytest.FixtureRequest, tmp_path: Path, wordllama: Encoder) -> Open:
    """Open the index of one installation, in a folder or on a server that it shares with all other tests."""
    if request.param == "folder":
        return lambda: ChromaIndex.open(tmp_path, wordllama)
    server: ChromaProcess = request.getfixturevalue("shared_chroma")
    name = uuid.uuid4().hex

    async def owner() -> str:
        return name

    return lambda: ChromaIndex.open(ChromaServer(server.url), wordllama, owner=owner)


@pytest.fixture
async def index(open_index: Open) -> AsyncIterator[ChromaIndex]:
    index = await open_index()
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


async def test_a_similarity_is_never_more_than_one(index: ChromaIndex) -> None:
    vectors = np.random.default_rng(0).standard_normal((200, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    await index.add("acme", [str(i) for i in range(200)], vectors)
    best = [(await index.query("acme", vector, 1))[0].similarity for vector in vectors]
    assert min(best) > 0.999 and max(best) <= 1


async def test_a_query_among_some_sees_only_these(index: ChromaIndex) -> None:
    await index.add("acme", ["a", "b", "c"], axes(3))
    hits = await index.query("acme", axes(1)[0], 5, among=["c", "b", "unknown"])
    assert {hit.id for hit in hits} == {"b", "c"}
    assert await index.query("acme", axes(1)[0], 5, among=[]) == []
    assert await index.query("acme", axes(1)[0], 0) == []


async def test_an_id_gets_its_new_vector(index: ChromaIndex) -> None:
    await index.add("acme", ["a"], axes(1))
    await index.add("acme", ["a"], axes(2)[1:])
    assert await index.count("acme") == 1
    [hit] = await index.query("acme", axes(2)[1], 1)
    assert hit.id == "a"
    assert hit.similarity == pytest.approx(1.0, abs=1e-5)
    assert hit.vector == pytest.approx(axes(2)[1], abs=1e-6)


async def test_deleted_vectors_are_gone(index: ChromaIndex) -> None:
    await index.add("acme", ["a", "b"], axes(2))
    await index.delete("acme", ["a", "unknown"])
    await index.delete("acme", [])
    assert await index.ids("acme") == {"b"}


@pytest.mark.parametrize("name", ["a", "A", "a.b", "0", "x" * 64, "a-", "a..b"])
async def test_every_workspace_name_has_its_own_collection(index: ChromaIndex, name: str) -> None:
    await index.add(name, ["a"], axes(1))
    assert (await index.count(name), await index.count("other")) == (1, 0)


async def test_vectors_come_back_as_they_were_stored(index: ChromaIndex) -> None:
    await index.add("acme", ["a", "b"], axes(2))
    assert await index.vectors("acme", ["b", "a"]) == pytest.approx(axes(2)[::-1], abs=1e-6)
    with pytest.raises(IndexDamaged, match="has lost vectors"):
        await index.vectors("acme", ["a", "gone"])


async def test_more_than_one_batch_is_stored_whole(index: ChromaIndex, wordllama: Encoder) -> None:
    vectors = wordllama.encode([f"task number {i}" for i in range(1003)])
    await index.add("acme", [str(i) for i in range(1003)], vectors)
    assert (await index.count("acme"), [h.id for h in await index.query("acme", vectors[1002], 1)]) == (1003, ["1002"])


async def test_what_is_forgotten_goes_from_the_collections_of_every_encoder(
    index: ChromaIndex, wordllama: Encoder
) -> None:
    for name in ("chroma-default", "wordllama"):
        index.encoder = encoder(name)
        index._collections.clear()
        await index.add("acme", ["a", "b"], np.eye(2, index.encoder.dimension, dtype=np.float32))
    await index.add("other", ["a"], axes(1))
    await index.forget("acme", ["a"])
    await index.forget("acme", [])
    left = await index._call(lambda: {c.name: c.get(include=[])["ids"] for c in index._chroma.beginning("tasks-")})
    assert sorted(ids for name, ids in left.items() if name.startswith(index._space("acme"))) == [["b"], ["b"]]
    assert await index.ids("other") == {"a"}


def graph_files(folder: Path) -> list[Path]:
    return [next(folder.rglob(name)) for name in ("data_level0.bin", "length.bin")]


@pytest.mark.parametrize("count", [3, 1100])
async def test_what_chroma_left_of_the_processes_memory_in_its_files_is_overwritten(
    tmp_path: Path, wordllama: Encoder, count: int
) -> None:
    vectors = wordllama.encode([f"task number {i}" for i in range(count)])
    index = await ChromaIndex.open(tmp_path, wordllama)
    await index.add("acme", [str(i) for i in range(count)], vectors)
    files = graph_files(tmp_path)

    def leave() -> None:
        for file in files:
            with file.open("ab") as opened:
                opened.write(b"canary" * 20)

    def left() -> list[bool]:
        return [b"canary" in file.read_bytes() for file in files]

    leave()
    await index.forget("acme", ["1"])
    assert left() == [False, False]
    leave()
    await index.close()
    assert left() == [False, False]
    leave()  # as after a crash
    index = await ChromaIndex.open(tmp_path, wordllama)
    assert left() == [False, False]
    assert [hit.id for hit in await index.query("acme", vectors[2], 1)] == ["2"]
    assert await index.count("acme") == count - 1
    await index.close()


async def test_a_renewed_index_is_empty_and_works(index: ChromaIndex) -> None:
    await index.add("acme", ["a"], axes(1))
    await index.renew()
    assert await index.ids("acme") == set()
    await index.add("acme", ["b"], axes(1))
    assert (await index.ids("acme"), await index.degraded()) == ({"b"}, [])


async def test_a_closed_index_can_be_opened_again(open_index: Open) -> None:
    for count in (1, 2):
        index = await open_index()
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


async def test_a_collection_with_another_distance_is_replaced(open_index: Open) -> None:
    index = await open_index()

    def spoil() -> None:
        name = index._collection("acme").name
        client = index._chroma._open()  # type: ignore[attr-defined]  # both kinds have one
        client.delete_collection(name)
        client.create_collection(name)

    await index._call(spoil)
    await index.close()
    index = await open_index()
    await index.add("acme", ["a"], axes(1))
    [hit] = await index.query("acme", np.asarray(axes(1)[0] * 0.5, np.float32), 1)
    assert hit.similarity == pytest.approx(1.0, abs=1e-5)
    await index.close()


async def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path, wordllama: Encoder) -> None:
    place = tmp_path / "chroma"
    place.write_text("not mine")
    for folder in (place, place / "below"):
        with pytest.raises(StorageError, match="is not a folder; move it away"):
            await ChromaIndex.open(folder, wordllama)
    assert place.read_text() == "not mine"


async def test_a_large_graph_is_written_less_often(
    tmp_path: Path, wordllama: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.chroma.SYNC_SHARE", 50)  # as if there were a thousand times as many
    vectors = wordllama.encode([f"task number {i}" for i in range(50)])
    for _ in range(2):
        index = await ChromaIndex.open(tmp_path, wordllama)
        await index.add("acme", [str(i) for i in range(50)], vectors)
        pace = index._collections["acme"].configuration_json["hnsw"]["sync_threshold"]
        await index.close()
    assert pace == 2500
    index = await ChromaIndex.open(tmp_path, wordllama)
    assert (await index.query("acme", vectors[0], 50))[0].id == "0"
    await index.close()
