"""Which models do the jobs, and how they are reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

Job = Literal[
    "supervisor", "planner", "plan_critic", "specialist", "composer", "critic", "reviser", "summariser", "explainer"
]


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Which models do the jobs, and how they are reached. Models are written `provider:name`."""

    default: str
    jobs: Mapping[Job, str] = field(default_factory=dict)
    """A model of its own for some jobs, e.g. a cheap one for `supervisor`."""
    fallback: str | None = None
    """Takes over where a job's model fails."""
    api_key: SecretStr | None = None
    base_url: str | None = None
    """Any OpenAI-compatible server; None takes the provider's own."""
    connect_timeout: float = 5.0
    """Seconds."""
    read_timeout: float = 60.0
    """Seconds without a byte from the server."""
    total_timeout: float = 180.0
    """Seconds for one call with all its retries."""
    max_retries: int = 2
