import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agents.discretion import Discretion
from agents.exchanges.calls import RecordedCall
from agents.exchanges.keeping import Exchange, exchanges_kept
from agents.models import Model
from agents.privacy_policy import PrivacyPolicy
from agents.roles.supervisor import RouteAnswer, message_in
from agents.streaming import Listener, Telling, as_it_stands, heard_by
from agents.structured import ask
from domain.errors import ModelUnavailable
from domain.events import TextStreamed
from domain.secrets import Secrets
from prompts.loader import Rendered

Opened = Callable[..., Any]
PROMPT = Rendered("be brief", "hi", "t@1")
LONG = "A heat pump moves heat from a cold place to a warm one, and needs less than it moves."


@contextmanager
def heard(*secrets: str) -> Iterator[list[TextStreamed]]:
    told: list[TextStreamed] = []
    with heard_by(Listener(told.append, Secrets(secrets), clock=itertools.count().__next__)):
        yield told


def shown(told: list[TextStreamed]) -> str:
    """Return what a watcher sees at the end."""
    text = ""
    for piece in told:
        text = piece.text if piece.first else text + piece.text
    return text


async def test_an_answer_is_told_while_it_comes(stage: Opened) -> None:
    on = stage({"content": LONG, "usage": [31, 7]})
    with heard() as told:
        assert await on.model.text(PROMPT, role="composer", emit=on.events.append) == LONG
    assert shown(told) == LONG
    assert [piece.first for piece in told] == [True] + [False] * (len(told) - 1)
    assert len(told) > 3
    assert {piece.role for piece in told} == {"composer"}
    assert (on.events[0].input_tokens, on.events[0].output_tokens) == (31, 7)


async def test_nobody_watching_nothing_is_streamed(stage: Opened) -> None:
    on = stage({"content": LONG})
    await on.model.text(PROMPT, role="composer", emit=on.events.append)
    assert on.sent()[0]["stream"] is False


async def test_what_is_not_prose_is_not_streamed(stage: Opened) -> None:
    on = stage({"content": LONG})
    with heard() as told:
        await on.model.call([HumanMessage("hi")], role="critic", emit=on.events.append)
    assert told == []
    assert on.sent()[0]["stream"] is False


async def test_a_watched_call_is_recorded_like_any_other(stage: Opened) -> None:
    on, kept = stage({"content": LONG, "usage": [31, 7]}, {"content": LONG, "usage": [31, 7]}), list[Exchange]()

    async def keep(exchange: Exchange) -> None:
        kept.append(exchange)

    with exchanges_kept(keep):
        await on.model.text(PROMPT, role="composer", emit=on.events.append)
        with heard():
            await on.model.text(PROMPT, role="composer", emit=on.events.append)
    plain, watched = [call for call in kept if isinstance(call, RecordedCall)]
    assert watched.asked == plain.asked
    assert watched.asked.digest == plain.asked.digest
    assert watched.answered == plain.answered


async def test_a_stream_that_breaks_off_begins_anew(stage: Opened) -> None:
    on = stage({"content": LONG, "drop": True}, {"content": LONG}, max_retries=1)
    with heard() as told:
        assert await on.model.text(PROMPT, role="composer", emit=on.events.append) == LONG
    assert sum(piece.first for piece in told) == 2
    assert shown(told) == LONG
    assert len(on.events) == 1


async def test_a_stream_that_keeps_breaking_off_is_a_failure(stage: Opened) -> None:
    on = stage({"content": LONG, "drop": True})
    with heard(), pytest.raises(ModelUnavailable):
        await on.model.text(PROMPT, role="composer", emit=on.events.append)
    assert on.events[0].failure.code == "model_unavailable"


