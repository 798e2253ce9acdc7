"""Values of labels, bounded: names come from teams, servers and requests, and each new one costs memory for ever."""

from collections.abc import Callable

OTHER = "other"
"""Stands for every value beyond the bound."""
MOST = 100
"""Values that one label may have."""
MAX_CHARS = 80


class Bounded:
    """Lets the first values of each label through; the rest are one."""

    def __init__(self, folded: Callable[[str], None], *, most: int = MOST) -> None:
        """Set up the bound.

        Args:
            folded: Is told the label of each value that becomes `other`.
            most: Values that one label may have.
        """
        self._folded, self._most = folded, most
        self._known: dict[str, set[str]] = {}

    def __call__(self, label: str, value: str) -> str:
        """Return the value, fit for a label, or `other`."""
        value = _plain(value)
        known = self._known.setdefault(label, {OTHER})
        if value in known:
            return value
        if len(known) > self._most:
            self._folded(label)
            return OTHER
        known.add(value)
        return value


def _plain(value: str) -> str:
    """Return a value in one short line that every exposition format can hold."""
    value = value.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in value[:MAX_CHARS]) or "none"
