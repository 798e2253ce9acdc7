"""The single values of a call's arguments: under which name each stands, and from which step it is taken. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from domain.plans import as_ref
from domain.targets import MONEY_NAMES, PATH_NAMES, RECIPIENT_NAMES

Value = str | int | float
"""A true flag is a value, too; a false one sets nothing."""
TEXT_NAMES = frozenset({
    "text", "body", "content", "contents", "message", "subject", "title", "description", "summary", "note", "notes",
    "comment", "caption", "markdown", "html", "heading", "abstract", "feedback",
})  # fmt: skip
"""Last words of the names of arguments that people read; every other argument says what is done, where or to whom."""


class Leaf(NamedTuple):
    """One value of a step's arguments."""

    names: tuple[str, ...]
    """The argument and, in nested ones, the keys down to the value."""
    value: Value
    source: str | None = None
    """Id of the step that it is taken from; None where it was planned."""

    @property
    def is_text(self) -> bool:
        """Return whether people read it, and nothing is addressed or set by it."""
        telling = {name.casefold() for name in self.names} & (RECIPIENT_NAMES | PATH_NAMES | MONEY_NAMES)
        return not telling and self.names[-1].casefold().split("_")[-1] in TEXT_NAMES


def leaves_of(planned: Any, given: Any, names: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield the values of arguments as they are given, each with the step that it is taken from."""
    if ref := as_ref(planned):
        yield from (Leaf(names or ("",), value, ref.step) for value in _values(given))
    elif isinstance(planned, Mapping) and isinstance(given, Mapping):
        for key, value in given.items():
            if names and ("@" in str(key) or "/" in str(key) or "." in str(key)):
                yield Leaf(names, str(key))
            yield from leaves_of(planned.get(key), value, (*names, str(key)))
    elif isinstance(planned, list) and isinstance(given, list) and len(planned) == len(given):
        for part, value in zip(planned, given, strict=True):
            yield from leaves_of(part, value, names)
    else:
        yield from (Leaf(names or ("",), value) for value in _values(given))


def _values(value: Any) -> Iterable[Value]:
    """Yield everything in a value that can say something, keys included."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _values(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _values(item)
    elif isinstance(value, str | int | float) and value is not False and str(value).strip():
        yield value
