"""What a search for forbidden effects works with: tools that record, and a plain model of what may happen."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from agents.tools.registry import Attempt, Tool, ToolOutput
from domain.autonomy import Tier
from domain.checkpoints import Checkpoint
from domain.errors import ToolError
from domain.standing import Scope

DAY = 86_400.0
EVIL = ("evil@y.com", "EVIL@Y.COM", "ｅvil@y.com", " evil@y.com")
"""Spellings of whom the rule `no-evil` forbids."""


class Anything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: Any
    amount: Any = None
    text: str = ""


class World:
    """The tools, and what they did."""

    def __init__(self) -> None:
        self.done: list[tuple[str, dict[str, Any], str]] = []
        self.breaks: type[ToolError] | None = None
        self.meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.check: Callable[[str, dict[str, Any]], str] = lambda tool, args: "nobody tried it"
        self.wrong: list[str] = []
        """What was done although it must not be; kept, since what a tool raises is caught around it."""

    def tool(self, name: str, *, undoable: bool) -> Tool:
        async def run(args: Anything, key: str) -> ToolOutput:
            given = args.model_dump(exclude_unset=True)
            if wrong := self.check(name, given):
                self.wrong.append(f"{name} {given}: {wrong}")
            if self.breaks is not None:
                raise self.breaks("broken")
            self.done.append((name, given, key))
            return ToolOutput("done")

        async def prepare(_: Anything) -> dict[str, Any]:
            if self.meanwhile is not None:
                await self.meanwhile()
            return {}

        async def undo(attempt: Attempt, _: ToolOutput) -> ToolOutput:
            return ToolOutput(f"took {attempt.key} back")

        fields: dict[str, Any] = {"undo": undo} if undoable else {}
        return Tool(name, name, Anything, run, effect="write", takes_key=True, prepare=prepare, **fields)


@dataclass
class Allowed:
    """What may happen, by what people have set."""

    forbidden: set[str] = field(default_factory=set)
    tier: Tier = "standard"
    rules: dict[str, tuple[Scope, float]] = field(default_factory=dict)
    """Standing rules in force, and when they end."""
    posted: tuple[Checkpoint, ...] = ()

    def wrong(self, tool: str, args: dict[str, Any], now: float, *, decided: bool, carried: bool) -> str:
        """Return why an effect may not happen now, or nothing.

        Args:
            tool: What is called.
            args: With what.
            now: Unix time in seconds.
            decided: Whether somebody who may has decided on exactly this call.
            carried: Whether words of it come from memory.
        """
        if self._is_forbidden(tool, args, now):
            return "a rule forbids it"
        if any(checkpoint.action == "BLOCK" for checkpoint in self.posted):
            return "a checkpoint blocks"
        return "" if decided or (not carried and self._alone(tool, args, now)) else "nobody allowed it"

    def demote(self, tool: str, args: dict[str, Any]) -> None:
        self.rules = {name: (scope, end) for name, (scope, end) in self.rules.items() if not covers(scope, tool, args)}

    def _is_forbidden(self, tool: str, args: dict[str, Any], now: float) -> bool:
        hour = now % DAY / 3600
        return (
            ("no-send" in self.forbidden and tool == "send")
            or ("no-evil" in self.forbidden and any(recipient in EVIL for recipient in recipients(args)))
            or ("no-night" in self.forbidden and (hour >= 22 or hour < 6))
        )

    def _alone(self, tool: str, args: dict[str, Any], now: float) -> bool:
        """Return whether the system may do it without a person."""
        if self.tier == "cautious":
            return False
        asking = [
            c for c in self.posted if c.action in ("REQUEST_APPROVAL", "ESCALATE") and not c.auto_approve_for_users
        ]
        if any(checkpoint.action == "ESCALATE" for checkpoint in asking):
            return False
        covered = any(now < end and covers(scope, tool, args) for scope, end in self.rules.values())
        return covered or (not asking and (tool == "put" or self.tier == "trusted"))


def recipients(args: dict[str, Any]) -> list[str]:
    return args["to"] if isinstance(args["to"], list) else [args["to"]]


def covers(scope: Scope, tool: str, args: dict[str, Any]) -> bool:
    to = set(recipients(args))
    reached = to == set(scope.recipients) if scope.recipients else to <= {"ann@x.org", "bob@x.org"}
    paid = "amount" not in args or args["amount"] in (0, 5, "5")
    return scope.tool == tool and set(scope.names) == set(args) and reached and paid
