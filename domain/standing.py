"""Standing rules: acts of one kind that a person lets pass without being asked, and the test whether one is such. Pure.

What allows compares what is written, character by character: another spelling, one more recipient, a detour in a path
or an amount that cannot be read is not what was allowed, and a person is asked again.
"""

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.targets import MONEY_NAMES, PATH_NAMES, RECIPIENT_NAMES, amount_of, is_short, recipients_in

_LOCAL = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"
_ADDRESS = re.compile(rf"{_LOCAL}@([A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9][A-Za-z0-9-]*)+)")
_PLAIN = re.compile(r"[!-~]{1,300}")
"""Letters, digits and signs of ASCII without spaces: no other text looks like one of these."""
_FOLDERS = frozenset({"folder", "directory", "dir"})
_SHOWN = 80
"""Characters of an argument's value up to which a rule names it; longer texts are compared by their hash."""
_MAX_SEEN = 10
"""Different values of one argument that a rule names at most."""
MAX_DAYS = 365
"""A standing rule is confirmed anew at least as often."""


class Scope(BaseModel):
    """Which calls of a tool are meant; everything that is not named here is not meant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str = Field(min_length=1, max_length=200)
    names: tuple[str, ...] = ()
    """The arguments that a call has, neither more nor fewer."""
    recipients: tuple[str, ...] = ()
    """To exactly these."""
    domains: tuple[str, ...] = ()
    """To any address at these domains, not below them; only where `recipients` is empty."""
    folders: tuple[str, ...] = ()
    """Files in exactly these folders; empty text is the top one."""
    at_most: float | None = Field(default=None, ge=0, le=1e15, allow_inf_nan=False)
    """Highest sum of money of a call; None: a call that moves money is not meant."""
    values: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Marks (`mark_of`) that other arguments may have."""
    free: tuple[str, ...] = ()
    """Arguments that may hold any text."""


