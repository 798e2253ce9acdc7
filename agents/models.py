"""Chat models by `provider:name`, and the one door through which every model call goes.

A call is bounded: the provider's client retries 429 (honouring Retry-After), 5xx, lost connections and time-outs up to
`max_retries` times, each attempt has connect and read time-outs, and `total_timeout` bounds them all together.
Foreign exceptions end here: what leaves is a `domain.errors.ModelError`, without the key in its text.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, get_args

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, message_chunk_to_message
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.runnables import Runnable
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from agents.budget import Call, charged
from agents.contracts import Emit
from agents.discretion import Discretion
from agents.exchanges.keeping import asked_by
from agents.exchanges.recording import RecordingChat
from agents.model_settings import Job, ModelSettings
from agents.streaming import Shown, Telling, as_it_stands, writing, written_as
from domain.errors import InvalidSettings, MalformedAnswer, ModelError, ModelRefused, ModelUnavailable
from domain.events import ModelCalled
from domain.outcomes import Failure, Usage
from prompts.loader import Rendered

COOLDOWN_SECONDS = 30.0
"""A model that could not be reached is left alone this long, twice as long each time in a row: the fallback or the twin
takes over at once."""
MAX_COOLDOWN_SECONDS = 600.0
GARBLED_TRIES = 2
"""Times that one question is put to a model whose answer is empty or no chat completion; this passes by itself."""


class Provider(Protocol):
    """Where models come from."""

    foreign: tuple[type[Exception], ...]
    """What a call to one of its models may raise."""

    def chat(self, name: str) -> BaseChatModel:
        """Return the model with this name."""

    def options(self, form: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the options of a call whose answer should have a form, in the chat-completions format."""

    def translated(self, error: Exception) -> ModelError:
        """Return a foreign exception as one of ours."""

    async def aclose(self) -> None:
        """Close the connections."""


class Models:
    """The models of one process: one HTTP client per provider, one model object per name.

    Belongs to one event loop, like the connections it holds. Raises `InvalidSettings` for an unknown model or job.
    """

    def __init__(self, settings: ModelSettings, provider: Provider | None = None) -> None:
        """Set up the models.

        Args:
            settings: Which models there are, and how long they are waited for.
            provider: Answers for every model, in place of those that the specs name; closed with this.
        """
        self.settings = settings
        self._given = provider
        self._providers: dict[str, Provider] = {}
        self._models: dict[str, RecordingChat] = {}
        self._whole_only: set[str] = set()
        self._away: dict[str, tuple[float, int, str]] = {}
        self._lock = asyncio.Lock()
        if unknown := sorted(set(settings.jobs) - set(get_args(Job))):
            msg = f"there is no job {', '.join(unknown)} to choose a model for; there are {', '.join(get_args(Job))}"
            raise InvalidSettings(msg)
        for spec in {settings.default, *settings.jobs.values(), settings.fallback or settings.default}:
            check_spec(spec)

    def named(self, spec: str, discretion: Discretion | None = None) -> "Model":
        """Return a model by `provider:name`, told as little as can be by default, or raise `InvalidSettings`."""
        check_spec(spec)
        return Model(spec, self, discretion or Discretion(base_url=self.settings.base_url))

    def for_job(self, job: Job, discretion: Discretion | None = None) -> "Model":
        """Return the model that does a job."""
        return self.named(self.settings.jobs.get(job, self.settings.default), discretion)

    async def resolved(self, spec: str) -> tuple[RecordingChat, Provider]:
        """Return the model object behind a spec and its provider, made on first use."""
        provider, _, name = spec.partition(":")
        if spec not in self._models:
            async with self._lock:
                # Importing a provider and reading its certificates takes about a second: not on the event loop.
                if provider not in self._providers:
                    self._providers[provider] = await self._opened(provider)
                if spec not in self._models:
                    self._models[spec] = await asyncio.to_thread(_recording, self._providers[provider], spec, name)
        return self._models[spec], self._providers[provider]

    async def _opened(self, name: str) -> Provider:
        if self._given is not None:
            return self._given
        return await asyncio.to_thread(_provider, name, self.settings)

    def note_away(self, spec: str, reason: str) -> None:
        """Remember that a model could not be reached, so that the next calls need not wait to find out again."""
        times = self._away[spec][1] + 1 if spec in self._away else 1
        self._away[spec] = (time.monotonic(), times, reason)

    def note_answer(self, spec: str) -> None:
        """Remember that a model can be reached."""
        self._away.pop(spec, None)

    def streams(self, spec: str, chat: RecordingChat) -> bool:
        """Return whether a model can be asked for its answer piece by piece, as far as is known."""
        return chat.can_stream and spec not in self._whole_only

    def note_whole_only(self, spec: str) -> None:
        """Remember that a model's server refuses to answer piece by piece."""
        self._whole_only.add(spec)

    def forgive(self) -> None:
        """Forget which models could not be reached."""
        self._away.clear()

    def check_not_away(self, spec: str) -> None:
        """Raise `ModelUnavailable` when the model could not be reached a short while ago, longer each time in a row."""
        if spec not in self._away:
            return
        since, times, reason = self._away[spec]
        ago = time.monotonic() - since
        if ago < min(COOLDOWN_SECONDS * 2 ** (times - 1), MAX_COOLDOWN_SECONDS):
            msg = f"{spec} was not reached {ago:.0f} s ago ({reason})"
            raise ModelUnavailable(msg)

    async def aclose(self) -> None:
        """Close all connections."""
        for provider in self._providers.values():
            await provider.aclose()
        self._providers.clear()
        self._models.clear()


