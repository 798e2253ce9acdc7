"""Resources: what steps are bound to - a model, a tool or a device - with where it runs and what it may be given."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.plans import Privacy, Step
from domain.privacy import covers

Placement = Literal["local", "private", "cloud"]
"""On this machine; on machines of one's own; on somebody else's."""
ResourceKind = Literal["model", "tool", "device"]

_MAY_SEE: dict[Placement, Privacy] = {"local": "secret", "private": "personal", "cloud": "internal"}


class Resource(BaseModel):
    """One thing that can do steps, as the team file declares it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    kind: ResourceKind
    uses: str = Field(min_length=1)
    """A model as `provider:name`, or the tool through which a tool or device is reached."""
    serves: tuple[str, ...] = Field(min_length=1)
    """What it can do: names of specialists or their capabilities for a model, of tools for the others; `*`: all."""
    placement: Placement = "cloud"
    capacity: int = Field(default=1, ge=1, le=10_000)
    """Steps that it takes at once, of all workers and workspaces of a data folder together."""
    dollars: float = Field(default=0.0, ge=0)
    """Expected cost of a step."""
    seconds: float = Field(default=1.0, gt=0)
    """Expected time of a step, until enough was measured."""
    skill: float = Field(default=0.8, ge=0, le=1)
    """How well it does what it serves, until enough was measured."""
    consent: tuple[str, ...] = ()
    """Scopes of consent that a step must bring along to be given to it."""
    privacy: Privacy | None = None
    """The most private data it may be given; None: `secret` where it is local, `personal` private, `internal` cloud."""

    @property
    def may_see(self) -> Privacy:
        """The most private data that it may be given."""
        return self.privacy or _MAY_SEE[self.placement]


def hindrance(resource: Resource, step: Step, wanted: frozenset[str]) -> str:
    """Return why a resource cannot be given a step, in words for a person; empty where it can.

    Args:
        resource: The candidate.
        step: What is to be done.
        wanted: Names any of which the resource must serve.
    """
    if "*" not in resource.serves and not wanted & set(resource.serves):
        return f"it does not serve {' or '.join(sorted(wanted))}"
    if not covers(resource.may_see, step.privacy):
        return f"the step's data is {step.privacy}, and it may be given {resource.may_see} data at most"
    if missing := sorted(set(resource.consent) - set(step.consent)):
        return f"nobody consented to {', '.join(missing)}"
    return ""
