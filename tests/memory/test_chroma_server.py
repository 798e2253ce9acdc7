"""What is special about Chroma as a server; what every index does is tested in test_index."""

import http.server
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from domain.errors import InvalidSettings, PublicAddress, StorageAway, StorageError
from memory import chroma_server
from memory.chroma_server import ChromaServer, name_of
from memory.encoders import Encoder, Vectors
from memory.index import ChromaIndex
from memory.sqlite import SqliteRecords
from memory.tasks import TaskMemory
from tests.chroma_server import ChromaProcess, free_port, guarded
from tests.memory.conftest import Clock, success

TOKEN = "s3cret-token"


def axes(count: int) -> Vectors:
    return np.eye(count, 256, dtype=np.float32)


class Installation:
    """Records of its own and an index on a server."""

    records: SqliteRecords
    index: ChromaIndex
    tasks: TaskMemory

    @classmethod
    async def open(cls, file: Path, url: str, encoder: Encoder, clock: Clock) -> "Installation":
        self = cls()
        self.records = records = await SqliteRecords.open(file, clock=clock)
        self.index = await ChromaIndex.open(ChromaServer(url), encoder, owner=lambda: name_of(records))
        self.tasks = TaskMemory(self.records, self.index, clock=clock)
        return self

    async def close(self) -> None:
        await self.tasks.close()
        await self.index.close()
        await self.records.close()


@pytest.fixture
async def house(
    chroma_process: ChromaProcess, tmp_path: Path, wordllama: Encoder, clock: Clock
) -> AsyncIterator[Installation]:
    """An installation on a server that may be killed."""
    house = await Installation.open(tmp_path / "mine.db", chroma_process.url, wordllama, clock)
    yield house
    await house.close()


async def test_memory_is_away_with_the_server_and_comes_back_whole(
    house: Installation, chroma_process: ChromaProcess
) -> None:
    await house.tasks.remember(success("Write a post about solar power", "writer"))
    chroma_process.kill()
    with pytest.raises(StorageAway, match=rf"Chroma at 127.0.0.1:{chroma_process.port} is away"):
        await house.tasks.recall("acme", "marketing", "Write a post about solar power")
    await house.tasks.remember(success("Compare two heat pumps", "analyst"))
    assert [note[:20] for note in await house.index.degraded()] == ["Chroma at 127.0.0.1:"]
    chroma_process.start()
    found = await house.tasks.recall("acme", "marketing", "Compare two heat pumps")
    assert [n.goal for n in found.neighbours] == ["Compare two heat pumps", "Write a post about solar power"]
    assert await house.index.degraded() == []


async def test_a_task_forgotten_meanwhile_leaves_the_server_when_it_is_back(
    house: Installation, chroma_process: ChromaProcess
) -> None:
    kept = await house.tasks.remember(success("Write a post about solar power", "writer"))
    gone = await house.tasks.remember(success("Compare two heat pumps", "analyst"))
    chroma_process.kill()
    assert await house.tasks.forget("acme", gone.id)
    chroma_process.start()
    assert [n.task for n in await house.tasks.search("acme", "Compare two heat pumps")] == [kept.id]
    assert await house.index.ids("acme") == {kept.id}


async def test_a_server_that_lost_everything_is_filled_again(
    house: Installation, chroma_process: ChromaProcess
) -> None:
    await house.tasks.remember(success("Write a post about solar power", "writer"))
    await house.tasks.remember(success("Write a poem", "writer", workspace="other"))
    chroma_process.lose_everything()
    for workspace, goal in (("acme", "Write a post about solar power"), ("other", "Write a poem")):
        assert [n.goal for n in await house.tasks.search(workspace, goal)] == [goal]


async def test_a_server_may_come_after_its_client(tmp_path: Path, wordllama: Encoder, clock: Clock) -> None:
    server = ChromaProcess()
    server.kill()
    house = await Installation.open(tmp_path / "mine.db", server.url, wordllama, clock)
    await house.tasks.remember(success("Write a post", "writer"))
    server.start()
    assert len(await house.tasks.search("acme", "Write a post")) == 1
    await house.close()
    server.remove()


async def test_installations_on_one_server_see_nothing_of_each_other(
    shared_chroma: ChromaProcess, tmp_path: Path, wordllama: Encoder, clock: Clock
) -> None:
    mine, theirs = [
        await Installation.open(tmp_path / f"{name}.db", shared_chroma.url, wordllama, clock)
        for name in ("mine", "theirs")
    ]
    await mine.tasks.remember(success("Write a post", "writer"))
    assert await theirs.tasks.search("acme", "Write a post") == []
    assert len(await mine.tasks.search("acme", "Write a post")) == 1
    for house in (mine, theirs):
        await house.close()


async def test_processes_with_the_same_records_share_the_index(
    shared_chroma: ChromaProcess, tmp_path: Path, wordllama: Encoder, clock: Clock
) -> None:
    first, second = [
        await Installation.open(tmp_path / "mine.db", shared_chroma.url, wordllama, clock) for _ in range(2)
    ]
    stored = await first.tasks.remember(success("Write a post", "writer"))
    assert [n.task for n in await second.tasks.search("acme", "Write a post")] == [stored.id]
    await second.index.renew()  # what one throws away, the other makes anew, and they agree
    for house in (first, second, first, second):
        assert [n.task for n in await house.tasks.search("acme", "Write a post")] == [stored.id]
    for house in (first, second):
        await house.close()


