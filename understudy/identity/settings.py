"""Settings of identity: who is believed, how long, and how often each may ask."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from domain.errors import IdentityMissing

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures that only the issuer can make: whoever can check them cannot forge them."""
_RATE = re.compile(r"([1-9]\d{0,6})/(second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    amount: int
    seconds: int


def rate_of(text: str) -> Rate:
    """Return the rate that `120/minute` means, or raise `ValueError`."""
    if not (match := _RATE.fullmatch(text)):
        raise ValueError("this is no rate; write it as 120/minute (second, minute, hour or day)")
    return Rate(int(match[1]), _SECONDS[match[2]])


class OidcSettings(BaseModel):
    """An OpenID Connect issuer whose tokens are believed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str
    """URL as it stands in the tokens; https, unless it is on this machine."""
    client_id: str = Field(min_length=1)
    """What the console is registered as."""
    client_secret: SecretStr | None = None
    """None: the console is registered as a public client, and PKCE alone protects its sign-ins."""
    audience: str | tuple[str, ...] = ()
    """Whom tokens must be meant for, one of several; empty: the client id."""
    user_claim: str = Field(default="email", min_length=1)
    """The claim that names the user; an e-mail address that the issuer calls unverified is not believed."""
    workspaces_claim: str | None = None
    """A claim that lists workspaces, as `name` (member) or `name:role`, beside those of `understudy members`."""
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256", "PS256", "EdDSA"), min_length=1)
    leeway: int = Field(default=30, ge=0, le=300)
    """Seconds that the clocks of the issuer and this machine may be apart."""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    """What a sign-in asks for."""

    @field_validator("issuer")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        if not is_safe_url(value):
            raise ValueError("the issuer must be an https:// URL; http:// is for one on this machine")
        return value

    @property
    def audiences(self) -> tuple[str, ...]:
        """Whom tokens may be meant for."""
        given = (self.audience,) if isinstance(self.audience, str) else self.audience
        return tuple(filter(None, given)) or (self.client_id,)


class IdentitySettings(BaseModel):
    """Who is believed; without an issuer and without API keys, one person on this machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    oidc: OidcSettings | None = None
    key_days: int = Field(default=90, ge=1, le=3650)
    """Days that an API key is good for where nothing else is said."""
    key_rate: str | None = "120/minute"
    """Requests of one key, or of one user who has signed in; None sets no bound."""
    workspace_rate: str | None = "1200/minute"
    """Requests of all keys and users of a workspace together."""
    session_hours: float = Field(default=12.0, gt=0, le=24 * 30, allow_inf_nan=False)
    """Hours without a request after which somebody signed in must sign in again."""
    session_most_hours: float = Field(default=24.0 * 7, gt=0, le=24 * 90, allow_inf_nan=False)
    """Hours after which everybody must."""
    secure_cookies: bool | None = None
    """Whether cookies travel over HTTPS only; None: everywhere but on this machine."""

    @field_validator("key_rate", "workspace_rate")
    @classmethod
    def _is_rate(cls, value: str | None) -> str | None:
        if value is not None:
            rate_of(value)
        return value

    @model_validator(mode="after")
    def _lasts(self) -> "IdentitySettings":
        if self.session_most_hours < self.session_hours:
            raise ValueError("session_most_hours must not be less than session_hours")
        return self

    def has_secure_cookies(self, scheme: str, host: str) -> bool:
        """Return whether the cookies of a request to `scheme://host` are to travel over HTTPS only."""
        if self.secure_cookies is not None:
            return self.secure_cookies
        return scheme == "https" or not is_loopback(host)

    def secrets(self) -> Iterator[str]:
        """Yield what must not be shown."""
        if self.oidc is not None and self.oidc.client_secret is not None:
            yield self.oidc.client_secret.get_secret_value()


class _Configured(Protocol):
    """Settings with identity in them."""

    @property
    def identity(self) -> IdentitySettings: ...


def checked_address(settings: _Configured, host: str, has_keys: bool) -> None:
    """Return where the service may listen at `host`, or raise `IdentityMissing`.

    Args:
        settings: What is configured.
        host: The address or name that is listened at.
        has_keys: Whether there are API keys (`Keys.exist`).
    """
    if is_loopback(host) or has_keys or settings.identity.oidc is not None:
        return
    msg = (
        f"others could reach {host or 'every address'!r:.80}, and nothing says who they are: create an API key with"
        " `understudy keys create`, or configure an OpenID Connect issuer (UNDERSTUDY_IDENTITY__OIDC__ISSUER), or"
        " listen at 127.0.0.1"
    )
    raise IdentityMissing(msg)


def is_loopback(host: str) -> bool:
    """Return whether an address, or the name `localhost`, is this machine to itself; no other name is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def is_safe_url(url: str) -> bool:
    """Return whether what is asked there cannot be read or changed on the way."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018  # a port that is none raises here
    except ValueError:
        return False
    if any(char.isspace() or not char.isprintable() for char in url) or parts.username is not None or parts.fragment:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
