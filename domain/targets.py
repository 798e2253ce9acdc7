"""What the arguments of a call aim at: recipients, paths and amounts of money. Pure.

Rules that forbid compare folded text, so that look-alike spellings are one name. What allows something compares the
text as it is: a spelling that was not allowed is not allowed.
"""

import math
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from domain.plans import as_ref

RECIPIENT_NAMES = frozenset({
    "to", "cc", "bcc", "recipient", "recipients", "email", "emails", "address", "addresses", "channel", "phone",
    "number", "chat", "chat_id", "user", "webhook", "url", "uri", "host", "endpoint", "target", "destination",
})  # fmt: skip
"""Arguments whose whole value is a recipient."""
PATH_NAMES = frozenset({
    "path", "paths", "file", "files", "filename", "folder", "directory", "dir", "attachment", "attachments",
})  # fmt: skip
"""Arguments whose whole value is a path."""
MONEY_NAMES = frozenset({
    "amount", "amounts", "price", "sum", "total", "cost", "fee", "payment", "dollars", "euros", "usd", "eur",
})  # fmt: skip
"""Arguments whose whole value is an amount of money."""
_ADDRESS = re.compile(r"[^\s<>,;\"'()\[\]]+@[^\s<>,;\"'()\[\]]+")
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
_SHORT = 1000
"""Longer values are texts, not names of anything."""


def leaves(value: Any, name: str = "", *, references: bool = False) -> Iterable[tuple[str, str]]:
    """Yield every text and number of the arguments with the name it stands under.

    References to earlier outputs are left out unless they are wanted as the plain values that they look like.
    """
    if isinstance(value, Mapping):
        if references or as_ref(value) is None:
            for key, item in value.items():
                yield from leaves(item, str(key), references=references)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, name, references=references)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield name, str(value)


def recipients_in(args: Mapping[str, Any]) -> list[str]:
    """Return everything in the arguments that something could be sent to, folded."""
    found = []
    for name, text in leaves(args):
        if not is_short(text):
            continue
        whole = folded(text)
        found += [address.removeprefix("mailto:") for address in _ADDRESS.findall(whole)]
        if name.casefold() in RECIPIENT_NAMES:
            found.append(whole)
    return found


def paths_in(args: Mapping[str, Any]) -> list[str]:
    """Return the values that stand under the name of a path, as they are."""
    return [text for name, text in leaves(args) if name.casefold() in PATH_NAMES]


def money_in(args: Mapping[str, Any]) -> float | None:
    """Return the amounts of money in the arguments, added up; 0 without any, None where one cannot be read.

    An amount is a plain number, or a text of digits with at most one point: separators of thousands, signs, currencies
    and exponents can be read in more than one way.
    """
    amounts = [amount_of(value) for name, value in values_in(args) if name.casefold() in MONEY_NAMES]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def amount_of(value: Any) -> float | None:
    """Return an amount of money, or None for anything but a finite number from 0."""
    if isinstance(value, str):
        return float(value) if _AMOUNT.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 10**15 and math.isfinite(value) else None


def values_in(value: Any, name: str = "") -> Iterable[tuple[str, Any]]:
    """Yield every value that is not a container, whatever it is, with the name it stands under."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from values_in(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from values_in(item, name)
    else:
        yield name, value


def is_short(text: str) -> bool:
    """Return whether a text can be the name of something."""
    return len(text) <= _SHORT and "\n" not in text.strip()


def folded(text: str) -> str:
    """Return the text so that look-alike spellings of one name are the same."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def plain_path(text: str) -> str:
    """Return a path folded and without detours."""
    return posixpath.normpath(folded(text).replace("\\", "/"))
