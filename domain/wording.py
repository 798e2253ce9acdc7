"""Words, however they are written: whether somebody said them, and whether a text holds them. Pure.

The two questions are strict in opposite ways. What a person said vouches for a value, so a look-alike spelling is
another value. What an untrusted text holds taints a value, so it counts however it is spelt or encoded.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from domain.disguises import revealed, without_invisible

_STRUCTURE = re.compile(r"[@/\\.:#_+-]")
"""What makes a value a name of something rather than words: nothing may be glued to it."""
_NUMBER = re.compile(
    r"(?P<sign>[-+−]?)(?:[$€£¥]|[A-Za-z]{3}(?=\d))?(?P<digits>\d+(?:[.,'’]\d+)*)(?P<times>[kKmM]?)"
    r"(?:[%€$£¥]|[A-Z]{3})?"
)
_TIMES = {"": 1.0, "k": 1e3, "m": 1e6}
_TOKEN = re.compile(r"[^\s()\[\]{}<>\"“”„;|]+")
_COUNTED = dict.fromkeys(("one", "single"), 1.0) | {
    "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0,
    "ten": 10.0, "twelve": 12.0,
}  # fmt: skip
_PLAIN_NUMBER = re.compile(r"[1-9]\d{0,5}|0")
"""What stands in dates and times as well, and so must be found as a number."""
_YEAR = re.compile(r"(19|20)\d\d")
_MONTH_NAMES = frozenset({
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
})  # fmt: skip
_MONTHS = frozenset(name[:3] for name in _MONTH_NAMES)
_ACCOUNT_DIGITS = 7
"""Digits from which a value is a number of a telephone or account, which people group as they like."""
_GROUPING = re.compile(r"(?<=[0-9A-Za-z)])[ ./()-]+(?=[0-9A-Za-z(])|[()+]")
_SCHEME = re.compile(r"^(?:https?://)?(?:www\.)?", re.IGNORECASE)


def plain(text: str) -> str:
    """Return a text with the differences gone that nobody means: compatibility forms, case, runs of white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def without_stop(text: str) -> str:
    """Return a text without the full stops at its end, so that a sentence can go on or end behind it."""
    return text.rstrip().rstrip(".")


