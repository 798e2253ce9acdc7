"""Reading server-sent events (WHATWG HTML, section 9.2), from bytes that may be cut anywhere."""

import codecs
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from domain.errors import ServiceError

MAX_CHARS = 16 * 1024 * 1024
"""Characters that one event may have; a server that sends more is not ours."""
_BOM = "\ufeff"


class Message(NamedTuple):
    """One event."""

    event: str
    data: str
    id: str
    """Of this event or the latest that had one; empty before the first."""
    is_numbered: bool
    """Whether this event has an id of its own."""


class MessageReader:
    """Takes bytes as they come and gives the events that are complete; what is left at the end is none."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._begun = False
        self._text = ""
        """Since the last line's end."""
        self._searched = 0
        """Characters of it that hold no line's end."""
        self._cut_after_return = False
        """Whether the last line ended with a carriage return at the very end, to which a line feed may belong."""
        self._size = 0
        self._data: list[str] = []
        self._event = self._id = ""
        self._is_numbered = False

    def feed(self, chunk: bytes) -> list[Message]:
        """Return the events that end in these bytes.

        Raises:
            ServiceError: They are not UTF-8, or an event does not end.
        """
        try:
            text = self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise ServiceError("the event stream is not UTF-8") from error
        if text and not self._begun:
            self._begun, text = True, text.removeprefix(_BOM)
        found = [message for line in self._lines(text) if (message := self._read(line))]
        if self._size + len(self._text) > MAX_CHARS:
            raise ServiceError(f"an event of the stream has more than {MAX_CHARS:,} characters")
        return found

    def _lines(self, text: str) -> Iterator[str]:
        """Yield the lines that end in a text; `splitlines` would also part them where JSON may hold the character."""
        if text and self._cut_after_return:
            self._cut_after_return, text = False, text.removeprefix("\n")
        text, start, look = self._text + text, 0, self._searched
        while (end := _line_end(text, look)) >= 0:
            yield text[start:end]
            is_last = end + 1 == len(text)
            self._cut_after_return = is_last and text[end] == "\r"
            start = look = end + (2 if text.startswith("\r\n", end) else 1)
        self._text = text[start:]
        self._searched = len(self._text)

    def _read(self, line: str) -> Message | None:
        """Take a line, and return the event that it ends."""
        if not line:
            return self._ended()
        self._size += len(line)
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._id, self._is_numbered = value, True
        return None

    def _ended(self) -> Message | None:
        message = Message(self._event or "message", "\n".join(self._data), self._id, self._is_numbered)
        has_data = bool(self._data)
        self._size, self._data, self._event, self._is_numbered = 0, [], "", False
        return message if has_data else None


def _line_end(text: str, start: int) -> int:
    found = [place for place in (text.find("\n", start), text.find("\r", start)) if place >= 0]
    return min(found, default=-1)


async def messages(chunks: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    """Yield the events of a stream of bytes.

    Raises:
        ServiceError: They are no event stream.
    """
    reader = MessageReader()
    async for chunk in chunks:
        for message in reader.feed(chunk):
            yield message
