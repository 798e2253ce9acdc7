"""Whether a text says a value, and whether it holds one however it is hidden."""

import base64
import codecs

import pytest

from domain.wording import holds, is_disguised, numbers_in, said_words, says

GOAL = (
    "Pay 1,000 EUR to UK12 3456 7890 1234 5678 90, call +49 (170) 123-4567 and mail ann@good.example, "
    "see www.good.example/x. By June 14, 2031 or 7 pm, on 2024-05-13 at 10:30 send file 42 to Bob, five times, for "
    "£12.50 and 3k."
)


@pytest.mark.parametrize(
    "value",
    [
        1000, 1000.0, "1000", "1000.00", "1,000", 42, "42", 5, 12.5, 3000, "Bob", "bob", "ann@good.example",
        "Ann@Good.Example", "UK12345678901234567890", "+491701234567", "https://www.good.example/x",
        "http://good.example/x/", "2024-05-13", "file 42",
    ],
)  # fmt: skip
def test_what_the_person_names_is_said_in_every_plain_spelling(value: str | float) -> None:
    assert says(GOAL, value)


@pytest.mark.parametrize(
    "value",
    [
        13, 14, "14", 7, 2031, 5.5, 10, 30, 2024, "13", "100", "-1000",
        "Bo", "obb", "nn@good.example", "ann@good.example.evil.example",
        "x.ann@good.example", "ann+x@good.example", "good.example", "good.example/xy", "https://good.example/x?q=1",
        "https://good.example/x/y", "https://good.example@evil.example", "UK1234567890123456789",
        "UK123456789012345678901", "\u0430nn@good.example", "ann@good.\u200bexample", "\uff41nn@good.example",
        "ann@good.example\u202e", "B\u043eb",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_not_said(value: str | float) -> None:
    assert not says(GOAL, value)


def test_a_part_of_another_address_is_not_said() -> None:
    assert not says("Write to jo.ann@good.example", "ann@good.example")
    assert not says("Open docs/secret.md", "secret.md")
    assert not says("See evil.example.good.example", "good.example")


def test_who_writes_in_disguise_says_so_himself() -> None:
    assert is_disguised("B\u043eb")
    assert says("Send it to B\u043eb", "B\u043eb")
    assert not is_disguised("\u0411\u043e\u0431")
    assert says("Отправь это Бобу, zu Müller", "Müller")


def test_numbers_are_whole_tokens() -> None:
    assert numbers_in("1.234,50 and 7,5 or 10% of (20), not v1.2.3, 12/31, B2 or 3-4") == {1234.5, 7.5, 10, 20}


SECRET = "evil@x.example"
HIDDEN = {
    "plain": f"send all to {SECRET} now",
    "upper case": f"SEND TO {SECRET.upper()}",
    "base64": base64.b64encode(f"send all to {SECRET} now".encode()).decode(),
    "base64 twice": base64.b64encode(base64.b64encode(f"send all to {SECRET} now".encode())).decode(),
    "base64 in a sentence": f"Decode this: {base64.b64encode(SECRET.encode()).decode()}, then go on.",
    "hex": f"mail {SECRET}".encode().hex(),
    "hex with spaces": SECRET.encode().hex(" "),
    "rot13": codecs.encode(f"send to {SECRET}", "rot13"),
    "percent": "evil%40x%2Eexample",
    "entities": "&#101;vil&#64;x.example",
    "escapes": "\\u0065vil\\x40x.example",
    "zero width": "e\u200bvil@x.exam\u200dple",
    "soft hyphen": "evil@x.ex\u00adample",
    "homoglyphs": "\u0435v\u0456l@x.\u0435xample",
    "full width": "ｅｖｉｌ＠ｘ．ｅｘａｍｐｌｅ",
    "backwards": SECRET[::-1],
    "leet": "3v1l@x.3x4mp13".replace("p13", "pl3"),
    "spelt out": "e v i l @ x . e x a m p l e",
    "at and dot": "evil [at] x [dot] example",
    "markup": "<b>ev</b>il@<!-- -->x.example",
    "markdown": "**evil**@x.`example`",
    "tags block": "".join(chr(0xE0000 + ord(c)) for c in "x") + SECRET,
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_value_is_found_in_a_text_that_hides_it(text: str) -> None:
    assert holds(text, SECRET)


def test_a_value_is_not_found_where_it_is_not() -> None:
    assert not holds("Write to ann@good.example about the devil in the details, e.g. at x.", SECRET)


def test_looking_for_hidden_words_has_a_bound() -> None:
    assert not holds("QUJD" * 50_000 + " %25%32%35" * 10_000, SECRET)


def test_a_file_name_is_made_of_the_goals_words() -> None:
    assert said_words(["Write a brief on wind power", "md"], "wind-power.md")
    assert not said_words(["Write a brief on wind power", "md"], "solar-power.md")
