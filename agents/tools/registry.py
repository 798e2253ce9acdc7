"""Tools: what they take, what effect they have, and the one way to call them."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from agents.tools.containment import checked_data, contained, cut
from agents.tools.declaration import Level, Origin
from domain.errors import InvalidArguments, MalformedOutput, OutputTooLarge, ToolError, ToolRefused
from domain.outcomes import Source
from domain.plans import Effect, Privacy, as_ref

T = TypeVar("T")


@dataclass(frozen=True)
class ToolOutput:
    """What a tool found or did."""

    text: str
    """For the model and for people."""
    data: dict[str, Any] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    empty: bool | None = None
    """Whether it worked and found nothing; None leaves it to be seen from text and data."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found: it says so, or has no text, or one of its lists of findings has nothing in it."""
        if self.empty is not None:
            return self.empty
        found = [self.data[name] for name in _FINDINGS if isinstance(self.data.get(name), list)]
        return not any(found) if found else not self.text.strip()


_FINDINGS = ("rows", "items", "results", "matches", "passages", "hits")
"""Keys of data under which tools list what they found."""


class Attempt(NamedTuple):
    """A call of a writing tool that was begun at some time, perhaps by a process that is gone."""

    args: Any
    """The validated `parameters`."""
    key: str
    """Its idempotency key."""
    before: Mapping[str, Any]
    """What `prepare` returned for it."""


class Verdict(NamedTuple):
    """What looking into an attempt found."""

    state: Literal["happened", "did_not_happen", "cannot_tell"]
    """`did_not_happen` also promises that the attempt can have no effect any more: the call is then repeated."""
    output: ToolOutput | None = None
    """With `happened`: what the call would have returned."""


PRIORS: Mapping[Level, tuple[float, float]] = {
    "HIGH": (18, 2), "MEDIUM": (8, 2), "LOW": (3, 2), "EXPERIMENTAL": (1, 1),
}  # fmt: skip
"""Pseudo-counts of successes and failures that a level stands for: those of a Beta distribution."""

Watch = Callable[[Callable[[], Awaitable[ToolOutput]]], Awaitable[ToolOutput]]
"""Makes a call and counts it, or refuses to make it."""
Renew = Callable[[Mapping[str, Any], str | None], Awaitable[dict[str, Any]]]
"""Takes planned arguments and, when they were made for another goal, the goal they are wanted for now."""


