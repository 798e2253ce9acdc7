"""A model that fails now and then: seeded random faults in place of what it would have answered.

Whether a call fails depends on the seed, on what is asked, and on how often it was asked before, and not on the order
in which calls of different runs come in; so a benchmark meets the same faults each time.
"""

import hashlib
import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evals.improvised import Improviser, wanted_form
from evals.script import Reply, said

MODEL_FAULTS = (
    "rate_limited", "server_error", "dropped", "cut_short", "hang", "malformed", "wrong_form", "empty", "refusal",
)  # fmt: skip
RETRY_AFTER = "1"
"""Seconds that the server asks for after too many calls."""
_SHOWN = 20


@dataclass
class FaultyModel:
    """Plays an improviser's answers, with faults among them; safe to use from many threads."""

    improviser: Improviser
    share: float
    """Of the calls, 0-1, that fail."""
    seed: int
    hang: float
    """Seconds of silence; longer than the client's patience."""
    served: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    """The latest."""
    _asked: Counter[str] = field(default_factory=Counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, request: Mapping[str, Any]) -> Reply | None:
        """Return the reply to a request or a fault in its place, or None and note a violation when there is none."""
        reply = self.improviser.reply(request)
        with self._lock:
            self.requests = [*self.requests[1 - _SHOWN :], request]
            if reply is None:
                self.violations.append(f"no answer to ...{said(request)[-300:]!r}")
                return None
            self.served += 1
            fault = self._fault(request)
            if fault is None:
                return reply
            self.faults[fault] += 1
        return _faulty(fault, reply, request, self.hang)

    def report(self) -> dict[str, Any]:
        """Return what was served, with the faults by kind, and what could not be answered."""
        with self._lock:
            return {
                "served": self.served, "unused": [], "violations": list(self.violations), "faults": dict(self.faults),
            }  # fmt: skip

    def _fault(self, request: Mapping[str, Any]) -> str | None:
        asked = hashlib.sha256(said(request).encode("utf-8", "surrogatepass")).hexdigest()
        self._asked[asked] += 1
        dice = random.Random(f"{self.seed}:{asked}:{self._asked[asked]}")
        return dice.choice(MODEL_FAULTS) if dice.random() < self.share else None


def _faulty(fault: str, reply: Reply, request: Mapping[str, Any], hang: float) -> Reply:
    """Return the fault as a reply of a script."""
    match fault:
        case "rate_limited":
            return {"status": 429, "headers": {"Retry-After": RETRY_AFTER}}
        case "server_error":
            return {"status": 500}
        case "dropped":
            return {"drop": True}
        case "cut_short":
            return {**reply, "drop": True}
        case "hang":
            return {"hang": hang}
        case "malformed":
            return {"raw": '{"id": "chatcmpl-1", "choices": [{"message": '}
        case "wrong_form" if wanted_form(request):
            return {"content": {"answer": "something else"}}
        case "wrong_form":
            return {"raw": '{"object": "chat.completion", "choices": []}'}
        case "empty":
            return {"content": ""}
        case _:
            return {"refusal": "I cannot help with that."}
