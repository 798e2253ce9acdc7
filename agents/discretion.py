"""What leaves for a model: texts without keys, cards and accounts, and with placeholders for addresses.

A model that is not local is reached through `DiscreetChat`, so there is no way around it: plain answers, tool calls,
structured answers and streams all pass here. The placeholders hold for one call. They are numbered in the order of the
messages, so a growing conversation keeps its numbers, and a model can only name an address that this call showed it.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import ConfigDict

from agents.privacy_policy import PrivacyPolicy
from domain.findings import Detect, Kind
from domain.redaction import Redaction, patterns

ALWAYS_HIDDEN: frozenset[Kind] = frozenset({"card", "iban", "key"})
"""From every model that is not local, whatever a team says."""
_MANY_CHARS = 20_000
"""Texts longer than this are looked through off the event loop."""


@dataclass(frozen=True)
class Discretion:
    """What a team's models may be told."""

    policy: PrivacyPolicy = PrivacyPolicy()
    base_url: str | None = None
    """Where the models are reached; None is the provider's own address."""
    detectors: tuple[Detect, ...] = field(default=(patterns,), repr=False)

    @property
    def kinds(self) -> frozenset[Kind]:
        """What is taken out of a text."""
        return ALWAYS_HIDDEN | frozenset(self.policy.redact)

    def is_local(self, spec: str) -> bool:
        """Return whether a model runs on a machine of one's own."""
        host = _host(self.base_url)
        if self.policy.local_models is not None:
            return bool({spec, *host} & set(self.policy.local_models))
        return any(map(_is_private, host[:1]))

    def over(self, chat: BaseChatModel, spec: str) -> BaseChatModel:
        """Return a model as it may be called: itself where it is local."""
        if self.is_local(spec):
            return chat
        return DiscreetChat(inner=chat, redaction=lambda: Redaction(self.kinds, self.detectors))


def _host(url: str | None) -> list[str]:
    """Return the host of a URL, alone and with its port; nothing of none."""
    try:
        parts = urlsplit(url or "")
        host = parts.hostname or ""
        return [host, f"{host}:{parts.port}"] if host else []
    except ValueError:
        return []


