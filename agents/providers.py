"""The OpenAI-compatible provider: chat models over one HTTP client, and its exceptions as ours.

Imported by `agents.models` when a model is first used.
"""

from collections.abc import Mapping
from typing import Any

import httpx
import langchain_core.exceptions as langchain
import openai
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI

from agents.exchanges.calls import options_for
from agents.model_settings import ModelSettings
from domain.errors import InvalidSettings, MalformedAnswer, ModelError, ModelRefused, ModelUnavailable


class OpenAIProvider:
    """Models of OpenAI, or of any server that speaks its chat-completions API."""

    foreign: tuple[type[Exception], ...] = (
        langchain.ModelError,
        openai.OpenAIError,
        httpx.HTTPError,  # of a stream that breaks off: the client library has let go of it by then
        TimeoutError,
        # A body that is no chat completion surfaces from the libraries as whatever broke first.
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
    )

    def __init__(self, settings: ModelSettings) -> None:
        if settings.api_key is None and settings.base_url is None:
            msg = "models of provider 'openai' need a key (OPENAI_API_KEY) or the base_url of a server that takes none"
            raise InvalidSettings(msg)
        self._settings = settings
        self._key = settings.api_key.get_secret_value() if settings.api_key else "none"
        self._timeout = openai.Timeout(settings.read_timeout, connect=settings.connect_timeout)
        self._http = openai.DefaultAsyncHttpxClient(timeout=self._timeout)

    def chat(self, name: str) -> BaseChatModel:
        """Return the chat model with this name; all share one HTTP client."""
        return ChatOpenAI(
            model=name,
            api_key=self._settings.api_key or self._key,
            base_url=self._settings.base_url,
            timeout=self._timeout,
            stream_chunk_timeout=self._settings.read_timeout,
            max_retries=self._settings.max_retries,
            http_async_client=self._http,
            stream_usage=True,
        )

    def options(self, form: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the options of a call whose answer should have a form."""
        return options_for(form)

    def translated(self, error: Exception) -> ModelError:
        """Return a foreign exception as one of ours, with the key struck out."""
        text = f"{type(error).__name__}: {error}"[:500].replace(self._key, "[key]")
        return _kind(error)(text)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _kind(error: Exception) -> type[ModelError]:
    match error:
        case openai.ContentFilterFinishReasonError():
            return ModelRefused
        case openai.BadRequestError(code="content_filter"):
            return ModelRefused
        case openai.BadRequestError() | openai.UnprocessableEntityError():
            return ModelError
        case openai.LengthFinishReasonError() | openai.APIResponseValidationError():
            return MalformedAnswer
        case langchain.ModelError() | openai.OpenAIError() | httpx.HTTPError() | TimeoutError():
            return ModelUnavailable
        case _:
            return MalformedAnswer
