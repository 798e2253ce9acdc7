"""Where in a TOML text each value stands, which `tomllib` does not tell.

A walk over text that `tomllib` has already accepted, so it reads only as much grammar as positions need
(https://toml.io/en/v1.0.0).
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Keys and array indices from the top of the file, as in pydantic's `loc`."""

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r]+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\])*"|'[^']*')
    |(?P<mark>[\[\]{}=,.])
    |(?P<bare>[^\s\[\]{}=,."'\#]+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "blank":
            yield _Token(str(match.lastgroup), match[0], line)
        line += match[0].count("\n")
    yield _Token("end", "", line)


def lines_of(text: str) -> dict[Path, int]:
    """Return the line, from 1, of every key, table and array element of a valid TOML text."""
    return _Walk(text).document()


def nearest_line(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of the path or of its nearest ancestor in the file; 1 for the file itself."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Walk:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.lengths: dict[Path, int] = {}
        """Elements so far of each array of tables."""

    def document(self) -> dict[Path, int]:
        table: Path = ()
        while self.now.kind != "end":
            if self.now.kind == "newline":
                self.at += 1
            elif self.now.text == "[":
                table = self.header()
            else:
                self.pair(table)
        return self.lines

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def header(self) -> Path:
        """Read `[table]` or `[[array of tables]]` and return the path that the lines below it belong to."""
        line = self.now.line
        opening = sum(1 for _ in takewhile(lambda token: token.text == "[", self.tokens[self.at : self.at + 2]))
        self.at += opening
        *parents, last = self.key()
        self.at += opening
        path = (*self.inside(parents, line), last)
        if opening == 2:
            index = self.lengths[path] = self.lengths.get(path, -1) + 1
            self.lines.setdefault(path, line)
            path = (*path, index)
        self.lines[path] = line
        return path

    def inside(self, parents: list[str], line: int) -> Path:
        """Return the path of the parents; a header under an array of tables means its latest element."""
        path: Path = ()
        for key in parents:
            path = (*path, key)
            self.lines.setdefault(path, line)
            if path in self.lengths:
                path = (*path, self.lengths[path])
        return path

    def pair(self, table: Path) -> None:
        line = self.now.line
        path = table
        for key in self.key():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the "="
        self.value(path)

    def key(self) -> list[str]:
        parts = [self.part()]
        while self.now.text == ".":
            self.at += 1
            parts.append(self.part())
        return parts

    def part(self) -> str:
        token = self.now
        self.at += 1
        return str(tomllib.loads(f"key = {token.text}")["key"]) if token.kind == "string" else token.text

    def value(self, path: Path) -> None:
        if self.now.text == "[":
            self.array(path)
        elif self.now.text == "{":
            self.inline_table(path)
        elif self.now.kind == "string":
            self.at += 1
        else:  # numbers and dates: "1.5" and "2024-01-01 08:00:00" are several tokens
            while self.now.kind == "bare" or self.now.text == ".":
                self.at += 1

    def array(self, path: Path) -> None:
        for index, _ in enumerate(self.items("]")):
            self.lines[*path, index] = self.now.line
            self.value((*path, index))

    def inline_table(self, path: Path) -> None:
        for _ in self.items("}"):
            self.pair(path)

    def items(self, closing: str) -> Iterator[None]:
        """Stop at each item up to the closing bracket; the caller reads the item."""
        self.at += 1
        while True:
            while self.now.kind == "newline" or self.now.text == ",":
                self.at += 1
            if self.now.text == closing:
                self.at += 1
                return
            yield