def says(text: str, value: str | int | float) -> bool:
    """Return whether a text names exactly a value, as a word, a number or an address of its own.

    Numbers are compared by what they amount to, URLs without their scheme, numbers of accounts without their grouping.
    A value in disguise (invisible characters, mixed alphabets) is only said by a text that has it so.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) in numbers_in(text)
    wanted = str(value).strip()
    if not wanted:
        return True
    if not _PLAIN_NUMBER.fullmatch(wanted) and _bounded(text.casefold(), wanted.casefold()):
        return True
    if is_disguised(wanted):
        return False
    folded, short = plain(text), plain(wanted)
    if (number := _amount(wanted)) is not None:
        return number in numbers_in(text) or _says_account(folded, short)
    return _bounded(folded, short) or _says_link(folded, short) or _says_account(folded, short)


def _bounded(text: str, value: str) -> bool:
    """Return whether a text holds a value that nothing is glued to which would make it another one."""
    before, after = r"(?<![\w@])", r"(?![\w@])"
    if _STRUCTURE.search(value) or value.isdigit():
        before, after = r"(?<![\w@+\\])(?<![\w][./:-])(?<!//)", r"(?![\w@\\])(?![./:+?#=&%-]+[\w%])"
    if value.startswith(("http://", "https://")):
        before = r"(?<!\w)"
    return re.search(f"{before}{re.escape(value)}{after}", text) is not None


def _says_link(text: str, value: str) -> bool:
    if "@" in value or "." not in value or (" " in value):
        return False
    short = _SCHEME.sub("", value).rstrip("/")
    if not short or "." not in short.split("/")[0]:
        return False
    pattern = rf"(?<![\w@.+/\\-])(?:https?://)?(?:www\.)?{re.escape(short)}/?(?![\w@\\-])(?![./:+?#=&%]+[\w%])"
    return re.search(pattern, text) is not None


def _says_account(text: str, value: str) -> bool:
    short = _GROUPING.sub("", value.lstrip("+"))
    if sum(char.isdigit() for char in short) < _ACCOUNT_DIGITS or not short.isalnum():
        return False
    grouped = r"[ ./()+-]*".join(map(re.escape, short))
    return re.search(rf"(?<!\w)[(+]*{grouped}(?!\w)", text) is not None


@lru_cache(maxsize=256)
def numbers_in(text: str) -> frozenset[float]:
    """Return the numbers that a text says; parts of dates, times, versions and names are none."""
    tokens = [token.strip(".,:!?*_~`'’…") for token in _TOKEN.findall(unicodedata.normalize("NFKC", text))]
    dates = {i for i, token in enumerate(tokens) if _of_time(token)}
    dates |= {i + 2 for i in dates if i + 2 < len(tokens) and _YEAR.fullmatch(tokens[i + 2])}
    found = (_number(token) for i, token in enumerate(tokens) if not {i - 1, i, i + 1} & dates)
    return frozenset(number for number in found if number is not None)


def _number(token: str) -> float | None:
    number = _amount(token)
    return _COUNTED.get(token.casefold()) if number is None else number


def _of_time(word: str) -> bool:
    """Return whether a word makes the number beside it a part of a date or a time."""
    name = word.casefold().rstrip(".")
    return name in _MONTH_NAMES or name in _MONTHS or name in ("am", "pm", "a.m", "p.m", "o'clock", "sept")


def _amount(token: str) -> float | None:
    match = _NUMBER.fullmatch(token)
    if match is None:
        return None
    digits = re.sub(r"['’]", "", match["digits"])
    if digits.count(".") > 1 and "," not in digits or digits.count(",") and not _is_grouped(digits):
        return None
    digits = _without_groups(digits)
    try:
        number = float(digits) * _TIMES[match["times"].lower()]
    except ValueError:
        return None
    return -number if match["sign"] in ("-", "−") else number


def _is_grouped(digits: str) -> bool:
    return re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?|\d{1,3}(\.\d{3})+,\d+|\d+,\d{1,2}", digits) is not None


def _without_groups(digits: str) -> str:
    if re.fullmatch(r"\d{1,3}(\.\d{3})+,\d+|\d+,\d{1,2}", digits):  # a comma before the cents
        return digits.replace(".", "").replace(",", ".")
    return digits.replace(",", "")


def is_disguised(value: str) -> bool:
    """Return whether a value is written so that people take it for another one."""
    if value != without_invisible(value) or unicodedata.normalize("NFKC", value) != value:
        return True
    return any(len(_alphabets(word)) > 1 for word in re.findall(r"[^\W\d_]+", value))


def _alphabets(word: str) -> set[str]:
    names = {unicodedata.name(char, "?").split(" ")[0] for char in word}
    return names & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN", "HEBREW", "ARABIC"}


def holds(text: str, value: str | int | float) -> bool:
    """Return whether a text holds a value in any spelling or encoding that this module knows."""
    if isinstance(value, str) and len(value.strip()) < 2:
        return says(text, value)
    wanted = plain(_undisguised(str(value)))
    bare = re.sub(r"\W+", "", wanted)
    for form in revealed(text):
        folded = plain(form)
        if says(form, value) or _bounded(folded, wanted):
            return True
        if len(bare) > 5 and bare in re.sub(r"\W+", "", folded):
            return True
    return False


def _undisguised(value: str) -> str:
    return next(iter(revealed(value)), value)


def said_words(texts: Iterable[str], value: str) -> bool:
    """Return whether every word of a value is a word of one of these texts, as in a file name made from a goal."""
    known = {word for text in texts for word in re.findall(r"[^\W_]+", plain(text))}
    wanted = re.findall(r"[^\W_]+", plain(value))
    return not is_disguised(value) and all(word in known for word in wanted)
