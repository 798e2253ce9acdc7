"""A chat model that records, on langchain-core's interface: whatever calls a model can be recorded.

Streaming, tools and structured output all end in the methods that it implements. Who asks is read from the context
(`agents.exchanges.keeping`), not from the call's metadata, which langchain-core does not hand to a model that streams.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

from agents.exchanges.calls import Asked, RecordedCall, answered, asked
from agents.exchanges.keeping import asker, keeper
from domain.errors import ModelError, ModelUnavailable

_REASON_CHARS = 500


class AwaitedChat(BaseChatModel):
    """A chat model that is only awaited."""

    spec: str
    """`provider:name`."""

    @property
    def _llm_type(self) -> str:
        return type(self).__name__

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        msg = f"{type(self).__name__} is awaited: use ainvoke or astream"
        raise TypeError(msg)

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        """Return the model with tools, in the chat-completions format."""
        return self.bind(tools=list(tools), **kwargs)


class RecordingChat(AwaitedChat):
    """Asks another model, and tells what was asked and answered to who keeps it."""

    inner: BaseChatModel
    foreign: tuple[type[Exception], ...]
    """What a call of the other model may raise."""
    translated: Callable[[Exception], ModelError]
    """Returns such an exception as one of ours, without the key in its text."""

    @property
    def can_stream(self) -> bool:
        """Whether the other model can answer piece by piece."""
        kind = type(self.inner)
        return (kind._astream, kind._stream) != (BaseChatModel._astream, BaseChatModel._stream)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        return self.inner._get_ls_params(stop=stop, **kwargs)

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        """Return the model with tools, in the form in which the other one takes them."""
        bound: Any = self.inner.bind_tools(tools, **kwargs)
        return self.bind(**bound.kwargs)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        keep = keeper()
        if keep is None:
            return await self.inner._agenerate(messages, stop, **kwargs)
        taken = Taken(self.spec, messages, kwargs)
        try:
            result = await self.inner._agenerate(messages, stop, **kwargs)
        except asyncio.CancelledError:
            await keep(taken.failed(_given_up()))
            raise
        except self.foreign as error:
            await keep(taken.failed(self.translated(error)))
            raise
        await keep(taken.ended(_message(result)))
        return result

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        keep = keeper()
        if keep is None:
            async for chunk in self.inner._astream(messages, stop, **kwargs):
                yield chunk
            return
        taken, chunks = Taken(self.spec, messages, kwargs), []
        try:
            async for chunk in self.inner._astream(messages, stop, **kwargs):
                chunks.append(chunk)
                yield chunk
        except asyncio.CancelledError:
            await keep(taken.failed(_given_up()))
            raise
        except self.foreign as error:
            await keep(taken.failed(self.translated(error)))
            raise
        await keep(taken.ended(_message(generate_from_stream(iter(chunks)))))


class Taken:
    """A call that is being made."""

    def __init__(self, spec: str, messages: Sequence[BaseMessage], options: dict[str, Any]) -> None:
        self.role, self.step, self.prompt = asker()
        self.asked: Asked = asked(spec, messages, options)
        self._started = time.perf_counter()

    def ended(self, message: AIMessage) -> RecordedCall:
        """Return the call with its answer."""
        return self._call().model_copy(update={"answered": answered(message)})

    def failed(self, error: ModelError) -> RecordedCall:
        """Return the call with what it failed of."""
        return self._call().model_copy(update={"failure": error.code, "reason": str(error)[:_REASON_CHARS]})

    def _call(self) -> RecordedCall:
        seconds = time.perf_counter() - self._started
        return RecordedCall(role=self.role, step=self.step, prompt=self.prompt, asked=self.asked, seconds=seconds)


def _given_up() -> ModelError:
    return ModelUnavailable("no answer came in time")


def _message(result: ChatResult) -> AIMessage:
    """Return the answer, with why it ended, which langchain-core puts into it later."""
    generation = result.generations[0]
    message = generation.message if isinstance(generation.message, AIMessage) else AIMessage(str(generation.text))
    told = (generation.generation_info or {}) | message.response_metadata
    return message.model_copy(update={"response_metadata": told})
