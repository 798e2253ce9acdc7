"""Check digits: what tells a card number or an account number from any other row of digits."""

from typing import NamedTuple

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""Characters of an IBAN by country (SWIFT, IBAN registry)."""


class _Network(NamedTuple):
    """A range of issuer numbers and the lengths of its cards."""

    first: int
    last: int
    lengths: range


_LONG = range(16, 20)
_NETWORKS = (
    _Network(4, 4, range(13, 20, 3)),  # Visa: 13, 16, 19
    _Network(51, 55, range(16, 17)),  # Mastercard
    _Network(2221, 2720, range(16, 17)),
    _Network(34, 34, range(15, 16)),  # American Express
    _Network(37, 37, range(15, 16)),
    _Network(300, 305, range(14, 15)),  # Diners Club
    _Network(36, 36, range(14, 20)),
    _Network(38, 39, range(14, 20)),
    _Network(3528, 3589, _LONG),  # JCB
    _Network(6011, 6011, _LONG),  # Discover
    _Network(644, 659, _LONG),
    _Network(62, 62, _LONG),  # UnionPay
    _Network(2200, 2204, _LONG),  # Mir
    _Network(50, 50, _LONG),  # Maestro, RuPay
    _Network(56, 58, _LONG),
    _Network(6304, 6304, _LONG),
    _Network(6759, 6763, _LONG),
    _Network(81, 82, range(16, 17)),
)


def luhn(digits: str) -> bool:
    """Return whether ASCII digits end in their check digit (Luhn's formula, ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def is_card(digits: str) -> bool:
    """Return whether ASCII digits can be the number of a payment card: a network's range and length, and Luhn."""
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    issued = any(n.first <= int(digits[: len(str(n.first))]) <= n.last and len(digits) in n.lengths for n in _NETWORKS)
    return issued and luhn(digits)


def is_iban(text: str) -> bool:
    """Return whether ASCII letters and digits without gaps are an IBAN: length by country, mod 97 (ISO 13616)."""
    text = text.upper()
    if IBAN_LENGTHS.get(text[:2]) != len(text) or not (text.isascii() and text.isalnum()):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1
