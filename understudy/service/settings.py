"""How the service behaves towards a network."""

from pydantic import BaseModel, ConfigDict, Field


class ServiceSettings(BaseModel):
    """What the service takes, and for how long."""

    model_config = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8321, ge=0, le=65535)
    """0 takes any that is free."""
    max_body_bytes: int = Field(default=2_000_000, ge=1_000)
    """Of one request; documents are dropped into the console, which has a limit of its own."""
    header_seconds: float = Field(default=10.0, gt=0)
    """Time in which a request's headers must have come."""
    body_seconds: float = Field(default=30.0, gt=0)
    """Time in which its body must have come."""
    answer_seconds: float = Field(default=300.0, gt=0)
    """Time in which an answer must have begun."""
    max_connections: int = Field(default=2_000, ge=1)
    """More than that at once are refused with 503."""
    ping_seconds: float = Field(default=15.0, gt=0)
    """Silence after which a stream says that it is still there."""
