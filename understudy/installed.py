"""What is open in the process of a LangGraph server: one installation, whoever in it asks first."""

import asyncio
import functools
from dataclasses import replace

from graph.context import Context, Services, ServicesFor
from understudy.settings import load_settings
from understudy.wiring import House


class Installed:
    """The house of this process, since a data folder is opened once.

    Where the server has our application (`understudy.service.langgraph_app`), that opens the house and lends it; else
    the graph's first run opens it.
    """

    def __init__(self) -> None:
        self._house: House | None = None
        self._lock = asyncio.Lock()
        self._lent: asyncio.Event | None = None

    def expect(self) -> None:
        """Have runs wait until a house is lent: somebody is there who will."""
        self._lent = self._lent or asyncio.Event()

    def lend(self, house: House) -> None:
        """Have runs work in a house that is open, until `take_back`."""
        self.expect()
        self._house = house
        if self._lent is not None:
            self._lent.set()

    def take_back(self) -> None:
        """Have no run begin to work in the house any more."""
        self._house = None
        if self._lent is not None:
            self._lent.clear()

    async def house(self) -> House:
        """Return the open house."""
        if self._lent is not None:
            await self._lent.wait()
        async with self._lock:
            if self._house is None:
                settings = await asyncio.to_thread(load_settings)
                self._house = await House(settings).__aenter__()
            return self._house


@functools.cache
def installed() -> Installed:
    """Return the one of this process; a LangGraph server imports graph, application and identities one by one."""
    return Installed()


def installed_services() -> ServicesFor:
    """Return the services of this installation, for a server that runs the graph."""

    async def services_for(context: Context) -> Services:
        house = await installed().house()
        team = house.settings.team if context == Context() else context.team
        return await house.services_for(replace(context, team=team))

    return services_for
