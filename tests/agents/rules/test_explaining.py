import pytest

from agents.contracts import ExplanationRequest
from agents.rules.explaining import explain
from agents.team import Team
from domain.briefings import Briefing
from domain.explanations import RunFacts, is_question

WAITING = RunFacts(
    goal="Write a brief", state="waiting", route="It was planned anew", asked=["write_file: writes brief.md"],
    reasons=["a person sees what is written"], expected=["0.02 dollars"], undo=["possible"],
    done=["read, by reader (done)"],
    left=["deliver, by writer"], spent="4 seconds, no model calls", trouble=["read: timed out"], sources=["a.md"],
)  # fmt: skip


async def told(question: str, facts: RunFacts, team: Team) -> str:
    briefing = Briefing(workspace="w")
    request = ExplanationRequest(
        goal=facts.goal, briefing=briefing, team=team, emit=lambda _: None, question=question, facts=facts
    )
    return (await explain(request)).text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What will it cost?", "0.02 dollars"),
        ("why do you ask me?", "a person sees what is written"),
        ("Why this way?", "It was planned anew"),
        ("what happens next?", "deliver, by writer"),
        ("can it be undone?", "Taking it back is possible"),
        ("what if I say no?", "will not be done"),
        ("how far are you so far?", "read, by reader (done)"),
        ("did anything go wrong?", "timed out"),
        ("what is this based on?", "a.md"),
        ("what has been changed?", "Nothing has been changed outside so far"),
        ("hm?", "is waiting"),
    ],
)
async def test_a_question_is_answered_with_what_its_words_are_about(question: str, answer: str, team: Team) -> None:
    assert answer in await told(question, WAITING, team)


async def test_who_is_asked_is_told_how_to_decide_and_nobody_else(team: Team) -> None:
    assert '"yes" to approve' in await told("what will it cost?", WAITING, team)
    running = WAITING.model_copy(update={"state": "running", "asked": [], "reasons": [], "expected": []})
    answer = await told("what will it cost?", running, team)
    assert "approve" not in answer
    assert "What it will take is not known" in answer


@pytest.mark.parametrize("text", ["what will it cost?", "Why", "is it safe", "and how long", "ok?", "Can we wait"])
def test_questions(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize("text", ["yes", "no, because it is late", "Write it again", "shorter", "whatever you like"])
def test_no_questions(text: str) -> None:
    assert not is_question(text)
