"""Hard rules as data, and the one function that holds a plan or an effect against them. Pure.

A rule that cannot be evaluated forbids. A reference to an earlier output is unknown while a plan is made; the rules
are held against its value before the effect.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.plans import Effect, Plan
from domain.targets import folded, is_short, leaves, plain_path, recipients_in

Measure = Literal["dollars", "tokens", "calls"]
Texts = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=500)], ...], Field(min_length=1)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")
    why: str = Field(default="", max_length=500)
    """For whoever meets the rule."""


class ForbiddenTool(_Rule):
    """These tools may not be called."""

    kind: Literal["forbidden_tool"] = "forbidden_tool"
    tools: Texts


class ForbiddenRecipient(_Rule):
    """Nothing may be sent to these; `*` stands for any text, case does not count."""

    kind: Literal["forbidden_recipient"] = "forbidden_recipient"
    recipients: Texts


class ForbiddenPath(_Rule):
    """These paths may not be touched; `*` stands for any text, also across folders."""

    kind: Literal["forbidden_path"] = "forbidden_path"
    paths: Texts


class Privacy(_Rule):
    """Steps that handle these classes of data may not have an effect outside."""

    kind: Literal["privacy"] = "privacy"
    classes: tuple[Literal["public", "internal", "personal", "secret"], ...] = Field(min_length=1)


class Security(_Rule):
    """These texts may not leave in the arguments of an effect; case does not count."""

    kind: Literal["security"] = "security"
    texts: Texts


class Cost(_Rule):
    """A run that has consumed, or is expected to consume, more may not go on."""

    kind: Literal["cost"] = "cost"
    measure: Measure
    at_most: float = Field(ge=0)


class TimeOfDay(_Rule):
    """No effects between two times of day, `end` excluded; past midnight when `end` is the earlier one."""

    kind: Literal["time_of_day"] = "time_of_day"
    start: Clock
    end: Clock
    zone: str = "UTC"
    """IANA name."""
    tools: tuple[str, ...] = ()
    """Tools that it is about; empty means everything that writes."""


class Unreadable(_Rule):
    """A rule that this version cannot read; no tool may be used while it is in force."""

    kind: Literal["unreadable"] = "unreadable"


Rule = Annotated[
    ForbiddenTool | ForbiddenRecipient | ForbiddenPath | Privacy | Security | Cost | TimeOfDay | Unreadable,
    Field(discriminator="kind"),
]
RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
"""Validates one rule from its JSON form."""


@dataclass(frozen=True)
class Act:
    """Something that is about to be done, as the rules see it."""

    step: str
    tool: str | None = None
    effect: Effect = "none"
    args: Mapping[str, Any] = field(default_factory=dict)
    privacy: str = "internal"

    @cached_property
    def recipients(self) -> Sequence[str]:
        """To whom it goes, folded; found once for all rules."""
        return recipients_in(self.args)


@dataclass(frozen=True)
class Circumstances:
    """When and at what cost so far; a measure that is missing is unknown."""

    now: float
    """Unix time in seconds."""
    spent: Mapping[str, float] = field(default_factory=dict)
    """By `Measure`."""


class Violation(BaseModel):
    """A rule that forbids something."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    kind: str
    step: str | None = None
    message: str

    def __str__(self) -> str:
        return f"rule {self.rule!r}: {self.message}"


def acts_of(plan: Plan) -> list[Act]:
    """Return the plan's steps as acts."""
    return [Act(s.id, s.tool, s.effect, s.args, s.privacy) for s in plan.steps]


def evaluate(rules: Iterable[Rule], subject: Plan | Act, circumstances: Circumstances) -> list[Violation]:
    """Return every rule that forbids a plan or an act; nothing is changed, called or executed."""
    acts = [subject] if isinstance(subject, Act) else acts_of(subject)
    spent = dict(circumstances.spent)  # what is known, with what the plan expects
    if isinstance(subject, Plan):
        for measure, expected in subject.estimates.items():
            spent[measure] = spent.get(measure, 0.0) + expected
    given = Circumstances(circumstances.now, spent)
    return [violation for each in rules for violation in _violations(each, acts, given)]


def _violations(rule: Rule, acts: Sequence[Act], given: Circumstances) -> Iterable[Violation]:
    check: Callable[[Any, Act, Circumstances], str | None] = _CHECKS[rule.kind]
    for act in acts:
        try:
            found = check(rule, act, given)
        except (ValueError, TypeError, LookupError, OSError, OverflowError) as error:
            found = f"it cannot be evaluated ({type(error).__name__}: {error}), so it forbids"
        if found:
            reason = f"{found} ({rule.why})" if rule.why else found
            yield Violation(rule=rule.id, kind=rule.kind, step=act.step, message=reason)


def _tool(rule: ForbiddenTool, act: Act, _: Circumstances) -> str | None:
    return f"the tool {act.tool!r} may not be called" if act.tool and act.tool in rule.tools else None


def _recipient(rule: ForbiddenRecipient, act: Act, _: Circumstances) -> str | None:
    for recipient in act.recipients:
        if any(fnmatchcase(recipient, folded(pattern)) for pattern in rule.recipients):
            return f"nothing may be sent to {recipient!r:.100}"
    return None


def _path(rule: ForbiddenPath, act: Act, _: Circumstances) -> str | None:
    for __, text in leaves(act.args):
        names = {folded(text), plain_path(text)} if is_short(text) else set()
        if any(fnmatchcase(name, folded(pattern)) for name in names for pattern in rule.paths):
            return f"{text!r:.100} may not be touched"
    return None


def _privacy(rule: Privacy, act: Act, _: Circumstances) -> str | None:
    writes = act.effect == "write" and act.privacy in rule.classes
    return f"{act.privacy} data may not leave by {act.tool or 'a step that writes'}" if writes else None


def _security(rule: Security, act: Act, _: Circumstances) -> str | None:
    said = "\n".join(folded(text) for _, text in leaves(act.args)) if act.effect == "write" else ""
    hit = any(folded(text) in said for text in rule.texts)
    return "the arguments hold a text that may not leave" if hit else None


def _cost(rule: Cost, _: Act, given: Circumstances) -> str | None:
    if rule.measure not in given.spent:
        return f"the {rule.measure} of this run are unknown, so it forbids"
    spent = given.spent[rule.measure]
    return f"{spent:g} {rule.measure} are more than {rule.at_most:g}" if not spent <= rule.at_most else None


def _time(rule: TimeOfDay, act: Act, given: Circumstances) -> str | None:
    zone = ZoneInfo(rule.zone)
    concerned = act.tool in rule.tools if rule.tools else act.effect == "write"
    start, end = time.fromisoformat(rule.start), time.fromisoformat(rule.end)
    now = datetime.fromtimestamp(given.now, tz=UTC).astimezone(zone).time()
    inside = start <= now < end if start <= end else now >= start or now < end
    return f"nothing is done between {rule.start} and {rule.end} ({rule.zone})" if concerned and inside else None


def _unreadable(_: Unreadable, act: Act, __: Circumstances) -> str | None:
    return "it cannot be read by this version, so it forbids every tool" if act.tool else None


_CHECKS: dict[str, Callable[[Any, Act, Circumstances], str | None]] = {
    "forbidden_tool": _tool, "forbidden_recipient": _recipient, "forbidden_path": _path, "privacy": _privacy,
    "security": _security, "cost": _cost, "time_of_day": _time, "unreadable": _unreadable,
}  # fmt: skip
