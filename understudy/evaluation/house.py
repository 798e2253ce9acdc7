"""A house in which recorded tasks are played: its clock, its models and its foreign tools are those of the task."""

from collections.abc import Callable
from pathlib import Path

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agents.models import Models, Provider
from agents.tools.registry import Toolbox
from domain.plans import Privacy
from evals.recording.tools import ToolReplay
from graph.context import Context
from memory.encoders import Encoder
from understudy.configured_models import model_settings
from understudy.evaluation.clock import TaskClock
from understudy.settings import Settings
from understudy.wiring import House


class GivenSettings(Settings):
    """Settings as they are given, whatever the environment and the files of this machine say."""

    model_config = SettingsConfigDict(toml_file=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given."""
        return (init_settings,)


def setting_names() -> list[str]:
    """Return the settings by which versions can differ: none of those that say where things are kept, or are secret."""
    kept = ("home", "workspace", "user", "data", "out", "team", "prompts", "model", "notify")
    fields = Settings.model_fields
    return [name for name in fields if name not in kept and not name.endswith(("_url", "_key", "_token"))]


class PlayHouse(House):
    """A house for one task after another, each in a workspace of its own."""

    def __init__(self, settings: Settings, loaded: Encoder | None, provider: Provider, clock: TaskClock) -> None:
        super().__init__(settings, loaded=loaded)
        self._provider, self._task_clock = provider, clock
        self.tool_replay: ToolReplay | None = None
        """What foreign tools answer from; None where they are really called."""

    async def _opened_clock(self, folder: Path) -> Callable[[], float]:
        return self._task_clock

    def _opened_models(self) -> Models | None:
        if self.settings.leading_model is None:
            return None
        return Models(model_settings(self.settings), provider=self._provider)

    async def toolbox(self, context: Context, clearance: Privacy | None = None) -> Toolbox:
        """Return the tools of a run; those that the team declares answer from the recording, where one is played."""
        box = await super().toolbox(context, clearance)
        if (recorded := self.tool_replay) is None:
            return box
        foreign = [tool for tool in box.tools.values() if tool.origin != "built in"]
        return box.with_tools(recorded.around(tool) for tool in foreign)

    def forgive(self) -> None:
        """Let what one turn found wrong with models count no more for the next: people take their time."""
        if self._models:
            self._models.forgive()
