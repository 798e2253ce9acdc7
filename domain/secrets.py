"""Secrets that are known and must not be shown: taken out of texts and of JSON."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)

HIDDEN = "[secret]"
MIN_CHARS = 8
"""Shorter values are not looked for: they would be found in harmless text."""


class Secrets:
    """Values that are hidden wherever they come up."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = {value.strip() for value in values if len(value.strip()) >= MIN_CHARS}
        # As JSON writes them, too, since a tool may print a configuration; the longest first, as one may hold another.
        forms = known | {json.dumps(value)[1:-1] for value in known}
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._forms = tuple(ordered)

    def __repr__(self) -> str:
        return "Secrets(...)"

    def text(self, text: str) -> str:
        """Return the text with every secret hidden."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text

    def pending(self, text: str) -> int:
        """Return how many characters at the end of a text that goes on may be the beginning of a secret."""
        lengths = (n for form in self._forms for n in range(1, len(form)) if text.endswith(form[:n]))
        return max(lengths, default=0)

    def value(self, value: Any) -> Any:
        """Return a JSON value with every secret hidden, in keys, too."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def model(self, value: M) -> M:
        """Return a model in which no secret stands; the same object where none did."""
        if self._pattern is None or not self._pattern.search(value.model_dump_json()):
            return value
        return type(value).model_validate(self.value(value.model_dump(mode="json")))
