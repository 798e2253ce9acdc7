from typing import Any

import pytest

from domain.approvals import DESK, ActionRequest, Decision, decode, interrupt_payload, typed_answer, typed_decision
from domain.effects import KeptEffect, settle_request, settlement
from domain.errors import InvalidDecision

WRITE = ActionRequest(
    id="deliver",
    name="write_file",
    args={"path": "brief.md", "copies": 1},
    description="writes a file",
    types={"path": "string", "copies": "integer"},
)

LOST = settle_request(KeptEffect(key="k", step="save", tool="send", claim="c", claimed=1.0))


def test_the_payload_has_the_keys_that_chat_clients_and_inboxes_read() -> None:
    payload = interrupt_payload([WRITE, WRITE])
    assert payload["action_requests"][0]["args"] == payload["action_requests"][0]["arguments"] == WRITE.args
    assert payload["review_configs"][1] == {
        "action_name": "write_file",
        "allowed_decisions": ["approve", "edit", "reject"],
    }
    assert payload["action_request"] == {"action": "write_file", "args": WRITE.args}
    assert set(payload["config"]) == {"allow_accept", "allow_edit", "allow_respond", "allow_ignore"}
    assert payload["description"] == "writes a file\n\nwrites a file"


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        ({"decisions": [{"type": "approve"}]}, Decision(type="approve")),
        ([{"type": "accept", "args": {"action": "write_file", "args": {"path": "x"}}}], Decision(type="approve")),
        ({"decisions": [{"type": "reject", "message": "no"}]}, Decision(type="reject", message="no")),
        ([{"type": "ignore", "args": None}], Decision(type="reject")),
        ([{"type": "response", "args": "shorter"}], Decision(type="respond", message="shorter")),
        ("yes", Decision(type="approve")),
        ("no, wrong file", Decision(type="reject", message="wrong file")),
        ("make it shorter", Decision(type="respond", message="make it shorter")),
        (
            {"decisions": [{"type": "edit", "edited_action": {"name": "write_file", "args": {"copies": "2"}}}]},
            Decision(type="edit", args={"path": "brief.md", "copies": 2}),
        ),
        (
            [{"type": "edit", "args": {"action": "write_file", "args": {"path": "a.md", "copies": "3"}}}],
            Decision(type="edit", args={"path": "a.md", "copies": 3}),
        ),
    ],
    ids=["chat approve", "inbox accept ignores args", "chat reject", "inbox ignore", "inbox response", "typed yes",
         "typed no", "typed wish", "chat edit coerces", "inbox edit coerces"],
)  # fmt: skip
def test_answers_of_every_known_client_are_read(answer: Any, decision: Decision) -> None:
    assert decode(answer, [WRITE]) == [decision]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        7,
        {},
        [],
        {"decisions": []},
        {"decisions": [{"type": "perhaps"}]},
        {"decisions": [{"type": "edit"}]},
        {"decisions": [{"type": "edit", "args": {"copies": "many"}}]},
        {"decisions": [{"type": "edit", "args": {"recipient": "x"}}]},
        {"decisions": [{"type": "approve"}, {"type": "approve"}]},
    ],
)
def test_an_answer_that_does_not_fit_is_refused(answer: Any) -> None:
    with pytest.raises(InvalidDecision):
        decode(answer, [WRITE])


@pytest.mark.parametrize(("name", "words"), [("review_plan", True), ("review_result", True), ("write_file", False)])
def test_words_are_offered_as_an_answer_only_where_they_are_taken(name: str, words: bool) -> None:
    request = WRITE.model_copy(update={"name": name})
    assert interrupt_payload([request])["config"]["allow_respond"] is words


def test_one_approval_answers_several_requests_but_one_edit_does_not() -> None:
    assert decode({"decisions": [{"type": "approve"}]}, [WRITE, WRITE]) == [Decision(type="approve")] * 2
    with pytest.raises(InvalidDecision, match="2 decision"):
        decode({"decisions": [{"type": "edit", "args": {"path": "x"}}]}, [WRITE, WRITE])


@pytest.mark.parametrize("text", ["yes", "OK.", "approve", "Go ahead!", "lgtm"])
def test_typed_approvals(text: str) -> None:
    assert typed_decision(text) == Decision(type="approve")


@pytest.mark.parametrize(
    "text",
    [
        "nothing else?",
        "noise levels in Iowa",
        "yesterday's figures",
        "what is it?",
        "No-code tools: compare them",
        "stop words in English",
    ],
)
def test_a_typed_question_is_no_decision(text: str) -> None:
    assert typed_decision(text) is None


@pytest.mark.parametrize(
    ("text", "settled"),
    [("it happened", "happened"), ("Try again.", "did_not_happen"), ("it didn't", "did_not_happen"), ("stop", "stop")],
)
def test_whether_an_effect_happened_can_be_said_in_words(text: str, settled: str) -> None:
    [decision] = decode(text, [LOST])
    assert settlement(decision, LOST) == settled
    typed = typed_answer(text, [LOST])
    assert typed is not None
    assert settlement(typed, LOST) == settled


def test_words_about_happening_answer_only_that_question() -> None:
    assert typed_answer("it happened", [WRITE, LOST]) is None
    assert typed_answer("it happened", []) is None


def test_what_was_begun_cannot_be_edited_afterwards() -> None:
    [decision] = decode({"type": "edit", "args": {"tool": "other"}}, [LOST])
    with pytest.raises(InvalidDecision, match="only 'happened'"):
        settlement(decision, LOST)


def test_another_attempt_is_another_question() -> None:
    again = settle_request(KeptEffect(key="k", step="save", tool="send", claim="d", claimed=2.0))
    assert again.id != LOST.id


def test_who_answers_is_said_by_the_desk_alone() -> None:
    request = ActionRequest(id="s", name="send", args={}, description="")
    claimed = [{"type": "approve", "by": "boss"}]
    assert [d.by for d in decode({"decisions": claimed}, [request])] == [""]
    assert [d.by for d in decode(claimed, [request])] == [""]
    assert [d.by for d in decode({DESK: "q1", "decisions": claimed}, [request])] == ["boss"]
