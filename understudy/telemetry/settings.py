"""The settings `[telemetry]`: where traces go, what they may show, and how logs are written."""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

TRACES_PATH = "/v1/traces"

LogFormat = Literal["text", "json"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class TelemetrySettings(BaseModel):
    """What is told of runs to those who operate the service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    otlp_endpoint: str | None = None
    """`http(s)://host:port` of an OpenTelemetry collector that gets traces over OTLP/HTTP; None sends none."""
    otlp_headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Sent along with every request, such as `authorization`."""
    content: bool = False
    """Whether traces hold goals, tasks, arguments and answers; known secrets are hidden in them all the same."""
    log_format: LogFormat = "text"
    """`json`: one object a line, for machines."""
    log_level: LogLevel = "INFO"

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = urlsplit(value)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("this is no address of a collector; write it as http://host:4318")
        if url.username or url.password:
            raise ValueError("an address shows in messages; put user and password into 'otlp_headers'")
        return value

    @property
    def traces_url(self) -> str | None:
        """Where traces are sent to."""
        if self.otlp_endpoint is None:
            return None
        base = self.otlp_endpoint.rstrip("/")
        return base if base.endswith(TRACES_PATH) else base + TRACES_PATH

    def secrets(self) -> Iterator[str]:
        """Yield what must not be shown."""
        for value in self.otlp_headers.values():
            secret = value.get_secret_value()
            yield secret
            yield from secret.split()
