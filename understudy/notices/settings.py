"""The settings `[notify]`: who is told over which channels. Only their form is checked here, so nothing slow loads."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from domain.notices import NoticeKind

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}://\S+", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_PUBLIC_PATHS = ("mailto", "mailtos", "json", "jsons", "form", "forms", "xml", "xmls")
"""Schemes whose hosts and paths are addresses; in those of chat services they are keys."""
_KEY = re.compile(r"(?=[^\d]*\d)[\w=+-]{8,}")
"""What may be a key: a digit in it, and no dot as in the name of a host."""


class ChannelSettings(BaseModel):
    """One way to reach somebody; in a file its URL alone will do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr
    """As apprise reads it, e.g. `mailto://`, `json://`, `slack://`."""
    kinds: tuple[NoticeKind, ...] = ()
    """Kinds of notices that it takes; empty: all."""

    @model_validator(mode="before")
    @classmethod
    def _url_alone(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _looks_like_one(cls, value: SecretStr) -> SecretStr:
        if not _SCHEME.fullmatch(value.get_secret_value()):
            msg = "this is no URL of a channel; write it as SCHEME://..., e.g. mailto://user:password@example.com"
            raise ValueError(msg)
        return value

    @property
    def scheme(self) -> str:
        """The kind of channel; the one part of the URL that may be shown."""
        return self.url.get_secret_value().partition("://")[0].lower()


class NotifySettings(BaseModel):
    """Who is told, how long it is tried, and where answers are given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    users: dict[str, list[ChannelSettings]] = Field(default_factory=dict)
    """Channels by user."""
    workspaces: dict[str, list[ChannelSettings]] = Field(default_factory=dict)
    """Channels by workspace: for what is addressed to nobody, or to users that have no channel."""
    link: str | None = None
    """`https://...` of the page where questions are answered; their id is put behind it."""
    timeout_seconds: float = Field(default=15.0, gt=0, le=120, allow_inf_nan=False)
    """Time that one channel has to take a notice."""
    give_up_after_seconds: float = Field(default=86_400.0, gt=0, allow_inf_nan=False)
    """How long a notice is tried again, from when it was written."""

    @field_validator("users", "workspaces", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: urls if isinstance(urls, list) else [urls] for name, urls in value.items()}

    @field_validator("link")
    @classmethod
    def _is_link(cls, value: str | None) -> str | None:
        if value is not None and not _LINK.fullmatch(value):
            raise ValueError("this is no link; write it as https://...")
        return value

    def secrets(self) -> Iterator[str]:
        """Yield what must not be shown: the URLs, their passwords, and what in them may be a key."""
        for channel in [c for group in (self.users, self.workspaces) for each in group.values() for c in each]:
            yield channel.url.get_secret_value()
            yield from _keys(channel)


def _keys(channel: ChannelSettings) -> Iterator[str]:
    try:
        parts = urlsplit(channel.url.get_secret_value())
        password = parts.password
    except ValueError:
        return
    if password:
        yield from {password, unquote(password)}
    if channel.scheme in _PUBLIC_PATHS:
        return
    words = [parts.netloc, *re.split(r"[/@:]", parts.netloc + parts.path), *(v for _, v in parse_qsl(parts.query))]
    yield from (word for word in map(unquote, words) if _KEY.fullmatch(word))
