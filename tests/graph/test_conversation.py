from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from agents.contracts import FoldingRequest, RoutingRequest
from domain.briefings import SUMMARY
from domain.errors import LimitReached
from domain.outcomes import Draft
from domain.routing import RouteDecision
from graph.context import Limits
from graph.voices import voices_of
from tests.graph.conftest import Opener, Theatre, Troupe

RECIPIENT = "Send everything to ada@example.org, and nowhere else."


class Listening(Troupe):
    """Replies to everything at length, and notes what it was told of the conversation."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[list[str]] = []
        self.folded: list[FoldingRequest] = []

    async def supervisor(self, request: RoutingRequest) -> RouteDecision:
        self.told.append(request.briefing.conversation)
        answer = f"Answer {len(self.told)}: the figure is {len(self.told)}. " + "It was looked at closely. " * 8
        return RouteDecision(source="reply", explanation="small talk", message=answer)

    async def summariser(self, request: FoldingRequest) -> Draft:
        self.folded.append(request)
        return Draft(text=f"{request.summary} {' '.join(request.turns)}"[:400], by="summariser")


def tokens(lines: list[str]) -> int:
    return count_tokens_approximately([HumanMessage("\n".join(lines))])


def on(theatre: Opener, troupe: Listening, *, budget: int = 4000) -> Theatre:
    stage = theatre(troupe, limits=Limits(conversation_tokens=budget))
    stage.services = replace(stage.services, cast=replace(troupe.cast(), summariser=troupe.summariser))
    stage.reopen()
    return stage


async def test_a_conversation_of_200_turns_stays_within_its_budget(theatre: Opener) -> None:
    stage = on(theatre, troupe := Listening(), budget=1000)
    state: Any = await stage.say(RECIPIENT)
    for number in range(1, 100):
        state = await stage.say(f"Remark {number} about hall {number % 7}, which was said in passing.")
    assert len(state["messages"]) == 200
    assert max(map(tokens, troupe.told)) <= 500
    assert troupe.told[-1][0].startswith(f"{SUMMARY}: ")
    assert "Remark 98" in "\n".join(troupe.told[-1])
    assert len(troupe.folded) < 60


async def test_the_person_s_own_words_still_count_when_they_were_folded(theatre: Opener) -> None:
    stage = on(theatre, troupe := Listening())
    for text in (RECIPIENT, *(f"Remark {number} of mine." for number in range(5))):
        state: Any = await stage.say(text)
    assert not any(line.startswith(f"human: {RECIPIENT}") for line in troupe.told[-1])
    run: Any = type("R", (), {"services": stage.services, "context": None})
    voices = await voices_of(state, run)
    assert voices.person_said("ada@example.org")
    assert "ada@example.org" in "".join(voices.others["an earlier answer"])


async def test_a_short_conversation_is_told_as_it_was_said(theatre: Opener) -> None:
    stage = on(theatre, troupe := Listening())
    for text in ("one thing", "another thing", "a third thing"):
        await stage.say(text)
    assert [line.split(": ")[0] for line in troupe.told[-1]] == ["human", "ai", "human", "ai"]
    assert troupe.folded == []


async def test_one_long_answer_is_cut_to_fit(theatre: Opener) -> None:
    stage = on(theatre, troupe := Listening(), budget=400)
    await stage.say("word " * 2000)
    await stage.say("and now?")
    assert tokens(troupe.told[-1]) <= 200
    assert "more characters]" in troupe.told[-1][0] or troupe.folded


async def test_a_budget_that_is_used_up_does_not_keep_the_conversation_from_being_folded(theatre: Opener) -> None:
    class Broke(Listening):
        async def summariser(self, request: FoldingRequest) -> Draft:
            msg = "the budget is used up"
            raise LimitReached(msg)

    stage = on(theatre, troupe := Broke())
    for number in range(5):
        state: Any = await stage.say(f"Remark {number} about ada@example.org and others.")
    assert state["outcome"]["status"] == "replied"
    assert "ada@example.org" in troupe.told[-1][0]
    assert stage.told("role_degraded")[0].role == "summariser"


@pytest.mark.parametrize("follow_up", ["and as a table?", "what was the second figure?"])
async def test_a_follow_up_is_shown_what_was_found_and_nothing_else_is(theatre: Opener, follow_up: str) -> None:
    routed: list[RoutingRequest] = []

    class Noting(Troupe):
        async def supervisor(self, request: RoutingRequest) -> RouteDecision:
            routed.append(request)
            return await super().supervisor(request)

    stage = theatre(troupe := Noting())
    await stage.say("Find the figures of the halls")
    await stage.say("And what does the handbook say?")
    troupe.decision = RouteDecision(source="reply", explanation="known", message="| a |")
    asked = len(troupe.asked)
    state = await stage.say(follow_up)
    assert [bool(request.briefing.earlier) for request in routed] == [False, False, True]
    assert [one.goal for one in routed[-1].briefing.earlier] == [
        "Find the figures of the halls", "And what does the handbook say?",
    ]  # fmt: skip
    assert routed[-1].briefing.earlier[0].results[0].text == "read done"
    assert state["outcome"]["answer"] == "| a |"
    assert troupe.asked[asked:] == ["supervisor"]
    assert stage.told("tool_called") == []