def check_spec(spec: str) -> None:
    """Raise `InvalidSettings` unless `spec` names a model of a known provider."""
    provider, _, name = spec.partition(":")
    if provider not in _PROVIDERS or not name:
        msg = f"{spec!r} names no model; write provider:name with a provider of {', '.join(_PROVIDERS)}"
        raise InvalidSettings(msg)


def _recording(provider: Provider, spec: str, name: str) -> RecordingChat:
    """Return a provider's model whose calls, as they leave this machine, are told to who keeps them."""
    chat, foreign = provider.chat(name), provider.foreign
    return RecordingChat(spec=spec, inner=chat, foreign=foreign, translated=provider.translated)


_PROVIDERS = ("openai",)


def _provider(name: str, settings: ModelSettings) -> Provider:
    # Imported when first used: the rule-based run must not pay for a provider's import.
    from agents.providers import OpenAIProvider

    match name:
        case "openai":
            return OpenAIProvider(settings)
        case _:
            msg = f"there is no model provider {name!r}"
            raise InvalidSettings(msg)


@dataclass(frozen=True)
class Model:
    """A model that can be called."""

    spec: str
    models: Models = field(repr=False)
    discretion: Discretion = field(repr=False)
    """What it may be told."""

    async def call(
        self,
        messages: Sequence[BaseMessage],
        *,
        role: str,
        emit: Emit,
        tools: Sequence[Mapping[str, Any]] = (),
        response_format: Mapping[str, Any] | None = None,
        prompt: str = "",
        shown: Shown | None = None,
    ) -> AIMessage:
        """Return the model's answer and emit `ModelCalled`, also when it failed.

        Args:
            messages: The conversation.
            role: Who calls, for the event.
            emit: Takes the event.
            tools: Functions the model may call, in the chat-completions format.
            response_format: Wanted form of the answer, in the chat-completions format.
            prompt: Name and version of the template that the conversation began with, for who keeps the call.
            shown: What who watches may see of the answer while it comes; None: nothing.

        Raises:
            ModelUnavailable: Not reached, timed out, rate limited, key refused.
            ModelRefused: The model declined.
            MalformedAnswer: The answer is empty or no chat completion, twice; or it was cut off.
            LimitReached: A budget does not allow the call; it is not made.
        """
        tries = stop_after_attempt(GARBLED_TRIES)
        retrying = AsyncRetrying(stop=tries, retry=retry_if_exception_type(_Garbled), reraise=True)
        with asked_by(role=role, prompt=prompt), written_as(shown):
            return await retrying(self._once, messages, tools, response_format, role, emit)

    async def _once(
        self,
        messages: Sequence[BaseMessage],
        tools: Sequence[Mapping[str, Any]],
        form: Mapping[str, Any] | None,
        role: str,
        emit: Emit,
    ) -> AIMessage:
        """Make the call if the model is not away and the budgets allow it."""
        self.models.check_not_away(self.spec)
        async with charged(self.spec, lambda: tokens_of(messages, tools)) as charge:
            try:
                return await self._metered(messages, tools, form, role, emit, charge)
            except _Garbled:
                if written := writing():
                    written.streams = False  # the second time the whole is asked for, which more servers can give
                raise

    async def _metered(
        self,
        messages: Sequence[BaseMessage],
        tools: Sequence[Mapping[str, Any]],
        form: Mapping[str, Any] | None,
        role: str,
        emit: Emit,
        charge: Call,
    ) -> AIMessage:
        """Make the call, and tell what it used, whatever becomes of it."""
        started, used, failure = time.perf_counter(), Usage(), None
        try:
            answer = await self._invoke(messages, tools, form)
            used = charge.answered(usage_of(answer))
            return _checked(answer)
        except ModelError as error:
            if not used.calls:  # nothing came back
                used = charge.answered(Usage(calls=1))
            failure = Failure(code=error.code, message=str(error))
            raise
        finally:
            if used.calls:
                emit(
                    ModelCalled(
                        role=role, model=self.spec, seconds=time.perf_counter() - started, failure=failure,
                        input_tokens=used.input_tokens, output_tokens=used.output_tokens, dollars=used.dollars,
                    )
                )  # fmt: skip

    async def text(self, prompt: Rendered, *, role: str, emit: Emit) -> str:
        """Return the model's answer as text; an empty one is a `MalformedAnswer`."""
        messages = conversation(prompt)
        return text_of(await self.call(messages, role=role, emit=emit, prompt=prompt.template, shown=as_it_stands))

    async def _invoke(
        self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]], form: Mapping[str, Any] | None
    ) -> AIMessage:
        recording, provider = await self.models.resolved(self.spec)
        chat, options = self.discretion.over(recording, self.spec), provider.options(form)
        callee = chat.bind_tools([dict(tool) for tool in tools]) if tools else chat
        asked = _Asked(callee, list(messages), options)
        streams = self.models.streams(self.spec, recording)
        limit = self.models.settings.total_timeout
        try:
            async with asyncio.timeout(limit):
                answer = _as_answer(await (self._written(asked, provider) if streams else asked.whole()))
                self.models.note_answer(self.spec)
                return answer
        except TimeoutError:
            failure: ModelError = ModelUnavailable(f"{self.spec} did not answer within {limit:g} s")
        except provider.foreign as error:
            failure = provider.translated(error)
        if isinstance(failure, ModelUnavailable):
            self.models.note_away(self.spec, str(failure))
        if isinstance(failure, MalformedAnswer):
            failure = _Garbled(str(failure))
        # Raised outside the handlers: the foreign exception holds the request, and with it the key.
        raise failure

    async def _written(self, asked: "_Asked", provider: Provider) -> BaseMessage:
        """Return the answer, told while it comes where somebody watches; begun anew where it broke off midway."""
        for left in range(self.models.settings.max_retries, -1, -1):
            written = writing()
            telling = Telling.begun(written) if written is not None and written.streams else None
            if telling is None:
                break
            try:
                return await asked.in_pieces(telling)
            except provider.foreign as error:
                if telling.has_begun and left:
                    continue
                if telling.has_begun or type(provider.translated(error)) is not ModelError:
                    raise
                # Refused as it was asked: some servers do not know how to answer piece by piece.
                answer = await asked.whole()
                self.models.note_whole_only(self.spec)
                return answer
        return await asked.whole()


