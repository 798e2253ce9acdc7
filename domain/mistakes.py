"""What is wrong with values that people write, in words. Pure."""

from pydantic import ValidationError

_PLAIN = {"valid tuple": "valid list", "Tuple should": "List should", " after validation": ""}
"""People write lists, and do not care how they are kept."""


def mistakes_in(error: ValidationError, whole: str = "") -> str:
    """Return every mistake with its place, on one line.

    Args:
        error: What was found.
        whole: What the whole value is called; without it, mistakes of the whole are told without a place.
    """
    return "; ".join(_mistake(".".join(map(str, each["loc"])) or whole, each["msg"]) for each in error.errors())


def _mistake(place: str, told: str) -> str:
    for theirs, plain in _PLAIN.items():
        told = told.replace(theirs, plain)
    return f"{place}: {told}" if place else told
