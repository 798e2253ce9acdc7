"""Vectors from a server that speaks OpenAI's embeddings API; imported when one is first used."""

from collections.abc import Callable, Iterator, Sequence

import openai
from pydantic import SecretStr

from domain.errors import EncoderAway, InvalidSettings
from domain.redaction import redacted

BATCH = 256
"""Texts of one call; the API takes 2048 of them, and 300,000 tokens."""
MAX_CHARS = 4000
"""Characters of a text that are sent: below the API's 8191 tokens in any script of two tokens a character or less."""
CONNECT_SECONDS = 5.0
COOLDOWN_SECONDS = 30.0
"""A server that could not be reached is left alone this long: a run must not wait for it at every recall."""


class EmbeddingService:
    """One model of one server, over connections that are kept; safe to use from several threads."""

    def __init__(
        self,
        model: str,
        *,
        api_key: SecretStr | None,
        base_url: str | None,
        timeout: float,
        max_retries: int,
        clock: Callable[[], float],
    ) -> None:
        """Set up a client, without a call; the arguments are those of `memory.encoders.Access`.

        Raises:
            InvalidSettings: There is neither a key nor a server that may take none.
        """
        if api_key is None and base_url is None:
            msg = f"the encoder openai:{model} needs a key (OPENAI_API_KEY) or the base_url of a server that takes none"
            raise InvalidSettings(msg)
        self._model = model
        self._clock = clock
        self._away: tuple[float, str] | None = None
        self._key = api_key.get_secret_value() if api_key else "none"
        self._client = openai.OpenAI(
            api_key=self._key,
            base_url=base_url,
            timeout=openai.Timeout(timeout, connect=CONNECT_SECONDS),
            max_retries=max_retries,  # of 408, 409, 429, 5xx, lost connections and time-outs, with backoff
        )

    def embed(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text, in their order, of what is left of it without keys and addresses; blocking.

        Raises:
            EncoderAway: Not reached, timed out, rate limited, key refused, or the answer has no vectors. The text of
                the error never holds the key.
        """
        if self._away and (ago := self._clock() - self._away[0]) < COOLDOWN_SECONDS:
            raise EncoderAway(f"openai:{self._model} was not reached {ago:.0f} s ago ({self._away[1]})")
        self._away = None
        told = [redacted(text[:MAX_CHARS]) for text in texts]
        return [vector for batch in _batches(told) for vector in self._embedded(batch)]

    def _embedded(self, batch: Sequence[str]) -> list[list[float]]:
        try:
            answer = self._client.embeddings.create(model=self._model, input=list(batch))
            return [entry.embedding for entry in sorted(answer.data, key=lambda entry: entry.index)]
        except openai.AuthenticationError as error:
            failure = EncoderAway(f"openai:{self._model} refuses the key; correct OPENAI_API_KEY ({self._told(error)})")
        except openai.APIConnectionError as error:
            failure = EncoderAway(f"openai:{self._model} is away ({self._told(error)})")
            self._away = (self._clock(), self._told(error))
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            # An answer that is no list of embeddings surfaces as whatever broke first.
            failure = EncoderAway(f"openai:{self._model} gives no vectors ({self._told(error)})")
        # Raised outside the handlers: the foreign exception holds the request, and with it the key.
        raise failure

    def _told(self, error: Exception) -> str:
        return f"{type(error).__name__}: {error}".replace(self._key, "[key]")[:300]


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), BATCH):
        yield texts[start : start + BATCH]
