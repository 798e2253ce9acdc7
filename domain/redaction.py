"""Redaction: what must not leave the machine is taken out of a text, for good or so that it can be put back.

Found by pattern and check digit: payment cards (Luhn, issuer ranges), IBANs (mod 97), keys and tokens (PEM, JWT, the
marks of well-known issuers, random values that are assigned to a `key`, `token`, `secret` or `password`, passwords in
URLs), e-mail addresses, phone numbers, IP addresses, US social security numbers. Digits of any script count, and
blanks, dashes and characters without width between groups. Reading a text takes time in proportion to its length.

Not found: names, postal addresses, dates of birth, numbers of other documents; phone numbers written without a country
code in a form that only their country knows and that no word ("phone", "Tel.") announces; what is spelt out, split over
several values, or encoded (base64). Data that must not leave at all needs a privacy class, see `domain.privacy`.

Taken for harmless: versions, section numbers, dates, ISBNs, hashes, figures with units, addresses of this machine.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, get_args

from domain.account_patterns import cards, ibans
from domain.contact_patterns import addresses, emails, phones, social_security_numbers
from domain.findings import Detect, Finding, Kind, folded, without_overlaps
from domain.key_patterns import keys
from domain.placeholders import Placeholders, replaced

ALL: tuple[Kind, ...] = get_args(Kind)
ALWAYS: frozenset[Kind] = frozenset({"card", "iban", "key", "ssn"})
"""Nobody outside needs these to do any work."""
_SHORT = 1000
"""Characters of a text whose findings are remembered."""


def patterns(text: str, kinds: Collection[Kind]) -> Iterator[Finding]:
    """Yield what the patterns of this module find; a `Detect`."""
    if "key" in kinds:
        yield from keys(text)
    plain = folded(text)
    if "email" in kinds:
        yield from emails(plain)
    if "iban" in kinds:
        yield from ibans(plain)
    for kind, find in _NUMBERS.items():
        if kind in kinds:
            yield from find(plain)


_NUMBERS = {"card": cards, "ip": addresses, "ssn": social_security_numbers, "phone": phones}


def findings(text: str, kinds: Collection[Kind] = ALL, detectors: Sequence[Detect] = (patterns,)) -> list[Finding]:
    """Return what of these kinds stands in a text, in its order and without overlaps."""
    if len(text) <= _SHORT:
        return list(_remembered(text, frozenset(kinds), tuple(detectors)))
    return without_overlaps(found for detect in detectors for found in detect(text, kinds))


@lru_cache(maxsize=4096)
def _remembered(text: str, kinds: frozenset[Kind], detectors: tuple[Detect, ...]) -> tuple[Finding, ...]:
    """Return what stands in a short text; the descriptions of tools come with every call of a model."""
    return tuple(without_overlaps(found for detect in detectors for found in detect(text, kinds)))


def redacted(text: str, kinds: Collection[Kind] = ALL, detectors: Sequence[Detect] = (patterns,)) -> str:
    """Return the text with everything of these kinds replaced by its kind, such as `[card]`; no way back."""
    return replaced(text, findings(text, kinds, detectors), lambda kind, _: f"[{kind}]")


def redacted_value(value: Any, kinds: Collection[Kind] = ALL, detectors: Sequence[Detect] = (patterns,)) -> Any:
    """Return a JSON value with everything of these kinds replaced, in keys, too; a number that is one becomes text."""
    return _mapped(value, lambda text: redacted(text, kinds, detectors))


class Redaction:
    """Redaction of what belongs together, such as the messages of one call, with a way back for contact data.

    What is in `ALWAYS` is gone for good. The same address has the same placeholder (`<EMAIL_1>`) wherever it stands,
    numbered in the order of the texts. A text that has the look of a placeholder already gets one of its own, so
    nobody can have an address put into an answer by writing its placeholder. What was not given out is not resolved.
    """

    def __init__(self, kinds: Collection[Kind] = ALL, detectors: Sequence[Detect] = (patterns,)) -> None:
        self._kinds = frozenset(kinds)
        self._detectors = detectors
        self._placeholders = Placeholders()

    def hidden(self, text: str) -> str:
        """Return the text as it may leave."""
        text = self._placeholders.shielded(text)
        found = findings(text, self._kinds, self._detectors) if text else []
        return replaced(text, found, self._token) if found else text

    def hidden_value(self, value: Any) -> Any:
        """Return a JSON value as it may leave."""
        return _mapped(value, self.hidden)

    def restored(self, text: str) -> str:
        """Return what came back with the placeholders that were given out resolved."""
        return self._placeholders.resolved(text)

    def restored_value(self, value: Any) -> Any:
        """Return a JSON value with the placeholders that were given out resolved."""
        return _mapped(value, self.restored, numbers=False) if self._placeholders else value

    def pending(self, text: str) -> int:
        """Return how many characters at the end of a text may be the beginning of a placeholder."""
        return self._placeholders.pending(text)

    def _token(self, kind: Kind, text: str) -> str:
        return f"[{kind}]" if kind in ALWAYS else self._placeholders.of(kind, text)


def _mapped(value: Any, change: Callable[[str], str], *, numbers: bool = True) -> Any:
    """Return a JSON value with every text changed, and every whole number whose digits are."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {
            _mapped(key, change, numbers=False): _mapped(item, change, numbers=numbers) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_mapped(item, change, numbers=numbers) for item in value]
    if numbers and isinstance(value, int) and not isinstance(value, bool):
        changed = change(str(value))
        return value if changed == str(value) else changed
    return value
