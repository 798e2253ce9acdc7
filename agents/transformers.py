"""Context transformers: what one agent hands to another, made ready for the one that takes over."""

import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agents.team import Team, TransformerName
from agents.tools.cells import markdown_table
from domain.errors import TransformFailed

Context = dict[str, Any]
"""A JSON object. The shipped transformers know `text`, `sources` (objects with `name`, `locator`, `quote`) and `data`
with `columns` and `rows`, as in a `StepResult`; everything else passes through."""
Transform = Callable[[Context], Context]
"""Returns a new context and leaves the given one as it is."""

ANYONE = "*"
CHARS_PER_TOKEN = 4
"""Approximate, for Latin script: exact tokenizers differ by model and have to be downloaded."""
TOKENS = 4000
_QUOTE_CHARS = 300
_SOURCES = 12
_ROWS = 50
_CUT = " [...]"
_RAISED = (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


class Transformers:
    """Which transformer stands between which agents.

    For a pair the closest registration counts: the pair itself, then the source to anyone, then anyone to the target,
    then anyone to anyone.
    """

    def __init__(self) -> None:
        self._by_pair: dict[tuple[str, str], Transform] = {}
        self.version = uuid.uuid4().hex
        """Another one after every registration, so that no cache takes a result for that of what is registered now."""

    def register(self, source: str, target: str, *transforms: Transform) -> None:
        """Put transformers, applied in turn, between two agents; `*` stands for anyone. None at all lets all pass."""
        self._by_pair[source, target] = _chain(transforms)
        self.version = uuid.uuid4().hex

    def closest(self, source: str, target: str) -> tuple[str, str] | None:
        """Return the pair whose registration counts for this one, if there is any."""
        pairs = ((source, target), (source, ANYONE), (ANYONE, target), (ANYONE, ANYONE))
        return next((pair for pair in pairs if pair in self._by_pair), None)

    def apply(self, source: str, target: str, context: Context) -> Context:
        """Return the context as the target gets it; unchanged where nothing is registered.

        Raises:
            TransformFailed: The transformer raised, or gave something else than an object.
        """
        pair = self.closest(source, target)
        if pair is None:
            return context
        try:
            made = self._by_pair[pair](context)
        except _RAISED as error:
            msg = f"the context from {source!r} to {target!r} could not be transformed: {error!r:.200}"
            raise TransformFailed(msg) from error
        if not isinstance(made, dict):
            msg = f"the transformer from {source!r} to {target!r} gave {type(made).__name__} in place of an object"
            raise TransformFailed(msg)
        return made


def standard_transformers(tokens: int = TOKENS) -> Transformers:
    """Return transformers with the defaults for every pair: evidence digest, table to text, trimming."""
    transformers = Transformers()
    transformers.register(ANYONE, ANYONE, digest_evidence, table_to_text, trim_to(tokens))
    return transformers


def transformers_of(team: Team) -> Transformers:
    """Return what stands between a team's agents: the defaults, and over them what its file declares."""
    transformers = standard_transformers()
    for handover in team.transformers:
        chain = [_named(name, handover.tokens) for name in handover.use]
        transformers.register(handover.source, handover.target, *chain)
    return transformers


def _named(name: TransformerName, tokens: int) -> Transform:
    match name:
        case "evidence_digest":
            return digest_evidence
        case "table_to_text":
            return table_to_text
        case "trim":
            return trim_to(tokens)


def digest_evidence(context: Context) -> Context:
    """Keep each source once with its longest quote, shortened, in order of first mention."""
    if "sources" not in context:
        return context
    longest: dict[tuple[Any, Any], Mapping[str, Any]] = {}
    for source in context["sources"]:
        place = source["name"], source.get("locator", "")
        known = longest.get(place)
        if known is None or len(source.get("quote", "")) > len(known.get("quote", "")):
            longest[place] = source
    kept = [{**source, "quote": _cut(source.get("quote", ""), _QUOTE_CHARS)} for source in longest.values()]
    return {**context, "sources": kept[:_SOURCES]}


def table_to_text(context: Context) -> Context:
    """Replace a table in `data` by a Markdown table at the end of `text`, at most 50 rows of it.

    One that stands in `text` already, as a query's output does, is not written again.
    """
    data = context.get("data")
    if not isinstance(data, Mapping) or not data.get("columns") or "rows" not in data:
        return context
    rows: Sequence[Sequence[Any]] = data["rows"]
    rest = {name: value for name, value in data.items() if name not in ("columns", "rows")}
    said = context.get("text", "")
    if markdown_table(data["columns"], rows) in said:
        return {**context, "data": rest}
    table = markdown_table(data["columns"], rows[:_ROWS])
    if len(rows) > _ROWS:
        table += f"\n({len(rows) - _ROWS} more rows)"
    text = "\n\n".join(part for part in (said, table) if part)
    return {**context, "text": text, "data": rest}


def trim_to(tokens: int) -> Transform:
    """Return a transformer that keeps the texts of a context within about `tokens` tokens.

    Short strings stay whole and long ones share what they leave, at any depth; keys, numbers and structure stay.
    """

    def trim(context: Context) -> Context:
        limit = _fair_limit(sorted(map(len, _strings(context))), tokens * CHARS_PER_TOKEN)
        return {name: _trimmed(value, limit) for name, value in context.items()}

    return trim


def approximate_tokens(context: Context) -> int:
    """Return about how many tokens the texts of a context take."""
    return math.ceil(sum(map(len, _strings(context))) / CHARS_PER_TOKEN)


def _chain(transforms: Sequence[Transform]) -> Transform:
    def apply(context: Context) -> Context:
        for transform in transforms:
            context = transform(context)
        return context

    return apply


def _fair_limit(lengths: Sequence[int], budget: int) -> int:
    """Return the largest length at which strings can be cut so that all together fit; lengths ascend."""
    for i, length in enumerate(lengths):
        share = budget // (len(lengths) - i)
        if length > share:
            return share
        budget -= length
    return lengths[-1] if lengths else 0


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [text for child in children for text in _strings(child)]


def _trimmed(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return _cut(value, limit)
    if isinstance(value, Mapping):
        return {name: _trimmed(child, limit) for name, child in value.items()}
    return [_trimmed(child, limit) for child in value] if isinstance(value, list | tuple) else value


def _cut(text: str, limit: int) -> str:
    """Return the text within a length, marked where something was left out and there is room to say so."""
    if len(text) <= limit:
        return text
    return text[:limit] if limit <= len(_CUT) else text[: limit - len(_CUT)] + _CUT