async def test_the_token_goes_with_every_request(shared_chroma: ChromaProcess, wordllama: Encoder) -> None:
    with guarded(shared_chroma, TOKEN) as proxy:
        index = await ChromaIndex.open(ChromaServer(proxy.url, SecretStr(TOKEN)), wordllama)
        await index.add("acme", ["a"], axes(1))
        assert (await index.query("acme", axes(1)[0], 1))[0].id == "a"
        await index.delete("acme", ["a"])
        assert (await index.degraded(), proxy.refused) == ([], 0)
        await index.close()


@pytest.mark.parametrize("token", [None, SecretStr("s3cret-wrong")], ids=["none", "wrong"])
@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_named_and_not_shown(
    shared_chroma: ChromaProcess, wordllama: Encoder, token: SecretStr | None, status: int
) -> None:
    with guarded(shared_chroma, TOKEN) as proxy:
        proxy.refusal = status
        with pytest.raises(StorageError, match="refuses the token; correct UNDERSTUDY_CHROMA_TOKEN") as caught:
            await ChromaIndex.open(ChromaServer(proxy.url, token), wordllama)
    assert not isinstance(caught.value, StorageAway)
    assert "s3cret" not in str(caught.value)


async def test_a_proxy_without_its_server_is_away(shared_chroma: ChromaProcess, wordllama: Encoder) -> None:
    with guarded(shared_chroma, TOKEN) as proxy:
        proxy.token, proxy.refusal = "another", 503
        index = await ChromaIndex.open(ChromaServer(proxy.url, SecretStr(TOKEN)), wordllama)
        with pytest.raises(StorageAway, match="HTTP 503"):
            await index.count("acme")
        proxy.token = TOKEN
        assert await index.count("acme") == 0
        await index.close()


@pytest.fixture
def web_site() -> Iterator[str]:
    """Something else that speaks HTTP."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_what_is_no_chroma_is_told(web_site: str, wordllama: Encoder) -> None:
    with pytest.raises(StorageError, match="does not answer as Chroma does"):
        await ChromaIndex.open(ChromaServer(web_site), wordllama)


async def test_a_server_that_never_answers_is_away_in_time(wordllama: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma_server, "CALL_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = await ChromaIndex.open(ChromaServer(f"http://127.0.0.1:{silent.getsockname()[1]}"), wordllama)
        with pytest.raises(StorageAway, match="timed out"):
            await index.count("acme")
        await index.close()


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "http://host", "ftp://host:1", "http://host:99999", "http://[::1:8000"]
)
def test_a_url_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match="write it as http://host:port"):
        ChromaServer(url)


@pytest.mark.parametrize("extra", ["u:s3cret@host:1", "host:1/path", "host:1?q=s3cret", "host:1#s3cret"])
def test_a_url_with_more_than_a_place_is_refused_without_being_repeated(extra: str) -> None:
    with pytest.raises(InvalidSettings, match="UNDERSTUDY_CHROMA_TOKEN") as caught:
        ChromaServer(f"http://{extra}")
    assert "s3cret" not in str(caught.value)


PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "169.254.169.254", "0.0.0.0", "100.64.0.1", "fe80::1", "::"]
PRIVATE = ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "fd00::1", "::ffff:192.168.0.1"]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_refused(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(PublicAddress, match="must never be exposed"):
        ChromaServer(f"http://{host}:8000").connect()


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_allowed(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert ChromaServer(f"http://{host}:8000")._private_address().endswith(address.removeprefix("::ffff:"))


Resolved = Callable[..., list[Any]]


def resolving(*addresses: str) -> Resolved:
    return lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]


def test_a_name_that_leads_to_any_public_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving("127.0.0.1", "8.8.8.8"))
    with pytest.raises(PublicAddress, match=r"Chroma at chroma.internal:8000 is at 8.8.8.8"):
        ChromaServer("http://chroma.internal:8000").connect()


async def test_the_address_that_was_checked_is_the_one_that_is_used(
    shared_chroma: ChromaProcess, wordllama: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    names = iter([resolving("127.0.0.1")])  # a second look-up of the name would find nothing prepared

    def once(host: str, *args: Any, **options: Any) -> list[Any]:
        return (next(names) if "name" in host else real)(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    index = await ChromaIndex.open(ChromaServer(f"http://name.internal:{shared_chroma.port}"), wordllama)
    assert (await index.degraded(), await index.count("acme-named")) == ([], 0)
    await index.close()


def test_a_name_that_leads_nowhere_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(StorageAway, match="its name leads nowhere"):
        ChromaServer("http://chroma.internal:8000").connect()


async def test_a_proxy_in_the_environment_is_passed_over(
    shared_chroma: ChromaProcess, wordllama: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    index = await ChromaIndex.open(ChromaServer(shared_chroma.url), wordllama)
    assert await index.degraded() == []
    await index.close()
