import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.toml_lines import Path, lines_of, nearest_line

# Every number is the line it stands in, so the values themselves say what is right.
TEXT = '''\
# line = 0 in a comment
one = 2
"quoted key" = 3  # [not] = "a table"
deep.er.'and [odd]' = 4
array = [
  6, 6, # two on a line, and a ] in a comment
  [7,
   8], "text ] with brackets",
]
text = """
x = 100 \\"""
still text"""
raw = \'\'\'
[neither]\'\'\'
date = 2024-01-01 08:00:00
float = 1.5e3
after = 17
inline = { a = 18, "b" = { c = 18 }, d = [18] }

[table]
in_table = 21
[table.sub]
in_sub = 23

[[items]]
here = 26
  [[items.parts]]
  part = 28
  [[items.parts]]
  part = 30
[items.extra]
more = 32
[[items]]
here = 34
[[items.parts]]
part = 36
'''


def numbers(value: Any, path: Path = ()) -> Iterator[tuple[Path, int]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from numbers(item, (*path, index))
    elif isinstance(value, int):
        yield path, value


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_every_value_is_found_in_its_line(end: str) -> None:
    text = TEXT.replace("\n", end)
    found = lines_of(text)
    values = dict(numbers(tomllib.loads(text)))
    assert len(values) == 19
    assert {path: found[path] for path in values} == values


def test_tables_and_texts_stand_where_they_begin() -> None:
    found = lines_of(TEXT)
    places: list[Path] = [("text",), ("raw",), ("table",), ("items",), ("items", 1), ("items", 0, "parts", 1)]
    assert [found[place] for place in places] == [10, 13, 20, 25, 33, 29]


def test_a_missing_key_is_reported_at_its_table() -> None:
    assert nearest_line(lines_of(TEXT), ("items", 1, "name")) == 33


def test_a_missing_key_of_the_file_is_reported_at_the_first_line() -> None:
    assert nearest_line(lines_of(TEXT), ("name",)) == 1


def test_an_empty_text_has_no_lines() -> None:
    assert lines_of("") == {}


@given(
    st.integers(0, len(TEXT)), st.integers(0, 40), st.sampled_from(["", "[", "]", "{", "}", '"', "'", "\n", "=", "."])
)
def test_no_valid_text_goes_unread(start: int, length: int, put_in: str) -> None:
    text = TEXT[:start] + put_in + TEXT[start + length :]
    try:
        values = dict(numbers(tomllib.loads(text)))
    except tomllib.TOMLDecodeError:
        return
    assert set(values) <= set(lines_of(text))
