"""A run's team and tools as plan validation sees them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.team import Team
from agents.tools.registry import Toolbox
from domain.plans import Effect


@dataclass(frozen=True)
class RunCatalogue:
    """Implements `domain.validation.Catalogue`."""

    team: Team
    tools: Toolbox

    def agents(self) -> Iterable[str]:
        """Return the specialists' names."""
        return (specialist.name for specialist in self.team.specialists)

    def tools_of(self, agent: str) -> Iterable[str]:
        """Return the tools that a specialist may call."""
        return self.team.specialist(agent).tools

    def tool_effect(self, tool: str) -> Effect | None:
        """Return a tool's effect, or None where this run has no such tool."""
        return self.tools.tools[tool].effect if tool in self.tools.tools else None

    def argument_problems(self, tool: str, args: Mapping[str, Any]) -> Iterable[str]:
        """Return what is wrong with a tool's arguments."""
        return self.tools.argument_problems(tool, args)