@dataclass(frozen=True)
class Tool:
    """A function that an agent may call."""

    name: str
    description: str
    """Prompt text: written for the model."""
    parameters: type[BaseModel]
    """One model with `extra="forbid"`; field descriptions are prompt text."""
    run: Callable[..., Awaitable[ToolOutput]]
    """Takes a validated `parameters`; raises `ToolError` and changes nothing when it cannot do it."""
    effect: Effect = field(kw_only=True)
    timeout: float = 30.0
    """Seconds."""
    check: Callable[[Any], Awaitable[None]] | None = None
    """Takes validated `parameters` and raises the `ToolError` that `run` would raise now; None where it cannot tell."""
    renew: Renew | None = None
    """Makes planned arguments fit to be used once more; None where they always are."""
    key: tuple[str, ...] = ()
    """Of a writing tool: the arguments that tell its effects apart. Calls of a run that agree in them are one effect.
    Empty: the calls of one step with the same arguments are."""
    takes_key: bool = False
    """Whether `run` also takes the idempotency key, to hand it to a service that knows such keys."""
    prepare: Callable[[Any], Awaitable[dict[str, Any]]] | None = None
    """Takes validated `parameters` before the effect and returns, as JSON, what `verify` and `undo` must know of the
    state before it; changes nothing."""
    verify: Callable[[Attempt], Awaitable[Verdict]] | None = None
    """Finds out whether an attempt that left no result had its effect; None where nobody but a person can."""
    undo: Callable[[Attempt, ToolOutput], Awaitable[ToolOutput]] | None = None
    """Takes an effect back, so that `verify` says `did_not_happen`; raises `ToolError` and changes nothing where that
    would destroy what somebody did since. None where it cannot be taken back."""
    privacy: Privacy = "public"
    """The most private data that it gives; a step that calls it is at least as private."""
    consent: tuple[str, ...] = ()
    """Scopes that a person must have agreed to before it is called."""
    returns: type[BaseModel] | None = None
    """What the output's data is; None leaves it open."""
    alternatives: tuple[str, ...] = ()
    """Tools that take the same arguments and may be called where this one fails; not for one that writes."""
    level: Level = "HIGH"
    """How reliable it is taken to be until enough was measured."""
    capability: str | None = None
    """What it is for, in a word that other tools may share."""
    origin: Origin | Literal["built in"] = "built in"
    watch: Watch | None = None
    """Stands around every call; None where nobody measures."""
    measured: Callable[[], Awaitable[float]] | None = None
    """Returns the success rate that is expected of the next call, 0-1; None where nobody measures."""

    @property
    def argument_names(self) -> frozenset[str]:
        """What its arguments are called."""
        return frozenset(schema_of(self.parameters).get("properties", {}))

    async def confidence(self) -> float:
        """Return how far its output can be relied on, 0-1: as measured, or else as its level says."""
        if self.measured is not None:
            return await self.measured()
        successes, failures = PRIORS[self.level]
        return successes / (successes + failures)

    def validated(self, args: Mapping[str, Any]) -> BaseModel:
        """Return the arguments as `parameters`, or raise `InvalidArguments` naming each problem."""
        if self.effect == "write" and (problem := _not_json(args)):
            msg = f"{self.name}: {problem}"
            raise InvalidArguments(msg)
        try:
            return self.parameters.model_validate(dict(args))
        except ValidationError as error:
            msg = f"{self.name}: " + "; ".join(f"{_place(e['loc'])}: {e['msg']}" for e in error.errors())
            raise InvalidArguments(msg) from error

    async def checked(self, args: Mapping[str, Any]) -> None:
        """Raise `ToolError` when the tool would refuse these arguments; nothing is done."""
        parameters = self.validated(args)
        if self.check is not None:
            await self.check(parameters)

    async def call(self, args: Mapping[str, Any], key: str = "") -> ToolOutput:
        """Validate the arguments and run the tool within its time limit.

        Args:
            args: The arguments, not yet validated.
            key: Idempotency key of the effect; only for a writing tool.
        """
        parameters = self.validated(args)

        async def work() -> ToolOutput:
            output = await self._in_time(self.run(parameters, key) if self.takes_key else self.run(parameters))
            return self.bounded(output)

        return await (self.watch(work) if self.watch else work())

    def bounded(self, output: ToolOutput) -> ToolOutput:
        """Return an output that can be kept; that of a writing tool is cut, as what it did is done.

        Raises:
            OutputTooLarge: It holds too much, and the tool does not write.
            MalformedOutput: It is no output, or its data is no JSON, and the tool does not write.
        """
        if not isinstance(output, ToolOutput):
            output = ToolOutput(f"{self.name} gave a {type(output).__name__} in place of an output")
            if self.effect != "write":
                raise MalformedOutput(output.text)
        try:
            return replace(output, text=cut(output.text), data=checked_data(output.data, self.name))
        except (OutputTooLarge, MalformedOutput) as error:
            if self.effect != "write":
                raise
            return replace(output, text=f"{cut(output.text)}\n[its data is left out: {error}]", data={})

    async def prepared(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return what must be known of the state before a call with these arguments."""
        return await self._in_time(self.prepare(self.validated(args))) if self.prepare else {}

    async def verified(self, args: Mapping[str, Any], key: str, before: Mapping[str, Any]) -> Verdict:
        """Return whether an attempt that left no result had its effect; where looking fails, nobody can tell."""
        if self.verify is None:
            return Verdict("cannot_tell")
        try:
            return await self._in_time(self.verify(Attempt(self.validated(args), key, before)))
        except (ToolError, OSError):
            return Verdict("cannot_tell")

    async def undone(
        self, args: Mapping[str, Any], key: str, before: Mapping[str, Any], output: ToolOutput
    ) -> ToolOutput:
        """Take an effect back and return what was done, or raise `ToolError` when it cannot or must not be."""
        if self.undo is None:
            msg = f"{self.name} cannot be undone"
            raise ToolError(msg)
        return await self._in_time(self.undo(Attempt(self.validated(args), key, before), output))

    async def _in_time(self, work: Awaitable[T]) -> T:
        return await contained(work, self.name, self.timeout)

    def schema(self) -> dict[str, Any]:
        """Return the tool in the chat-completions function format."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": schema_of(self.parameters),
            },
        }


@lru_cache(maxsize=1024)
def schema_of(parameters: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a tool's arguments, to be read only: finding it out takes Pydantic a millisecond."""
    return parameters.model_json_schema()


def _not_json(args: Mapping[str, Any]) -> str:
    """Return why arguments cannot be kept in the ledger, such as a number that is none; or nothing."""
    try:
        json.dumps(dict(args), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        return f"the arguments are no JSON: {error}"
    return ""


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(map(str, loc)) or "arguments"


@dataclass(frozen=True)
class Toolbox:
    """The tools of one run."""

    tools: Mapping[str, Tool]

    @classmethod
    def of(cls, tools: Iterable[Tool]) -> "Toolbox":
        """Return a toolbox of these tools."""
        return cls({tool.name: tool for tool in tools})

    def only(self, names: Iterable[str]) -> "Toolbox":
        """Return the toolbox cut down to these names; unknown names are left out."""
        return Toolbox({name: self.tools[name] for name in names if name in self.tools})

    def with_tools(self, tools: Iterable[Tool]) -> "Toolbox":
        """Return the toolbox with more tools."""
        return Toolbox({**self.tools, **{tool.name: tool for tool in tools}})

    def without_writes(self) -> "Toolbox":
        """Return the toolbox without the tools that change the world; those run as steps of a plan only."""
        return Toolbox({name: tool for name, tool in self.tools.items() if tool.effect != "write"})

    def get(self, name: str) -> Tool:
        """Return a tool by name, or raise `ToolRefused` naming those there are."""
        if name not in self.tools:
            msg = f"there is no tool {name!r}; there are {', '.join(sorted(self.tools)) or 'none'}"
            raise ToolRefused(msg)
        return self.tools[name]

    def argument_problems(self, name: str, args: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with the arguments; a reference counts as a given value of the right type."""
        plain = {k: v for k, v in args.items() if as_ref(v) is None}
        try:
            self.tools[name].parameters.model_validate(plain)
        except ValidationError as error:
            referred = set(args) - set(plain)
            return [
                f"{_place(e['loc'])}: {e['msg']}"
                for e in error.errors()
                if not (e["type"] == "missing" and e["loc"] and e["loc"][0] in referred)
            ]
        return []
