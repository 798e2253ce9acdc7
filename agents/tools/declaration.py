"""What a team file says of a tool that is not built in: where it comes from, what it does, how far to trust it."""

import re
import shlex
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.consent import SCOPE
from domain.plans import Effect, Privacy

Origin = Literal["function", "mcp", "openapi"]
Level = Literal["HIGH", "MEDIUM", "LOW", "EXPERIMENTAL"]

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class ToolDeclaration(BaseModel):
    """One `[[tools]]` table."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    origin: Origin = Field(alias="from")
    target: str = Field(min_length=1, max_length=2000)
    """`package.module:function`; command or URL of an MCP server; file or URL of an OpenAPI 3 document."""
    operation: str | None = Field(default=None, min_length=1, max_length=200)
    """The server's name of the tool, or the document's `operationId`; None: the same as `name`."""
    description: str | None = Field(default=None, min_length=1, max_length=1000)
    """For the model, in place of what the function or the server says."""
    effect: Effect = "write"
    """What is not declared counts as writing, whatever a server claims, and so is asked about."""
    key: tuple[str, ...] = ()
    """Of a writing tool: the arguments that tell its effects apart."""
    idempotent: bool = False
    """Whether calling it again with the same arguments changes nothing more, so that a lost call may be repeated."""
    verify: str | None = None
    """`package.module:function` that takes the arguments of a lost call: True where it happened, False, or None."""
    undo: str | None = None
    """`package.module:function` that takes the arguments of a call and takes its effect back."""
    level: Level = "MEDIUM"
    """How reliable it is taken to be until enough was measured."""
    capability: str | None = Field(default=None, min_length=1, max_length=80)
    """What it is for; tools of one capability stand in for each other where they take the same arguments."""
    alternatives: tuple[str, ...] = ()
    """Tools to be called where this one fails, the first choice first."""
    privacy: Privacy = "public"
    """The most private data that it gives; a step that calls it is at least as private."""
    consent: tuple[Annotated[str, Field(pattern=SCOPE)], ...] = ()
    """Scopes that a person must have agreed to before it is called."""
    timeout: float = Field(default=30.0, gt=0, le=3600)
    """Seconds."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts that may be called, redirects included; empty: only the host in `target`."""
    allow_private: bool = False
    """Whether hosts may be on this machine or in a private network. Link-local addresses are never called."""
    secrets: dict[str, str] = Field(default_factory=dict)
    """Names of environment variables: by header for a URL (`Authorization` gets `Bearer` where the value is one word),
    by the variable that a server's own process gets them under for a command."""

    @property
    def remote_name(self) -> str:
        """What the server or the document calls the tool."""
        return self.operation or self.name

    @property
    def is_url(self) -> bool:
        """Whether the target is reached over HTTP."""
        return self.target.startswith(("http://", "https://"))

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts that may be called, in lower case."""
        given = self.allow_hosts or ((urlsplit(self.target).hostname or "",) if self.is_url else ())
        return frozenset(host.lower() for host in given)

    @field_validator("secrets")
    @classmethod
    def _only_names(cls, secrets: dict[str, str]) -> dict[str, str]:
        for name, variable in secrets.items():
            if not _VARIABLE.fullmatch(variable):  # it may be the secret itself, so it is not repeated
                msg = f"'secrets.{name}' must be the name of an environment variable, such as API_TOKEN"
                raise ValueError(msg)
        return secrets

    @field_validator("verify", "undo")
    @classmethod
    def _function(cls, target: str | None) -> str | None:
        if target is not None and not _FUNCTION.fullmatch(target):
            msg = f"{target!r:.60} is not written as 'package.module:function'"
            raise ValueError(msg)
        return target

    @model_validator(mode="after")
    def _consistent(self) -> "ToolDeclaration":
        problem = _target_problem(self) or _effect_problem(self)
        if problem:
            raise ValueError(problem)
        return self


def _target_problem(tool: ToolDeclaration) -> str | None:
    if tool.is_url:
        return _url_problem(tool)
    if tool.origin == "openapi":
        return None if tool.allow_hosts else "a document in a file needs 'allow_hosts': which hosts may be called"
    if tool.origin == "function":
        fits = _FUNCTION.fullmatch(tool.target)
        return None if fits else f"'target' is {tool.target!r:.60}; write 'package.module:function'"
    try:
        return None if shlex.split(tool.target) else "'target' is an empty command"
    except ValueError as error:
        return f"'target' is not a command: {str(error).lower()}"


def _url_problem(tool: ToolDeclaration) -> str | None:
    if tool.origin == "function":
        return "'target' is a URL; write 'package.module:function'"
    try:
        url = urlsplit(tool.target)
        if url.username or url.password:
            return "'target' holds a user or password; use 'secrets'"
        return None if url.hostname else "'target' names no host"
    except ValueError:
        return "'target' is not a URL"


def _effect_problem(tool: ToolDeclaration) -> str | None:
    given = [name for name in ("key", "idempotent", "verify", "undo") if getattr(tool, name)]
    if given and tool.effect != "write":
        return f"{given[0]!r} is for tools with the effect 'write'"
    return None
