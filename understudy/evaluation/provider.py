"""Models that answer from a recording, as a provider of models: no network, no key."""

from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from agents.exchanges.calls import Asked, options_for
from domain.errors import ModelError
from evals.recording.replay import RecordedFailure, Replay
from evals.recording.replaying import ReplayingChat


class ReplayProvider:
    """Implements `agents.models.Provider` over the recording that is played at the moment."""

    foreign: tuple[type[Exception], ...] = (RecordedFailure,)

    def __init__(self) -> None:
        self.replay = Replay(())
        """What answers."""

    def answer(self, role: str, step: str, asked: Asked) -> AIMessage:
        """Return what was recorded for a request."""
        return self.replay.answer(role, step, asked)

    def chat(self, name: str) -> BaseChatModel:
        """Return the model with this name."""
        return ReplayingChat(spec=f"openai:{name}", replay=self)

    def options(self, form: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the options of a call whose answer should have a form."""
        return options_for(form)

    def translated(self, error: Exception) -> ModelError:
        """Return a recorded failure as the error that it was."""
        family: list[type[ModelError]] = [ModelError, *ModelError.__subclasses__()]
        kinds = {kind.code: kind for kind in family}
        code = error.code if isinstance(error, RecordedFailure) else ""
        return kinds.get(code, ModelError)(str(error))

    async def aclose(self) -> None:
        """Close nothing."""
