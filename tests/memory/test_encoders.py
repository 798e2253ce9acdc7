import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from domain.errors import EncoderAway, InvalidSettings, StorageAway
from evals.scripted import ScriptedServer
from memory.embedding_service import BATCH, MAX_CHARS
from memory.encoders import Access, Encoder, encoder
from memory.index import ChromaIndex
from memory.reindexing import reindex
from memory.sqlite import SqliteRecords
from memory.tasks import TaskMemory
from tests.memory.conftest import Clock, success
from tests.memory.minilm_files import write_minilm

SMALL = "openai:text-embedding-3-small"
KEY = SecretStr("sk-s3cret-key")


def test_rows_are_unit_vectors(wordllama: Encoder) -> None:
    rows = wordllama.encode(["write a blog", "", "  ", "🙂", "x" * 20_000])
    assert rows.shape == (5, wordllama.dimension)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1.0] * 5, abs=1e-5)


def test_near_texts_are_nearer_than_far_ones(wordllama: Encoder) -> None:
    blog, post, coffee = wordllama.encode(["write a blog", "draft a blog post", "make me a coffee"])
    assert blog @ post > blog @ coffee + 0.3


def test_no_text_gives_no_row(wordllama: Encoder) -> None:
    assert wordllama.encode([]).shape == (0, 256)


@pytest.mark.parametrize(
    ("name", "dimension"),
    [("wordllama", 256), ("chroma-default", 384), ("openai:text-embedding-3-small", 1536)],
)
def test_an_encoder_is_known_by_name_before_anything_is_loaded(name: str, dimension: int) -> None:
    chosen = encoder(name)
    assert (chosen.id, chosen.dimension) == (name, dimension)


@pytest.mark.parametrize("name", ["", "word2vec", "openai:", "openai:gpt-4o", "text-embedding-3-small"])
def test_an_unknown_encoder_names_the_choices(name: str) -> None:
    with pytest.raises(InvalidSettings, match="wordllama, chroma-default, openai:text-embedding-3-small"):
        encoder(name)


def service(server: ScriptedServer, **fields: Any) -> Encoder:
    return encoder(SMALL, Access(KEY, server.base_url, **({"timeout": 5, "max_retries": 0} | fields)))


def test_a_service_gives_unit_vectors_in_the_order_of_the_texts() -> None:
    with ScriptedServer([{"embeddings": 1536}] * 2) as server:
        embeds = service(server)
        blog, post, pumps, blank = embeds.encode(["a blog post", "a blog post!", "heat pumps", " "])
        again = embeds.encode(["heat pumps"])[0]
        assert [request["input"] for request in server.requests()] == [
            ["a blog post", "a blog post!", "heat pumps", "."], ["heat pumps"],
        ]  # fmt: skip
    assert blog @ post > blog @ pumps
    assert pumps @ again == pytest.approx(1, abs=1e-6)
    assert np.linalg.norm(blank) == pytest.approx(1, abs=1e-6)


def test_a_service_is_asked_in_batches_of_texts_that_fit() -> None:
    texts = [f"task number {i}" for i in range(BATCH)] + ["x" * (MAX_CHARS + 1)]
    with ScriptedServer([{"embeddings": 1536}] * 2) as server:
        assert service(server).encode(texts).shape == (BATCH + 1, 1536)
        assert [len(request["input"]) for request in server.requests()] == [BATCH, 1]
        assert len(server.requests()[1]["input"][0]) == MAX_CHARS


@pytest.mark.parametrize(
    "failure", [{"status": 429, "headers": {"Retry-After": "0.01"}}, {"status": 500}, {"drop": True}]
)
def test_a_service_that_stumbles_is_asked_again(failure: dict[str, Any]) -> None:
    with ScriptedServer([failure, {"embeddings": 1536}]) as server:
        assert service(server, max_retries=1).encode(["a"]).shape == (1, 1536)


AWAY: dict[str, tuple[dict[str, Any], str]] = {
    "limited": ({"status": 429}, "gives no vectors .RateLimitError"),
    "broken": ({"status": 500}, "gives no vectors .InternalServerError"),
    "wrong key": (
        {"status": 401, "body": {"error": {"message": "Incorrect API key provided: sk-s3cret-key"}}},
        "refuses the key; correct OPENAI_API_KEY",
    ),
    "other model": ({"embeddings": 768}, "1 vectors of 768 numbers for 1 texts, not of 1536: another model"),
    "lost": ({"drop": True}, "is away .APIConnectionError"),
    "no JSON": ({"raw": "<html>"}, "gives no vectors"),
    "no vectors": ({"raw": "{}"}, "gives no vectors"),
    "no number": ({"raw": json.dumps({"data": [{"index": 0, "embedding": [float("nan")] * 1536}]})}, "no number"),
    "too few": ({"raw": json.dumps({"data": []})}, "gives no vectors|0 vectors"),
}


