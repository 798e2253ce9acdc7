"""E-mail, phone, IP and social security numbers in a text whose digits and dashes are those of ASCII."""

import ipaddress
import re
from collections.abc import Iterator

from domain.findings import Finding

START = r"(?:(?<![\w\\])|(?<=\\[nrtbf])|(?<=\\)(?![nrtbfu]))"
"""Where a word begins: also behind an escape as JSON writes it, and never within one."""
_EMAIL = re.compile(
    rf"(?:{START}\w|\\u[0-9a-fA-F]{{4}})(?:[\w.+'\-]|\\u[0-9a-fA-F]{{4}}){{0,254}}+(?:@|%40)"
    r"(?:[\w\-]{1,63}+\.){1,8}(?:xn--[a-z0-9\-]{2,59}|[^\W\d_]{2,63})"
)
_NO_EMAIL = re.compile(r"git(?:@|%40)|.*(?:@|%40)[23]x\.", re.IGNORECASE)
"""A login to a repository, and the picture `icon@2x.png`."""

_CODES = (
    r"(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|(?:2[1-689]|3[578]|42|5[09]|6[789]|8[0578]|9[679])[0-9])"
)
"""Country codes (ITU-T E.164)."""
_UNIT = r"(?!\s?(?:[kMGT]?Wh?\b|EUR\b|USD\b|GBP\b|[€$%°]|kt?\b|km\b|Mt\b))"
"""A figure has a unit behind it."""
_ABROAD = re.compile(
    rf"(?:{START}(?<!\+)\+ ?|{START}(?<![0-9][.,])00[ \-]?)(?P<code>{_CODES})"
    rf"(?P<rest>(?:[ \-./()\u200b]{{0,3}}[0-9]){{5,13}})(?![0-9]){_UNIT}"
)
_AMERICAN = re.compile(
    rf"(?:{START}(?<![\-.(])(?:\+?1[\-. ]?)?(?=\(|[2-9]))(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[\-.])"
    r"[2-9][0-9]{2}[\-. ][0-9]{4}(?![\-.]?[0-9])"
)
_HOME = re.compile(
    rf"{START}(?<![./\-+,])\(?0[1-9][0-9]{{0,4}}\)?[ \-/]{{1,3}}[0-9](?:[ \-/]?[0-9]){{4,9}}"
    rf"(?![\-./, :]?[0-9]){_UNIT}"
)
_PAIRS = re.compile(rf"{START}(?<![./\-+,])0[1-9](?:[ .][0-9]{{2}}){{4}}(?![ .,:]?[0-9]){_UNIT}")
"""As numbers are written in France."""
_RUN = re.compile(rf"{START}(?<![./\-+,])(?:01[5-7][0-9]{{8,9}}|07[0-9]{{9}})(?![.,]?\w)")
"""Mobile numbers without gaps, as Germany and Britain have them."""
_NAMED = re.compile(
    r"(?i:\b(?:tel(?:efon|ephone)?|phone|mobile|mobil|handy|cell|fax|whatsapp|call(?: me)?(?: at| on)?)\b|☎|📞)"
    r"(?i:[ \-_]?(?:number|nummer|nr|no)\b)?[\s.:=\"'\\(]{1,6}"
    r"(?P<number>[+(]?[0-9](?:[ \-./()\u200b]{0,2}[0-9]){5,14})(?![0-9])"
)
_DATE = re.compile(
    r"\(?(?:[0-9]{1,2}[-./ ][0-9]{1,2}[-./ ](?:[0-9]{4}|[0-9]{2})"
    r"|(?:19|20)[0-9]{2}[-./ ][0-9]{1,2}[-./ ][0-9]{1,2})(?![0-9])"
)
_MONTHS = re.compile(r"(?:0[1-9]|1[0-2])[-./](?:19|20)[0-9]{2} ?- ?(?:0[1-9]|1[0-2])")
"""The beginning of a range such as `01/2020-12/2021`."""
_THOUSANDS = re.compile(r"0[0-9]{2}(?: [0-9]{3})+")
_IPV4 = re.compile(rf"{START}(?<!\.)[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?![0-9]|\.[0-9]|[A-Za-z_])")
_VERSION = re.compile(r"(?i:(?:\b(?:version|release|ver|build|section|chapter|rev)\b|\bv|§)[\s.:=#\"']{0,4})$")
_IPV6 = re.compile(
    rf"{START}(?<![:.])[0-9a-fA-F]{{4}}(?::[0-9a-fA-F]{{0,4}}){{2,8}}(?:(?<=:)[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}})?(?![\w:])"
)
_SSN = re.compile(rf"{START}(?<![\-.])(?!000|666|9)[0-9]{{3}}-(?!00)[0-9]{{2}}-(?!0000)[0-9]{{4}}(?![\-.]?\w)")