def _is_private(host: str) -> bool:
    """Return whether a host is this machine or an address of a private network; of names only `localhost` is known."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (address.is_loopback or address.is_private) and not (address.is_unspecified or address.is_link_local)


class DiscreetChat(BaseChatModel):
    """A chat model that is told less than it is asked with, and whose answers are made whole again."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    inner: BaseChatModel
    redaction: Callable[[], Redaction]
    """Makes what one call needs."""

    @property
    def _llm_type(self) -> str:
        return f"discreet-{self.inner._llm_type}"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        return self.inner._get_ls_params(stop=stop, **kwargs)

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        """Return the model with tools, in the form in which the inner one takes them."""
        bound: Any = self.inner.bind_tools(tools, tool_choice=tool_choice, **kwargs)
        return self.bind(**bound.kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        redaction = self.redaction()
        hidden, told = _hidden(messages, kwargs, redaction)
        # The inner model has no callbacks of its own: these would see what it was told in place of what was said.
        return _restored(self.inner._generate(hidden, stop, None, **told), redaction)

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        redaction = self.redaction()
        hidden, told = await _hidden_aside(messages, kwargs, redaction)
        return _restored(await self.inner._agenerate(hidden, stop, None, **told), redaction)

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:  # fmt: skip
        redaction = self.redaction()
        hidden, told = await _hidden_aside(messages, kwargs, redaction)
        whole = _Stream(redaction)
        async for chunk in self.inner._astream(hidden, stop, None, **told):
            yield whole.taken(chunk)
        for ready in whole.rest():
            yield ready


Told = tuple[list[BaseMessage], dict[str, Any]]
"""Messages and options of a call."""


def _hidden(messages: Sequence[BaseMessage], options: dict[str, Any], redaction: Redaction) -> Told:
    """Return what the inner model is told; names and ids stay, and so do the names in a schema."""
    told = [_changed(message, redaction.hidden_value) for message in messages]
    schemas = {name: _described(options[name], redaction) for name in ("tools", "response_format") if name in options}
    return told, options | schemas


async def _hidden_aside(messages: Sequence[BaseMessage], options: dict[str, Any], redaction: Redaction) -> Told:
    """Return the same; many words are looked through in a thread, so that other runs go on."""
    if sum(len(str(message.content)) for message in messages) < _MANY_CHARS:
        return _hidden(messages, options, redaction)
    return await asyncio.to_thread(_hidden, messages, options, redaction)


def _described(schema: Any, redaction: Redaction) -> Any:
    """Return a schema whose descriptions are hidden; what arguments are called and may be must stay as it is."""
    if isinstance(schema, list):
        return [_described(part, redaction) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: redaction.hidden(part) if name == "description" and isinstance(part, str) else _described(part, redaction)
        for name, part in schema.items()
    }


def _changed(message: BaseMessage, change: Callable[[Any], Any]) -> Any:
    """Return a message with its texts and the arguments of its tool calls changed."""
    update: dict[str, Any] = {"content": change(message.content)}
    if message.additional_kwargs:
        update["additional_kwargs"] = change(message.additional_kwargs)
    if isinstance(message, AIMessage):
        update["tool_calls"] = [call | {"args": change(call["args"])} for call in message.tool_calls]
        update["invalid_tool_calls"] = [call | {"args": change(call["args"])} for call in message.invalid_tool_calls]
    return message.model_copy(update=update)


def _restored(result: ChatResult, redaction: Redaction) -> ChatResult:
    """Return an answer with the placeholders of its call resolved."""
    generations = [
        ChatGeneration(
            message=_changed(generation.message, redaction.restored_value), generation_info=generation.generation_info
        )
        for generation in result.generations
    ]
    return ChatResult(generations=generations, llm_output=result.llm_output)


class _Stream:
    """Resolves placeholders in the pieces of an answer; one that is cut in two is kept back until it is whole."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._text = ""
        self._args: dict[int | str | None, str] = {}

    def taken(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        """Return what of a piece, and of those before it, is ready."""
        message: Any = chunk.message
        update: dict[str, Any] = {}
        if isinstance(message.content, str):
            self._text, update["content"] = self._ready(self._text + message.content)
        else:
            update["content"] = self._redaction.restored_value(message.content)
        if calls := getattr(message, "tool_call_chunks", None):
            update["tool_call_chunks"] = [self._call(call) for call in calls]
        return ChatGenerationChunk(message=_rebuilt(message, update), generation_info=chunk.generation_info)

    def rest(self) -> Iterator[ChatGenerationChunk]:
        """Yield what was kept back and was no placeholder."""
        left = [(index, args) for index, args in self._args.items() if args]
        if self._text or left:
            calls = [{"name": None, "args": args, "id": None, "index": index} for index, args in left]
            yield ChatGenerationChunk(message=AIMessageChunk(content=self._text, tool_call_chunks=calls))

    def _call(self, call: Any) -> Any:
        if not isinstance(call.get("args"), str):
            return call
        index = call.get("index")
        self._args[index], ready = self._ready(self._args.get(index, "") + call["args"])
        return {**call, "args": ready}

    def _ready(self, text: str) -> tuple[str, str]:
        """Return what is kept back of a text, and what is ready."""
        cut = len(text) - self._redaction.pending(text)
        return text[cut:], self._redaction.restored(text[:cut])


def _rebuilt(message: Any, update: dict[str, Any]) -> Any:
    """Return a piece of a message with other texts; its parsed tool calls are made anew from them."""
    kept = {name: getattr(message, name) for name in type(message).model_fields if name != "type"}
    if "tool_call_chunks" in update:
        kept |= {"tool_calls": [], "invalid_tool_calls": []}
    return type(message)(**(kept | update))