@pytest.mark.parametrize(("reply", "says"), AWAY.values(), ids=AWAY)
def test_a_service_that_cannot_be_used_is_away(reply: dict[str, Any], says: str) -> None:
    with ScriptedServer([reply]) as server, pytest.raises(EncoderAway, match=says) as caught:
        service(server).encode(["a"])
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_service_that_never_answers_is_away_in_time() -> None:
    with ScriptedServer([{"hang": 3}]) as server, pytest.raises(EncoderAway, match="APITimeoutError"):
        service(server, timeout=0.2).encode(["a"])


def test_a_service_that_is_away_is_left_alone_for_a_while(clock: Clock) -> None:
    with ScriptedServer([{"drop": True}, {"embeddings": 1536}]) as server:
        embeds = service(server, clock=clock)
        for says in ("is away", r"was not reached 0 s ago .APIConnectionError"):
            with pytest.raises(EncoderAway, match=says):
                embeds.encode(["a"])
        clock.now += 31
        assert embeds.encode(["a"]).shape == (1, 1536)


def test_a_service_needs_a_key_or_a_server() -> None:
    with pytest.raises(InvalidSettings, match="needs a key .OPENAI_API_KEY."):
        encoder(SMALL).encode(["a"])


async def test_a_memory_changes_its_encoder_and_never_mixes_their_vectors(
    tmp_path: Path, wordllama: Encoder, clock: Clock
) -> None:
    records = await SqliteRecords.open(tmp_path / "records.db", clock=clock)
    goals = ["Write a blog post about solar power", "Compare two heat pumps"]

    async def opened(by: Encoder) -> list[str]:
        index = await ChromaIndex.open(tmp_path / "index", by)
        tasks = TaskMemory(records, index, clock=clock)
        for goal in goals:
            await tasks.remember(success(goal, "writer"))
        await reindex(records, tasks, index, "acme", lambda done, total: None)
        nearest = [(await tasks.search("acme", goal))[0] for goal in goals]
        assert [n.similarity for n in nearest] == pytest.approx([1, 1], abs=1e-4)
        rows = await index.vectors("acme", sorted(n.task for n in nearest))
        assert rows.shape == (2, by.dimension)
        await tasks.close()
        await index.close()
        return [n.goal for n in nearest]

    with ScriptedServer([{"embeddings": 1536}], repeat="cycle") as server:
        for by in (wordllama, service(server), wordllama):
            assert await opened(by) == goals
    await records.close()


async def test_a_memory_goes_on_when_its_encoder_is_back(tmp_path: Path, clock: Clock) -> None:
    records = await SqliteRecords.open(tmp_path / "records.db", clock=clock)
    replies = [{"embeddings": 1536}] * 5 + [{"status": 500}] * 2
    with ScriptedServer([*replies, *[{"embeddings": 1536}] * 20], repeat=1) as server:
        index = await ChromaIndex.open(tmp_path / "index", service(server))
        tasks = TaskMemory(records, index, clock=clock)
        await tasks.remember(success("Write a blog post", "writer"))
        while server.report()["served"] < 5:
            await tasks.search("acme", "Write a blog post")
        await tasks.remember(success("Compare two heat pumps", "analyst"))
        with pytest.raises(StorageAway):
            await tasks.search("acme", "Compare two heat pumps")
        found = await tasks.search("acme", "Compare two heat pumps")
        assert [n.goal for n in found] == ["Compare two heat pumps", "Write a blog post"]
        left = len(server.report()["unused"])
        assert left > 0
        for _ in range(left):
            index.encoder.encode(["the rest of the script"])
    await index.close()
    await records.close()


@pytest.fixture
def minilm_folder() -> Path:
    return Path.home() / ".cache" / "chroma" / "onnx_models" / "all-MiniLM-L6-v2"


def test_the_files_of_the_default_encoder_of_chroma_are_used_where_they_are(minilm_folder: Path) -> None:
    write_minilm(minilm_folder / "onnx")
    embeds = encoder("chroma-default")
    rows = embeds.encode(["write a blog", "heat pumps", "write a blog", ""])
    assert (rows.shape, rows[0] @ rows[2]) == ((4, 384), pytest.approx(1, abs=1e-5))
    assert rows[0] @ rows[1] < 0.99


def test_without_files_and_network_it_says_what_to_do(minilm_folder: Path) -> None:
    with pytest.raises(EncoderAway, match="put it at .*onnx.tar.gz, or choose the encoder wordllama") as caught:
        encoder("chroma-default").encode(["a"])
    assert "https://chroma-onnx-models" in str(caught.value)
    assert not (minilm_folder / "onnx.tar.gz").exists()


@pytest.mark.parametrize("damaged", ["model.onnx", "tokenizer.json"])
def test_damaged_files_are_told(minilm_folder: Path, damaged: str) -> None:
    write_minilm(minilm_folder / "onnx")
    (minilm_folder / "onnx" / damaged).write_bytes(b"junk")
    with pytest.raises(EncoderAway, match="delete the folder to have them fetched again"):
        encoder("chroma-default").encode(["a"])
