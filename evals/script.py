"""A script for a model: which reply comes next, what came too much, and what was never asked for."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Reply = Mapping[str, Any]
"""One reply; the keys are those of `ACTIONS` and `MODIFIERS`."""

ACTIONS = {
    "content": "text of the answer; an object is sent as its JSON",
    "tool_calls": 'list of {"name": ..., "args": {...}}',
    "refusal": "text of a refusal",
    "embeddings": "length of the vectors that answer a call for embeddings",
    "raw": "body sent with status 200 as it stands, for malformed JSON",
    "status": "HTTP status of a failure, with `headers` and `body`",
    "hang": "seconds of silence, then the connection drops",
}
MODIFIERS = {
    "match": "text that must occur in the request's messages",
    "delay": "seconds before the reply",
    "usage": "[input tokens, output tokens]",
    "finish_reason": "instead of `stop` or `tool_calls`",
    "headers": "headers of a failure, e.g. Retry-After",
    "body": "JSON body of a failure",
    "drop": "true drops the connection: half-way through the content, or before any byte",
}

Repeat = int | Literal["cycle"]


class InvalidScript(ValueError):
    """A script has a mistake."""


def checked(replies: Sequence[Any]) -> list[Reply]:
    """Return the replies, or raise `InvalidScript` naming the first that cannot be played."""
    for number, reply in enumerate(replies):
        if not isinstance(reply, Mapping):
            msg = f"reply {number} is not an object"
            raise InvalidScript(msg)
        if unknown := sorted(set(reply) - set(ACTIONS) - set(MODIFIERS)):
            msg = f"reply {number}: unknown {', '.join(unknown)}; known are {', '.join((*ACTIONS, *MODIFIERS))}"
            raise InvalidScript(msg)
        if len(set(reply) & set(ACTIONS)) != (0 if set(reply) & {"drop"} and "content" not in reply else 1):
            msg = f"reply {number} needs exactly one of {', '.join(ACTIONS)}, or drop"
            raise InvalidScript(msg)
    return list(replies)


@dataclass
class Script:
    """Replies in the order in which they are to be asked for; safe to use from many threads.

    A reply without `match` must be the next one. Neighbouring replies with `match` may be asked for in any order, as
    steps that run side by side do.
    """

    replies: Sequence[Reply]
    repeat: Repeat = 1
    """Rounds the whole list is played; `cycle` plays it again and again."""
    served: int = 0
    requests: list[Any] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    _left: list[Reply] = field(default_factory=list, repr=False)
    _rounds: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, request: Mapping[str, Any]) -> Reply | None:
        """Return the reply to a request, or None and note a violation when the script has none."""
        with self._lock:
            self.requests.append(request)
            self._begin_round()
            reply = self._fitting(request)
            if reply is None:
                self._violated(request)
                return None
            self._left.remove(reply)
            self.served += 1
            return reply

    def report(self) -> dict[str, Any]:
        """Return what was served, what is left over and what was asked for in vain."""
        with self._lock:
            rounds_left = 0 if self.repeat == "cycle" else self.repeat - self._rounds
            unused = [*self._left, *list(self.replies) * rounds_left]
            return {"served": self.served, "unused": unused, "violations": list(self.violations)}

    def _begin_round(self) -> None:
        if not self._left and (self.repeat == "cycle" or self._rounds < self.repeat):
            self._left = list(self.replies)
            self._rounds += 1

    def _fitting(self, request: Mapping[str, Any]) -> Reply | None:
        text = said(request)
        for place, reply in enumerate(self._left):
            if "match" not in reply:
                return reply if place == 0 else None
            if reply["match"] in text:
                return reply
        return None

    def _violated(self, request: Mapping[str, Any]) -> None:
        wanted = self._left[0].get("match", "anything") if self._left else "no further call"
        self.violations.append(f"call {len(self.requests)}: expected {wanted!r}, got ...{said(request)[-300:]!r}")


def said(request: Mapping[str, Any]) -> str:
    """Return everything that the request's messages, or the texts to embed, say, as one text."""
    contents = [message.get("content") for message in request.get("messages", ())] + [request.get("input")]
    return "\n".join(c if isinstance(c, str) else json.dumps(c) for c in contents if c)
