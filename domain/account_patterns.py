"""Numbers of cards and accounts in a text whose digits and dashes are those of ASCII."""

import re
from collections.abc import Iterator

from domain.checksums import IBAN_LENGTHS, is_card, is_iban
from domain.contact_patterns import START
from domain.findings import GAP, Finding

_DIGITS = re.compile(r"[0-9]+")
_BETWEEN = re.compile(rf"[ .\-{GAP}]{{1,2}}")
"""What may stand between the groups of a card's number."""
_WRAP = re.compile(r"[ \-]?(?:\r?\n|(?:\\r)?\\n) {0,8}")
"""The end of a line, which may stand there once."""
_LEAST_DIGITS, _CARD_DIGITS = 13, 19
_SERIES = 6
"""Groups in a row from which they are figures, unless every four of them are a card."""
_LONGEST_ROW = 40
"""Groups that are looked at to find out."""
_FIRST = "234568"
"""Digits that numbers of payment cards begin with."""
_HEAD = re.compile(rf"{START}[A-Za-z]{{2}}[ \-{GAP}]?[0-9]{{2}}")
_SKIPPED = frozenset(f" -\t\r\n{GAP}")
_ESCAPED = re.compile(r"\\[nrtbf]$")


_Group = tuple[int, int]


def cards(text: str) -> Iterator[Finding]:
    """Yield card numbers, in one piece or in the groups in which they are written."""
    groups = [match.span() for match in _DIGITS.finditer(text)]
    place = 0
    while place < len(groups):
        last = _card_from(text, groups, place)
        if last is not None:
            yield Finding("card", groups[place][0], groups[last][1])
            place = last
        place += 1


def _card_from(text: str, groups: list[_Group], first: int) -> int | None:
    """Return the last group of the card number that begins with a group, or None where none does."""
    start, end = groups[first]
    if end - start > _CARD_DIGITS or text[start] not in _FIRST or not _begins(text, start):
        return None
    digits, gaps = text[start:end], ""
    lengths, wraps = [len(digits)], 0
    for last in range(first, min(first + _CARD_DIGITS, len(groups))):
        if last > first:
            gap = text[end : groups[last][0]]
            start, end = groups[last]
            digits += text[start:end]
            wraps += _WRAP.fullmatch(gap) is not None
            if not _is_gap(gap) or wraps > 1 or len(digits) > _CARD_DIGITS:
                return None
            gaps += gap
            lengths.append(end - start)
        if len(digits) >= _LEAST_DIGITS and _ends(text, end) and is_card(digits) and _are_groups(lengths, gaps):
            return None if _are_figures(text, groups, first, last, wrapped=wraps > 0) else last
    return None


def _is_gap(gap: str) -> bool:
    return (_BETWEEN.fullmatch(gap) or _WRAP.fullmatch(gap)) is not None


def _are_figures(text: str, groups: list[_Group], first: int, last: int, *, wrapped: bool) -> bool:
    """Return whether what could be a card by its digits stands in a row of figures that look alike.

    One in ten rows of digits ends in a check digit by chance, so of a load curve some quarters of an hour always do.
    """
    size = groups[first][1] - groups[first][0]
    if first == last or size not in (1, 4):
        return False
    over = wrapped  # of a number that goes over the end of a line the lines above and below count, too
    before = next((n for n in range(_LONGEST_ROW) if not _goes_on(text, groups, first - n, size, over)), _LONGEST_ROW)
    behind = next(
        (n for n in range(_LONGEST_ROW) if not _goes_on(text, groups, last + 1 + n, size, over)), _LONGEST_ROW
    )
    if wrapped or size == 1:
        return before + behind > 0
    row = groups[first - before : last + behind + 1]
    if len(row) < _SERIES:
        return False
    numbers = ["".join(text[a:b] for a, b in row[at : at + 4]) for at in range(0, len(row), 4)]
    return not all(map(is_card, numbers))


def _goes_on(text: str, groups: list[_Group], at: int, size: int, over_lines: bool) -> bool:
    """Return whether a group has the size of those beside it, and the one before it, too."""
    if not 0 < at < len(groups):
        return False
    (begin, end), (start, stop) = groups[at - 1], groups[at]
    gap = text[end:start]
    alike = end - begin == stop - start == size
    return alike and (_BETWEEN.fullmatch(gap) is not None or (over_lines and _WRAP.fullmatch(gap) is not None))


def _are_groups(lengths: list[int], gaps: str) -> bool:
    """Return whether card numbers are written in groups like these."""
    if len(lengths) == 1 or not gaps.strip(GAP):
        return True
    fours = all(length == 4 for length in lengths[:-1]) and lengths[-1] <= 4
    return fours or lengths in ([4, 6, 5], [4, 6, 4]) or set(lengths) == {1}


def _begins(text: str, start: int) -> bool:
    """Return whether a number may begin here: not within a word, nor behind the point of a fraction."""
    before = text[max(0, start - 3) : start]
    if before[-1:].isalpha():
        return _ESCAPED.search(before) is not None
    return not (before[-1:] == "." and before[-2:-1].isdigit())


def _ends(text: str, end: int) -> bool:
    after = text[end : end + 2]
    return not (after[:1].isalnum() or (after[:1] == "." and after[1:].isdigit()))


def ibans(text: str) -> Iterator[Finding]:
    """Yield account numbers of the countries that have IBANs, in one piece or in groups."""
    for match in _HEAD.finditer(text):
        if length := IBAN_LENGTHS.get(match[0][:2].upper()):
            end = _collected(text, match.start(), length)
            if end is not None:
                yield Finding("iban", match.start(), end)


def _collected(text: str, start: int, length: int) -> int | None:
    """Return where the IBAN ends that begins here, or None where there is none."""
    found = ""
    for place in range(start, min(start + 2 * length, len(text))):
        char = text[place]
        if char in _SKIPPED:
            continue
        if not (char.isascii() and char.isalnum()):
            return None
        found += char
        if len(found) == length:
            return place + 1 if is_iban(found) and not text[place + 1 : place + 2].isalnum() else None
    return None