def emails(text: str) -> Iterator[Finding]:
    """Yield addresses, also with an encoded `@` as in a link."""
    for match in _EMAIL.finditer(text) if "@" in text or "%40" in text else ():
        if not _NO_EMAIL.match(match[0]):
            yield Finding("email", *match.span())


def phones(text: str) -> Iterator[Finding]:
    """Yield phone numbers: with a country code, in the forms of some countries, or named as such."""
    for match in _ABROAD.finditer(text) if "+" in text or "00" in text else ():
        if _is_abroad(match):
            yield Finding("phone", *match.span())
    for pattern in (_AMERICAN, _PAIRS, _RUN):
        for match in pattern.finditer(text):
            yield Finding("phone", *match.span())
    for match in _HOME.finditer(text):
        if 9 <= _digits(match[0]) <= 12 and not _is_figure(match, text):
            yield Finding("phone", *match.span())
    for match in _NAMED.finditer(text):
        if not _DATE.match(match["number"]):
            yield Finding("phone", *match.span("number"))


def _is_figure(match: re.Match[str], text: str) -> bool:
    """Return whether digits are a date, a range of months, or the lower groups of a number such as `1 032 251 643`."""
    if _DATE.match(match[0]) or _MONTHS.match(match[0]):
        return True
    before = text[max(0, match.start() - 2) : match.start()]
    return before[-1:] == " " and before[:1].isdigit() and _THOUSANDS.fullmatch(match[0]) is not None


def _is_abroad(match: re.Match[str]) -> bool:
    """Return whether a number with a country code has as many digits as one has, and no figure's shape."""
    code, rest = match["code"], match["rest"]
    national = re.sub(r"[^0-9]", "", rest)
    if code == "1":
        return len(national) == 10 and national[0] in "23456789" and national[3] in "23456789"
    if code == "7":
        return len(national) == 10
    grouped = not rest.isdigit()
    if match[0].startswith("00") and not grouped:
        return False
    trunk = national.startswith("0") and "(0)" not in rest and code != "39"
    return not trunk and len(code) + len(national) >= (8 if grouped else 9)


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def addresses(text: str) -> Iterator[Finding]:
    """Yield IP addresses, but for those of this machine and what reads as a version or section number."""
    for match in _IPV4.finditer(text) if text.count(".") > 2 else ():
        if _is_host(match[0]) and not _is_numbering(match, text):
            yield Finding("ip", *match.span())
    for match in _IPV6.finditer(text) if text.count(":") > 1 else ():
        if _is_host(match[0]):
            yield Finding("ip", *match.span())


def _is_host(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if address.version == 4:
        return not (address.is_loopback or address.is_unspecified or address.is_multicast)
    return address.is_global or address.is_link_local or address.is_private


def _is_numbering(match: re.Match[str], text: str) -> bool:
    """Return whether four numbers are a version's or a section's: named so, or of one digit each."""
    if len(match[0]) == 7:
        return True
    return _VERSION.search(text, max(0, match.start() - 16), match.start()) is not None


def social_security_numbers(text: str) -> Iterator[Finding]:
    """Yield US social security numbers in their usual groups."""
    for match in _SSN.finditer(text) if "-" in text else ():
        yield Finding("ssn", *match.span())
