"""What a text may hide words in: invisible characters, look-alike letters, encodings. Pure.

Nothing here proves that a text is harmless. It only makes it hard to bring a value past a look at the text.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

MAX_CHARS = 50_000
"""Characters of a text that are looked at."""
_DEPTH = 2
"""Encodings inside one another that are undone."""
_LOOK_ALIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝѵӏɡɑαοερτυνικηωАВЕКМНОРСТХІЈЅҮΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshdqwvlgaaoeptuvikhwABEKMHOPCTXIJSYABEZHIKMNOPTYX",
)
_LEET = str.maketrans("013457$!|", "oieastsil")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[\s:]?){5,}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_SPACED = re.compile(r"(?<!\w)(?:\w[ ._-]){4,}\w(?!\w)")
_AT_DOT = (
    (re.compile(r"\s*[(\[{<]\s*at\s*[)\]}>]\s*|\s+at\s+", re.I), "@"),
    (re.compile(r"\s*[(\[{<]\s*dot\s*[)\]}>]\s*|\s+dot\s+", re.I), "."),
)


def without_invisible(text: str) -> str:
    """Return a text without characters that nobody sees: zero-width, direction marks, tags, soft hyphens."""
    return "".join(c for c in text if c in "\n\t\r" or unicodedata.category(c) not in ("Cf", "Cc", "Co", "Cn"))


def revealed(text: str) -> Iterator[str]:
    """Yield a text with its letters put right, then all that it turns out to hold when it is decoded."""
    seen, waiting = set[str](), [(_letters(text[:MAX_CHARS]), 0)]
    while waiting:
        form, depth = waiting.pop(0)
        if form in seen:
            continue
        seen.add(form)
        yield form
        if depth < _DEPTH:
            waiting += [(_letters(found), depth + 1) for decode in _DECODERS if (found := decode(form)) != form]


def _letters(text: str) -> str:
    return unicodedata.normalize("NFKC", without_invisible(text)).translate(_LOOK_ALIKE)


def _base64(text: str) -> str:
    return " ".join(_decoded(match) for match in _BASE64.findall(text)).strip() or text


def _decoded(token: str) -> str:
    padded = token.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return _readable(raw)


def _readable(raw: bytes) -> str:
    """Return bytes as text, or nothing where they are none."""
    for encoding in ("utf-8", "utf-16-le"):
        text = raw.decode(encoding, "replace")
        if text and sum(char.isprintable() and char != "�" for char in text) >= 0.9 * len(text):
            return text
    return ""


def _hex(text: str) -> str:
    found = (re.sub(r"[\s:]", "", match) for match in _HEX.findall(text))
    return " ".join(_readable(bytes.fromhex(digits[: len(digits) // 2 * 2])) for digits in found).strip() or text


def _escapes(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def _spelt_out(text: str) -> str:
    return _SPACED.sub(lambda match: re.sub(r"[ ._-]", "", match[0]), text)


def _at_and_dot(text: str) -> str:
    for pattern, sign in _AT_DOT:
        text = pattern.sub(sign, text)
    return text


def _markup(text: str) -> str:
    return re.sub(r"<!--|-->|</?[a-zA-Z][^<>]*>|[*_`~]", "", html.unescape(text))


_DECODERS: tuple[Callable[[str], str], ...] = (
    unquote, _markup, _base64, _hex, _escapes, _spelt_out, _at_and_dot,
    lambda text: codecs.encode(text, "rot13"), lambda text: text[::-1], lambda text: text.translate(_LEET),
)  # fmt: skip
