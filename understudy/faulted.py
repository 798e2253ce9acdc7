"""The product as the fault benchmark runs it: the real one, with a scripted model server and tools that fail."""

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from evals.benchmarks.faults import Open, Setting
from evals.tool_faults import ToolFaults
from graph.context import Context, Services
from memory.encoders import Encoder, encoder
from understudy.measured import WORKSPACE
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings, load_settings
from understudy.wiring import House


def opener(data: Path) -> Open:
    """Return what opens the product over a folder of documents and tables; the encoder is loaded once."""
    return functools.partial(_opened, data, encoder("wordllama"))


class _FaultyHouse(House):
    """A house whose tools fail now and then."""

    def __init__(self, settings: Settings, faults: ToolFaults, loaded: Encoder) -> None:
        super().__init__(settings, loaded=loaded)
        self._faults = faults

    async def services_for(self, context: Context) -> Services:
        """Return the real services with the faults around the tools."""
        services = await super().services_for(context)
        return replace(services, tools=self._faults.around(services.tools))


@asynccontextmanager
async def _opened(data: Path, loaded: Encoder, setting: Setting) -> AsyncIterator[Orchestrator]:
    settings = load_settings(
        home=setting.home,
        workspace=WORKSPACE,
        team=setting.team,
        data=data,
        out=setting.out,
        model="openai:improvised",
        openai_api_key=SecretStr("key-of-the-bench"),
        openai_base_url=setting.base_url,
        model_timeout=setting.model_seconds,
    )
    async with Orchestrator(settings, house=_FaultyHouse(settings, setting.faults, loaded)) as orchestrator:
        yield orchestrator
