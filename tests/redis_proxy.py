"""A socket before a redis-server that can be cut, or made to swallow answers after the server has acted."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pydantic import SecretStr

ARRAY = b"*"
"""What the answer of a script begins with."""


class Proxy:
    """Passes everything on until it is told otherwise."""

    def __init__(self, socket: Path, server: Path) -> None:
        self.socket = socket
        self.url = SecretStr(f"unix://{socket}?db=0")
        self.swallowed = 0
        """Answers that nobody got."""
        self._server = server
        self._mode = "open"
        self._links: set[asyncio.StreamWriter] = set()

    @classmethod
    @asynccontextmanager
    async def before(cls, server: Path) -> "AsyncIterator[Proxy]":
        with tempfile.TemporaryDirectory(prefix="proxy-") as folder:
            proxy = cls(Path(folder) / "socket", server)
            listening = await asyncio.start_unix_server(proxy._serve, proxy.socket)
            yield proxy
            listening.close()
            await proxy._hang_up()

    async def cut(self) -> None:
        """Break every connection and refuse new ones."""
        self._mode = "cut"
        await self._hang_up()

    async def swallow_answers(self) -> None:
        """Let writes reach the server, and hang up instead of passing its answers on."""
        self._mode = "swallow"

    async def restore(self) -> None:
        self._mode = "open"

    async def _hang_up(self) -> None:
        for writer in list(self._links):
            writer.close()
        await asyncio.gather(*(self._closed(writer) for writer in list(self._links)))

    async def _closed(self, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await writer.wait_closed()
        self._links.discard(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "cut":
            writer.close()
            return
        upstream_reader, upstream = await asyncio.open_unix_connection(self._server)
        self._links |= {writer, upstream}
        await asyncio.gather(self._pass(reader, upstream, False), self._pass(upstream_reader, writer, True))
        await self._closed(writer)
        await self._closed(upstream)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if answers and self._mode == "swallow" and data.startswith(ARRAY):
                    self.swallowed += 1
                    break
                writer.write(data)
                await writer.drain()
        writer.close()