class _Asked(NamedTuple):
    """A call that is to be made."""

    callee: Runnable[Any, AIMessage]
    messages: list[BaseMessage]
    options: dict[str, Any]

    async def whole(self) -> BaseMessage:
        """Return the answer when all of it has come."""
        return await self.callee.ainvoke(self.messages, **self.options)

    async def in_pieces(self, telling: Telling) -> BaseMessage:
        """Return the same, and tell it while it comes."""
        whole: Any = None
        async for chunk in self.callee.astream(self.messages, **self.options):
            whole = chunk if whole is None else whole + chunk
            telling.take(str(chunk.text))
        telling.end()
        return message_chunk_to_message(whole)


class _Garbled(MalformedAnswer):
    """What came is empty or no chat completion: asked the same once more, the model may well answer."""


def tokens_of(messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> int:
    """Return about how many tokens are sent, without a tokenizer that would have to be downloaded."""
    return count_tokens_approximately([*messages, HumanMessage(json.dumps(list(tools), default=str))])


def conversation(prompt: Rendered) -> list[BaseMessage]:
    """Return a rendered prompt as messages."""
    return [SystemMessage(prompt.system), HumanMessage(prompt.user)]


def text_of(answer: AIMessage) -> str:
    """Return the text of an answer; an empty one is a `MalformedAnswer`."""
    text = str(answer.text).strip()
    if not text:
        msg = "the answer is empty"
        raise MalformedAnswer(msg)
    return text


def usage_of(answer: AIMessage) -> Usage:
    """Return what one answer consumed; zero tokens where the server does not say."""
    used = answer.usage_metadata
    tokens = {"input_tokens": used["input_tokens"], "output_tokens": used["output_tokens"]} if used else {}
    return Usage(calls=1, **tokens)


def _as_answer(message: BaseMessage) -> AIMessage:
    if not isinstance(message, AIMessage):
        msg = f"the answer is a {message.type} message"
        raise MalformedAnswer(msg)
    return message


def _checked(answer: AIMessage) -> AIMessage:
    """Return the answer, or raise what it stands for: a refusal, or a text cut off."""
    reason = answer.response_metadata.get("finish_reason")
    if refusal := answer.additional_kwargs.get("refusal"):
        raise ModelRefused(str(refusal))
    if reason == "content_filter":
        msg = "the provider's content filter stopped the answer"
        raise ModelRefused(msg)
    if reason == "length":
        msg = "the answer was cut off at the token limit"
        raise MalformedAnswer(msg)
    if not (answer.text.strip() or answer.tool_calls or answer.invalid_tool_calls):
        msg = "the answer is empty"
        raise _Garbled(msg)
    return answer
