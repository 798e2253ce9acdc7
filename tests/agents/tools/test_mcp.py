import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agents.tools import mcp as module
from agents.tools.declaration import ToolDeclaration
from agents.tools.mcp import McpServer
from agents.tools.stdio import Line, piped
from domain.errors import (
    AddressNotAllowed,
    MalformedOutput,
    OutputTooLarge,
    ToolAway,
    ToolChanged,
    ToolCrashed,
    ToolError,
    ToolRefused,
)

REAL = Path(__file__).parent / "mcp_server.py"
PLAIN = Path(__file__).parent / "plain_server.py"
COMMAND = f"{sys.executable} {PLAIN}"
Opened = Callable[..., McpServer]


@pytest.fixture
async def server() -> AsyncIterator[Opened]:
    """Opens servers that are ended with the test."""
    opened: list[McpServer] = []

    def open_(target: str = COMMAND, environment: Mapping[str, str] | None = None, **more: Any) -> McpServer:
        given = {"name": "shop", "from": "mcp", "target": target, "allow_private": True} | more
        opened.append(McpServer(ToolDeclaration.model_validate(given), environment or {}))
        return opened[-1]

    yield open_
    for each in opened:
        await each.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(REAL), "--http", str(port)], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert process.poll() is None
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
    yield f"http://127.0.0.1:{port}/mcp"
    process.kill()
    process.wait()


async def called(server: McpServer, name: str, *, writes: bool = False, **args: Any) -> Any:
    tools = await server.definitions()
    return await asyncio.wait_for(server.call(tools[name], args, writes=writes), 20)


async def test_a_process_tells_its_tools_and_does_them(server: Opened) -> None:
    shop = server(f"{sys.executable} {REAL}")
    found = (await shop.definitions())["stock"]
    assert (found.description, found.claims) == ("How many of an item are there.", "read")
    assert found.parameters["required"] == ["item"]
    output = await called(shop, "stock", item="pear", limit=3)
    assert (output.data, json.loads(output.text)) == ({"pear": 3}, {"pear": 3})


async def test_a_server_over_http_does_the_same(server: Opened, url: str) -> None:
    shop = server(url)
    assert (await called(shop, "stock", item="pear")).data == {"pear": 5}
    outputs = await asyncio.gather(*(called(shop, "echo", text=str(n)) for n in range(5)))
    assert [output.text for output in outputs] == list("01234")


async def test_a_server_in_a_private_network_is_refused_unless_that_is_allowed(server: Opened, url: str) -> None:
    with pytest.raises(AddressNotAllowed, match="private"):
        await server(url, allow_private=False).definitions()


