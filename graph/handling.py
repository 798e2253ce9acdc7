"""What a step has in its hands: the tools that it may use, the consents they need, and how private what they gave is.

In a team some of whose models are remote, a step sees the materials that stay here only where its own class says that
it works on such data; for every other step they do not exist. What a tool gives is as private as the materials that it
names as sources, and marks everything that is made of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from agents.tools.notes import TAKE_NOTE
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.briefings import Material
from domain.errors import PrivateData, ToolError
from domain.plans import Privacy, Step
from domain.privacy import SENSITIVE, covers, most_private
from graph.consent import require_consent
from graph.context import Run
from graph.state import State

_LISTING = "list_materials"


def toolbox_for(step: Step, run: Run) -> Toolbox:
    """Return the tools that a step may use; without the materials, and the tools, that it is not private enough for."""
    services = run.services
    if not services.cast.remote:
        return services.tools
    tools = services.cleared.get(step.privacy, services.tools).tools
    return Toolbox({name: tool for name, tool in tools.items() if _is_open(tool.privacy, step, run)})


def _is_open(data: Privacy, step: Step, run: Run) -> bool:
    """Return whether a step may be given data of a class."""
    services = run.services
    return not services.cast.remote or covers(step.privacy, data) or not services.team.privacy.is_kept(data)


@dataclass
class Handling:
    """Stands around the tools of one try at a step, and notes how private what they gave is."""

    step: Step
    state: State
    run: Run
    privacy: Privacy = "public"
    """The most private data that was given so far."""
    _materials: list[Material] | None = field(default=None, repr=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def around(self, tools: Toolbox) -> Toolbox:
        """Return the tools so that each asks for its consents, and what it gives is noted."""
        return Toolbox({name: self._around(tool) for name, tool in tools.tools.items()})

    def _around(self, tool: Tool) -> Tool:
        async def run(parameters: BaseModel) -> ToolOutput:
            return await self.handled(tool, parameters.model_dump(), lambda: tool.run(parameters))

        return replace(tool, run=run)

    async def handled(self, tool: Tool, args: dict[str, Any], call: Callable[[], Awaitable[ToolOutput]]) -> ToolOutput:
        """Return what a call gives.

        Raises:
            ConsentNeeded: A person is asked first.
            ConsentRefused: A person has said no.
            PrivateData: Everybody could read it, and it is not for everybody.
        """
        await require_consent(tool.consent, self.run, self.state)
        if tool.name == TAKE_NOTE:
            self._check_note()
        try:
            output = await call()
        except ToolError as error:
            # A refusal may name what there is.
            self._note([m.privacy for m in await self._known() if m.name in str(error)])
            raise
        touched = await self._touched(tool, args, output)
        await require_consent(_scopes(touched), self.run, self.state)
        self._note([tool.privacy, *(material.privacy for material in touched)])
        return output

    def _check_note(self) -> None:
        data, policy = most_private([self.privacy, self.step.privacy]), self.run.services.team.privacy
        if data in SENSITIVE or policy.is_kept(data):
            msg = f"a note may be read by anybody, and this step works on {data} data"
            raise PrivateData(msg)

    def _note(self, classes: Iterable[Privacy]) -> None:
        self.privacy = most_private([self.privacy, *classes])

    async def _touched(self, tool: Tool, args: dict[str, Any], output: ToolOutput) -> list[Material]:
        known = await self._known()
        if tool.name == _LISTING:
            return known
        named = {source.name for source in output.sources} | {str(args.get("name", "")).strip().removeprefix("./")}
        return [material for material in known if material.name in named]

    async def _known(self) -> list[Material]:
        """Return the materials that the step can see, where the team says how private any of them are."""
        async with self._reading:
            if self._materials is None:
                declared = self.run.services.team.privacy.materials
                found = await self.run.services.materials() if declared else []
                self._materials = [m for m in found if _is_open(m.privacy, self.step, self.run)]
        return self._materials


def _scopes(materials: Iterable[Material]) -> list[str]:
    return list(dict.fromkeys(scope for material in materials for scope in material.consent))
