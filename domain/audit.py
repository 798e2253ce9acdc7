"""The audit: what is noted of every decision and effect, and the chain of hashes that shows any later change.

The hash of an entry is SHA-256 over the hash before it, a newline, and the entry's canonical JSON with its number, time
and workspace. An entry holds ids, hashes, numbers and the names of users and rules, and never the words of a person, of
a document or of a message: it outlives the forgetting of what it is about. A hash of something short can be guessed by
trying; it is no place to hide a name in.
"""

import hashlib
import json
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from domain.errors import StorageCorrupt, UserError

AuditKind = Literal[
    "ruling", "question", "decision", "timeout", "escalation", "effect", "undo", "rule", "constraint", "consent",
    "checkpoint", "trust", "export", "forgotten", "notice", "key", "member",
]  # fmt: skip
GENESIS = "0" * 64
"""Stands for the hash before the first entry."""
MAX_WHY, MAX_NAME, MAX_DATA = 500, 200, 16_000
"""Characters; longer reasons and names are cut, longer data is refused."""
_CUT = "…"


class AuditEntry(BaseModel):
    """What happened, to be noted in the audit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: AuditKind
    who: str
    """The user, or which part of the system: `timeout`, `controller`, `rule:{id}`."""
    why: str
    """The reason in the system's words; what a person wrote stays out of it."""
    run: str = ""
    thread: str = ""
    step: str = ""
    shown: str = ""
    """Hash of what the person saw who decided."""
    data: dict[str, Any] = Field(default_factory=dict)
    """Ids, hashes, numbers, states and names of fields; JSON of at most `MAX_DATA` characters."""

    @field_validator("who", "run", "thread", "step", "shown")
    @classmethod
    def _name(cls, text: str) -> str:
        return _cut(text, MAX_NAME)

    @field_validator("why")
    @classmethod
    def _reason(cls, text: str) -> str:
        return _cut(text, MAX_WHY)

    @field_validator("data")
    @classmethod
    def _is_json(cls, data: dict[str, Any]) -> dict[str, Any]:
        try:
            text = canonical(data)
        except (TypeError, RecursionError) as error:
            msg = f"an audit entry's data must be JSON ({error})"
            raise ValueError(msg) from error
        if len(text) > MAX_DATA:
            msg = f"an audit entry's data has {len(text):,} characters of at most {MAX_DATA:,}"
            raise ValueError(msg)
        parsed: dict[str, Any] = json.loads(text)
        return parsed


class Anchor(NamedTuple):
    """A place in the chain: everything up to it is what it was when the hash is still the same."""

    seq: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


class Link(NamedTuple):
    """An entry as it is kept: the text is hashed as it stands, so that every byte of it counts."""

    text: str
    """Canonical JSON of the entry, with `seq`, `time`, `workspace` and `once`."""
    hash: str


class Noted(NamedTuple):
    """An entry of the audit with its place."""

    seq: int
    time: float
    """Unix time in seconds."""
    workspace: str
    once: str
    """Hash of the id under which it is noted only once; empty where it has none."""
    entry: AuditEntry
    hash: str


def canonical(value: Any) -> str:
    """Return the JSON text of a value, in ASCII; equal values have equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """Return the hash of a JSON value, for what is pointed at and not kept."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def chained(before: str, text: str) -> str:
    """Return the hash of an entry's text behind the hash before it."""
    return hashlib.sha256(f"{before}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def linked(after: Anchor, workspace: str, time: float, entry: AuditEntry, once: str = "") -> Link:
    """Return an entry as the link behind `after`."""
    place = {"seq": after.seq + 1, "time": time, "workspace": workspace, "once": once}
    text = canonical(entry.model_dump(mode="json") | place)
    return Link(text, chained(after.hash, text))


def noted(link: Link) -> Noted:
    """Return the entry of a link, or raise `StorageCorrupt` where it is none."""
    try:
        fields = dict(json.loads(link.text))
        seq, time, workspace, once = (fields.pop(name) for name in ("seq", "time", "workspace", "once"))
        return Noted(int(seq), float(time), workspace, once, AuditEntry.model_validate(fields), link.hash)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        msg = "an entry of the audit cannot be read; see: understudy audit verify"
        raise StorageCorrupt(msg) from error


def parsed_anchor(text: str) -> Anchor:
    """Return the anchor that `SEQ:HASH` names, or raise `UserError`."""
    seq, _, found = text.strip().partition(":")
    if not (seq.isascii() and seq.isdigit() and len(found) == len(GENESIS) and set(found) <= set("0123456789abcdef")):
        msg = f"{text!r:.100} is no anchor; give SEQ:HASH as `understudy audit show --head` prints it"
        raise UserError(msg)
    return Anchor(int(seq), found)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + _CUT