class StandingRule(BaseModel):
    """What a person lets pass, for whom, and until when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")
    user: str
    """For whose runs it is."""
    scope: Scope
    expires: float = Field(allow_inf_nan=False)
    """Unix time in seconds."""
    kind: str = ""
    """Hash of the kind of act that it was earned with; empty where a person wrote it."""
    evidence: str = ""
    """What it was earned with, in words."""

    @property
    def words(self) -> str:
        """The rule as a person reads it."""
        return f"{in_words(self.scope)} for {self.user!r} without asking"


class Call(NamedTuple):
    """A call as scopes see it: every value of the arguments under what it is."""

    recipients: tuple[str, ...]
    folders: tuple[str | None, ...]
    """None for a path that is not written plainly."""
    money: tuple[float | None, ...]
    """None for an amount that cannot be read."""
    others: tuple[tuple[str, str], ...]
    """Names and marks of the values that are none of these; a nested value has all names on the way to it."""


def call_of(args: Mapping[str, Any]) -> Call:
    """Return the arguments of a call as scopes see them."""
    recipients, folders, money, others = [], [], [], []
    for place, name, value in _placed(args):
        known = name.casefold()
        if known in RECIPIENT_NAMES or (isinstance(value, str) and is_short(value) and recipients_in({"": value})):
            recipients.append(str(value))
        elif known in PATH_NAMES:
            folders.append(_folder(value, is_folder=known in _FOLDERS))
        elif known in MONEY_NAMES:
            money.append(amount_of(value))
        else:
            others.append((place, mark_of(value)))
    return Call(tuple(recipients), tuple(folders), tuple(money), tuple(others))


def _placed(value: Any, place: str = "", name: str = "") -> Iterable[tuple[str, str, Any]]:
    """Yield every value that is not a container with its place in the arguments and the name that it stands under."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            inner = str(key).replace("/", "//")
            yield from _placed(item, f"{place}/{inner}" if place else inner, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _placed(item, f"{place}/[]", name)
    else:
        yield place, name, value


def covering(
    rules: Iterable[StandingRule], tool: str, args: Mapping[str, Any], *, user: str, now: float
) -> StandingRule | None:
    """Return the first rule that covers a call; see `not_covered`."""
    call = call_of(args)
    return next((rule for rule in rules if not _reason(rule, tool, args, call, user, now)), None)


def not_covered(rule: StandingRule, tool: str, args: Mapping[str, Any], *, user: str, now: float) -> str:
    """Return in words why a rule does not cover a call, or nothing where it does.

    Args:
        rule: The rule, which is in force.
        tool: What is called.
        args: With what, resolved.
        user: For whom the run works.
        now: Unix time in seconds.
    """
    return _reason(rule, tool, args, call_of(args), user, now)


def _reason(rule: StandingRule, tool: str, args: Mapping[str, Any], call: Call, user: str, now: float) -> str:
    if not now < rule.expires:  # not a number is after every end
        return "its time is over"
    if user != rule.user:
        return f"it is for {rule.user!r}"
    if tool != rule.scope.tool:
        return f"it is for {rule.scope.tool!r}"
    if set(args) != set(rule.scope.names):
        return "the call has other arguments"
    return next((why for why in _mismatches(rule.scope, call) if why), "")


def _mismatches(scope: Scope, call: Call) -> Iterable[str]:
    yield _other_recipients(scope, call.recipients)
    for folder in call.folders:
        yield "" if folder is not None and folder in scope.folders else "a path is not plainly in its folders"
    yield _too_much(scope, call.money)
    for name, mark in call.others:
        seen = scope.values.get(name, ())
        text = mark.startswith(("#", '="'))
        yield "" if mark in seen or (name in scope.free and text) else f"{name!r:.60} has a value that it does not name"


def _other_recipients(scope: Scope, recipients: Sequence[str]) -> str:
    if scope.domains and not scope.recipients:
        plain = recipients and all(domain_of(recipient) in scope.domains for recipient in recipients)
        return "" if plain else "a recipient is not plainly an address of its domains"
    return "" if set(recipients) == set(scope.recipients) else "it goes to others"


def _too_much(scope: Scope, money: Sequence[float | None]) -> str:
    if not money:
        return ""
    known = [amount for amount in money if amount is not None]
    if scope.at_most is None or len(known) < len(money) or not sum(known) <= scope.at_most:
        return "it moves more money, or nobody can tell how much"
    return ""


def domain_of(recipient: str) -> str | None:
    """Return the domain of a plainly written address in lower case, or None for anything else."""
    match = _ADDRESS.fullmatch(recipient)
    return match[1].lower() if match else None


def is_plain(text: str) -> bool:
    """Return whether a text is of characters that no others look like."""
    return _PLAIN.fullmatch(text) is not None


def _folder(value: Any, *, is_folder: bool) -> str | None:
    """Return the folder of a path that is written without detours, relative, in ASCII; None for any other."""
    if not isinstance(value, str) or not value or not re.fullmatch(r"[A-Za-z0-9 ._/()+,=-]{1,300}", value):
        return None
    if value.startswith(("/", ".", " ")) or posixpath.normpath(value) != value or value != value.strip():
        return None
    return value if is_folder else posixpath.dirname(value)


def mark_of(value: Any) -> str:
    """Return what two values share exactly when they are the same: their JSON, or the hash of it where it is long."""
    text = json.dumps(value, ensure_ascii=True, default=repr)
    if len(text) <= _SHOWN:
        return f"={text}"
    return f"{'#' if isinstance(value, str) else '~'}{hashlib.sha256(text.encode()).hexdigest()}"


def learnt_values(calls: Sequence[Call]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Return which values the other arguments may have by these examples, and which of them may hold any text.

    An argument is free where its values differed and each was a text of several words; else only what was seen counts.
    """
    seen: dict[str, list[str]] = {}
    for call in calls:
        for name, mark in call.others:
            if mark not in seen.setdefault(name, []):
                seen[name].append(mark)
    free = tuple(sorted(name for name, marks in seen.items() if len(marks) > 1 and all(map(_is_prose, marks))))
    return {name: tuple(marks[:_MAX_SEEN]) for name, marks in sorted(seen.items()) if name not in free}, free


def _is_prose(mark: str) -> bool:
    return mark.startswith("#") or (mark.startswith('="') and len(mark.split()) > 1)


class Kind(NamedTuple):
    """Acts that one standing rule could cover."""

    reach: Literal["exact", "domain"]
    """The very recipients, or everybody at their domains."""
    hash: str


def kinds_of(user: str, tool: str, args: Mapping[str, Any]) -> list[Kind]:
    """Return the kinds that a call is of, the narrowest first; none where its aims are not written plainly."""
    call = call_of(args)
    if None in call.folders or None in call.money or not all(map(is_plain, call.recipients)):
        return []
    to = sorted(set(call.recipients))
    band = _band(sum(amount or 0.0 for amount in call.money)) if call.money else ""
    rest: list[Any] = [user, tool, sorted(args), sorted({folder or "" for folder in call.folders}), band]
    if not to and not call.folders and not call.money:
        rest.append(sorted(call.others))  # nothing says how far it reaches: only the very same call is alike
    domains = sorted({domain_of(recipient) or "" for recipient in to})
    kinds = [Kind("exact", _hash(["exact", to, *rest]))]
    return [*kinds, Kind("domain", _hash(["domain", domains, *rest]))] if domains and all(domains) else kinds


def _band(amount: float) -> str:
    """Return the power of ten that an amount stays within."""
    return next((f"{10**power}" for power in range(1, 15) if amount <= 10**power), "more")


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def in_words(scope: Scope) -> str:
    """Return a scope as a person reads it."""
    parts = [f"call {scope.tool!r}"]
    if scope.recipients:
        parts.append(f"to exactly {', '.join(map(repr, scope.recipients))}")
    elif scope.domains:
        parts.append(f"to any address at {', '.join(scope.domains)} (not below it)")
    if scope.folders:
        parts.append(f"with files directly in {', '.join(repr(folder or '.') for folder in scope.folders)}")
    if scope.at_most is not None:
        parts.append(f"moving at most {scope.at_most:g}")
    for name, marks in scope.values.items():
        parts.append(f"with {name} {' or '.join(_shown(mark) for mark in marks)}")
    if scope.free:
        parts.append(f"with any text as {', '.join(scope.free)}")
    return ", ".join(parts)


def _shown(mark: str) -> str:
    return mark[1:] if mark.startswith("=") else f"the very text {mark[1:9]}…"
