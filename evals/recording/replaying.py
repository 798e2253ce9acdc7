"""A chat model that answers from a recording; no network."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import SkipValidation

from agents.exchanges.calls import Asked
from agents.exchanges.recording import AwaitedChat, Taken


class Answers(Protocol):
    """Knows what was answered."""

    def answer(self, role: str, step: str, asked: Asked) -> AIMessage:
        """Return what was recorded for a request."""


class ReplayingChat(AwaitedChat):
    """Answers from a recording; no network."""

    replay: SkipValidation[Answers]

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages, kwargs))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        message = self._answer(messages, kwargs)
        yield ChatGenerationChunk(message=AIMessageChunk(**message.model_dump(exclude={"type"})))

    def _answer(self, messages: list[BaseMessage], options: dict[str, Any]) -> AIMessage:
        taken = Taken(self.spec, messages, options)
        return self.replay.answer(taken.role, taken.step, taken.asked)