async def test_a_server_that_refuses_to_stream_is_asked_for_the_whole_from_then_on(stage: Opened) -> None:
    on = stage({"status": 400}, {"content": LONG}, {"content": "again"})
    with heard() as told:
        assert await on.model.text(PROMPT, role="composer", emit=on.events.append) == LONG
        assert await on.model.text(PROMPT, role="composer", emit=on.events.append) == "again"
    assert told == []
    assert [request["stream"] for request in on.sent()] == [True, False, False]


async def test_a_server_that_answers_a_stream_with_one_body_is_asked_for_the_whole(stage: Opened) -> None:
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": "Hello."}}]})
    on = stage({"raw": body}, {"raw": body})
    with heard():
        assert await on.model.text(PROMPT, role="composer", emit=on.events.append) == "Hello."
    assert [request["stream"] for request in on.sent()] == [True, False]


async def ask_supervisor(on: Any, **answer: str) -> list[TextStreamed]:
    with heard() as told:
        await ask(on.model, PROMPT, RouteAnswer, role="supervisor", emit=on.events.append, shown=message_in)
    return told


async def test_of_a_structured_reply_the_message_alone_is_told(stage: Opened) -> None:
    on = stage({"content": {"route": "reply", "kind": "conversation", "message": LONG, "reason": "private thought"}})
    told = await ask_supervisor(on)
    assert shown(told) == LONG
    assert not any("private" in piece.text or "{" in piece.text for piece in told)


@pytest.mark.parametrize(
    "answer",
    [
        '{"route": "plan", "kind": "search", "message": "for nobody, really for nobody", "reason": ""}',
        '{"message": "for nobody, really for nobody at all", "route": "plan", "kind": "search", "reason": ""}',
    ],
)
async def test_of_a_plan_nothing_is_told_wherever_the_message_stands(stage: Opened, answer: str) -> None:
    assert await ask_supervisor(stage({"content": answer})) == []


async def test_a_corrected_answer_takes_the_place_of_the_first(stage: Opened) -> None:
    broken = '{"route": "reply", "message": "I say something wrong here", "kind": "nonsense"}'
    on = stage({"content": broken}, {"content": {"route": "reply", "message": LONG}})
    told = await ask_supervisor(on)
    assert sum(piece.first for piece in told) == 2
    assert shown(told) == LONG


async def test_placeholders_of_private_texts_are_resolved_before_they_are_told(stage: Opened) -> None:
    on = stage({"content": "Write to <EMAIL_1> before noon, and not later."})
    discretion = Discretion(PrivacyPolicy(redact=["email"], local_models=[]))
    model = Model("openai:lead", on.models, discretion)
    with heard() as told:
        await model.text(Rendered("s", "Ask ada@example.org"), role="composer", emit=on.events.append)
    assert "ada@example.org" not in json.dumps(on.sent())
    assert "ada@example.org" in shown(told)
    assert not any("<" in piece.text for piece in told)


def test_a_secret_is_hidden_however_it_is_cut() -> None:
    secret = "sk-planted-77d1-planted"
    for size in range(1, len(secret) + 2):
        with heard(secret) as told:
            listener = Listener(told.append, Secrets([secret]), clock=itertools.count().__next__)
            telling, text = Telling(listener, as_it_stands, "composer"), f"the key is {secret}, keep it"
            for start in range(0, len(text), size):
                telling.take(text[start : start + size])
            telling.end()
        assert shown(told) == "the key is [secret], keep it"
        assert not any("planted" in piece.text or "sk-" in piece.text for piece in told)


def test_pieces_that_come_fast_are_told_together() -> None:
    told: list[TextStreamed] = []
    now = iter([0.0, 0.0, *[0.01] * 100])
    telling = Telling(Listener(told.append, Secrets(), clock=lambda: next(now)), as_it_stands, "composer", "s1")
    for word in ("one ", "two ", "three ", "four"):
        telling.take(word)
    telling.end()
    assert [(piece.text, piece.first, piece.step) for piece in told] == [
        ("one ", True, "s1"),
        ("two three four", False, "s1"),
    ]
