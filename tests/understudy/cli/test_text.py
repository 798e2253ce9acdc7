import pytest

from understudy.cli.text import call, clean, excerpt, one_line, shown_value


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07body", "body"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("\x1bcreset", "reset"),
        ("a\x00b\x08c\x7f", "abc"),
        ("safe\rEVIL", "safe\nEVIL"),
        ("a\r\nb", "a\nb"),
        ("file\u202egpj.exe", "filegpj.exe"),
        ("half\ud800", "half"),
        ("\x1b]0;never ended", "]0;never ended"),
    ],
    ids=[
        "plain", "colour", "title", "link", "c1", "reset", "controls", "carriage-return", "crlf", "bidi", "surrogate",
        "open",
    ],
)  # fmt: skip
def test_nothing_that_a_terminal_obeys_is_left(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_one_line_folds_and_cuts() -> None:
    assert one_line("a\n  b\tc") == "a b c"
    assert one_line("word " * 10, 12) == "word word w…"


def test_an_excerpt_tells_how_much_there_is() -> None:
    assert excerpt("a\nb", lines=2) == "a\nb"
    assert excerpt("a\nb\nc", lines=2) == "a\nb\n… (3 lines, 5 characters)"
    assert excerpt("x" * 20, width=5) == "xxxx…\n… (1 line, 20 characters)"


def test_values_are_shown_as_they_are_edited() -> None:
    assert shown_value("café") == "café"
    assert shown_value({"a": ["é"]}) == '{\n  "a": [\n    "é"\n  ]\n}'


def test_a_call_fits_on_one_line() -> None:
    assert call("search", {"query": "hydro\npower", "limit": 3}) == 'search(query="hydro\\npower", limit=3)'
    assert len(call("write", {"text": "x" * 500})) == 100
