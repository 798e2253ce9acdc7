"""Tools: what they take, what effect they have, and the one way to call them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.errors import InvalidArguments, ToolError, ToolTimeout
from domain.outcomes import Source
from domain.plans import Effect, as_ref


@dataclass(frozen=True)
class ToolOutput:
    """What a tool found or did."""

    text: str
    """For the model and for people."""
    data: dict[str, Any] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()


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
    run: Callable[[Any], Awaitable[ToolOutput]]
    """Takes a validated `parameters`; raises `ToolError` and changes nothing when it cannot do it."""
    effect: Effect = "none"
    timeout: float = 30.0
    """Seconds."""
    check: Callable[[Any], Awaitable[None]] | None = None
    """Takes validated `parameters` and raises the `ToolError` that `run` would raise now; None where it cannot tell."""
    renew: Renew | None = None
    """Makes planned arguments fit to be used once more; None where they always are."""

    def validated(self, args: Mapping[str, Any]) -> BaseModel:
        """Return the arguments as `parameters`, or raise `InvalidArguments` naming each problem."""
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

    async def call(self, args: Mapping[str, Any]) -> ToolOutput:
        """Validate the arguments and run the tool within its time limit."""
        parameters = self.validated(args)
        try:
            async with asyncio.timeout(self.timeout):
                return await self.run(parameters)
        except TimeoutError as error:
            msg = f"{self.name} did not answer within {self.timeout:g} s"
            raise ToolTimeout(msg) from error

    def schema(self) -> dict[str, Any]:
        """Return the tool in the chat-completions function format."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters.model_json_schema(),
            },
        }


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

    def without_writes(self) -> "Toolbox":
        """Return the toolbox without the tools that change the world; those run as steps of a plan only."""
        return Toolbox({name: tool for name, tool in self.tools.items() if tool.effect != "write"})

    def get(self, name: str) -> Tool:
        """Return a tool by name, or raise `ToolError` naming those there are."""
        if name not in self.tools:
            msg = f"there is no tool {name!r}; there are {', '.join(sorted(self.tools)) or 'none'}"
            raise ToolError(msg)
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