async def test_a_process_gets_nothing_of_the_environment_but_its_secrets(
    server: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-you")
    shop = server(environment={"MY_WORD": "!"}, secrets={"WORD": "MY_WORD"})
    names = json.loads((await called(shop, "environment")).text)
    assert "WORD" in names
    assert not {"OPENAI_API_KEY", "MY_WORD", "UNDERSTUDY_HOME"} & set(names)
    assert (await called(shop, "echo", text="hi")).text == "hi!"


@pytest.mark.parametrize(("writes", "error"), [(False, ToolError), (True, ToolCrashed)])
async def test_a_failed_call_leaves_open_what_a_writing_tool_did(
    server: Opened, writes: bool, error: type[ToolError]
) -> None:
    with pytest.raises(ToolError, match="no luck") as caught:
        await called(server(), "fail", writes=writes, text="no luck")
    assert type(caught.value) is error


async def test_what_a_server_refuses_is_refused_for_good_and_the_server_stays(server: Opened) -> None:
    shop = server()
    with pytest.raises(ToolRefused, match="the server refused the call: no such lamp"):
        await called(shop, "refuse", writes=True, text="no such lamp")
    assert (await called(shop, "echo", text="still here")).text == "still here"


async def test_a_server_that_dies_in_the_middle_says_its_last_words_and_is_started_again(server: Opened) -> None:
    shop = server()
    with pytest.raises(ToolCrashed, match="the server ended: out of paper"):
        await called(shop, "die")
    assert (await called(shop, "echo", text="back")).text == "back"


async def test_a_hundred_megabytes_are_cut_off(server: Opened) -> None:
    shop = server()
    with pytest.raises(OutputTooLarge, match="more than 8,000,000 bytes"):
        await called(shop, "flood", size=100_000_000)
    assert (await called(shop, "echo", text="back")).text == "back"


async def test_too_large_an_answer_over_http_is_cut_off(server: Opened, url: str) -> None:
    shop = server(url)
    with pytest.raises(OutputTooLarge, match="more than 5,000,000 bytes"):
        await called(shop, "flood", size=6_000_000)
    assert (await called(shop, "echo", text="back")).text == "back"


async def test_a_server_that_hangs_is_left_and_started_again(server: Opened) -> None:
    shop = server()
    tools = await shop.definitions()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(shop.call(tools["hang"], {}), 0.2)
    assert (await called(shop, "echo", text="back")).text == "back"


async def test_a_tool_that_is_described_otherwise_is_not_called(server: Opened) -> None:
    shop = server()
    tool = (await shop.definitions())["echo"]
    with pytest.raises(ToolChanged, match="'echo' is described otherwise"):
        await shop.call(tool._replace(description="Harmless."), {"text": "a"})
    with pytest.raises(ToolChanged, match="nobody offers 'gone' any more"):
        await shop.call(tool._replace(name="gone"), {"text": "a"})


async def test_a_tool_that_turns_while_the_server_runs_is_not_called_any_more(server: Opened) -> None:
    shop = server()
    stock = (await shop.definitions())["stock"]
    await called(shop, "turn")
    with pytest.raises(ToolChanged, match="'stock' is described otherwise"):
        await shop.call(stock, {"item": "a"})


async def test_the_process_ends_with_the_server(server: Opened) -> None:
    shop = server(f"{sys.executable} {PLAIN} --marker-{os.getpid()}")
    await shop.definitions()
    assert running(f"--marker-{os.getpid()}")
    await shop.close()
    assert not running(f"--marker-{os.getpid()}")


def running(word: str) -> list[str]:
    lines = [
        path.read_bytes().decode(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()
    ]
    return [line for line in lines if word in line and str(PLAIN) in line]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no-such-command --x", "cannot be started: No such file"),
        (f"{sys.executable} -c 'raise SystemExit(\"no licence\")'", "no licence"),
        (f"{sys.executable} -c 'print(1)'", "not a message of the protocol|server ended"),
        ("http://127.0.0.1:1/mcp", "no connection to 127.0.0.1"),
    ],
    ids=["missing", "ends", "babbles", "no one there"],
)
async def test_a_server_that_cannot_be_used_says_why(server: Opened, target: str, message: str) -> None:
    with pytest.raises(ToolAway, match=message):
        await server(target).definitions()


async def test_a_server_that_never_says_hello_is_given_up(server: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_SECONDS", 0.3)
    monkeypatch.setattr(module, "STOP_SECONDS", 0.1)
    with pytest.raises(ToolAway, match="no answer within"):
        await server("sleep 600").definitions()


async def test_a_server_that_lies_in_its_schema_is_found_out(server: Opened) -> None:
    liar = server()
    assert "lie" in await liar.definitions()
    assert "monstrous" not in await liar.definitions()  # its schema is beyond any reason
    with pytest.raises(MalformedOutput, match="'three' is not of type 'integer'"):
        await called(liar, "lie")
    assert "not what it declares" in (await called(liar, "lie", writes=True)).text


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 8, 13])
async def test_a_process_that_is_given_up_while_it_starts_or_ends_is_not_left_over(turns: int) -> None:
    async def opened() -> None:
        async with piped(["sleep", "600"], {}, Line()):
            pass  # and asked to end at once

    before = children()
    task = asyncio.create_task(opened())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert children() == before


def children() -> set[str]:
    """Return the processes that this one has started and that live."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
