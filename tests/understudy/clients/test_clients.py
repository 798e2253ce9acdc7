"""Questions as agent-inbox and agent-chat-ui show them, and the answers that come back from both."""

import json
from typing import Any

import pytest

from domain.approvals import ActionRequest, Decision, DecisionType, decode, interrupt_payload
from domain.errors import InvalidDecision
from tests.understudy.clients import agent_chat_ui, agent_inbox
from tests.understudy.clients.agent_inbox import Shown

ARGS = {"amount": 120, "rate": 0.5, "to": "ann@example.org", "notify": True, "tags": ["a"], "extra": {"ref": 7}}
TYPES = {
    "amount": "integer", "rate": "number", "to": "string", "notify": "boolean", "tags": "array", "extra": "object",
}  # fmt: skip
PAY = ActionRequest(id="pay", name="send_money", args=ARGS, description="Sends money to Ann.", types=TYPES)
WRITE = ActionRequest(
    id="write", name="write_file", args={"path": "a.md"}, description="Writes a file.", types={"path": "string"}
)
PLAN = ActionRequest(id="plan", name="review_plan", args={"steps": "1. look"}, description="Is this the plan?")


def in_inbox(*requests: ActionRequest) -> Shown:
    found = agent_inbox.shown(over_the_wire(interrupt_payload(requests)))
    assert found is not None
    return found


def in_older_inbox(request: ActionRequest) -> Shown:
    """Return the question in an inbox that knows nothing of LangChain's middleware."""
    payload = over_the_wire(interrupt_payload([request]))
    found = agent_inbox.shown({name: payload[name] for name in ("action_request", "config", "description")})
    assert found is not None
    return found


def over_the_wire(value: Any) -> Any:
    return json.loads(json.dumps(value))


def only(answer: Any, request: ActionRequest) -> Decision:
    (decision,) = decode(over_the_wire(answer), [request])
    return decision


@pytest.mark.parametrize("requests", [[PAY], [PLAN], [PAY, WRITE]])
def test_agent_inbox_shows_the_action_with_its_arguments_and_all_its_buttons(requests: list[ActionRequest]) -> None:
    seen = in_inbox(*requests)
    assert (seen.action, seen.args) == (requests[0].name, requests[0].args)
    assert (seen.accepts, seen.edits, seen.responds) == (True, True, True)
    assert requests[0].description in seen.description


def test_an_older_agent_inbox_shows_the_same() -> None:
    seen = in_older_inbox(PLAN)
    assert (seen.action, seen.args, seen.accepts, seen.edits) == ("review_plan", PLAN.args, True, True)
    assert (seen.responds, in_older_inbox(PAY).responds) == (True, False)


@pytest.mark.parametrize("requests", [[PAY], [PLAN], [PAY, WRITE]])
def test_agent_chat_ui_shows_buttons_for_the_question(requests: list[ActionRequest]) -> None:
    payload = over_the_wire(interrupt_payload(requests))
    assert agent_chat_ui.renders({"id": "x", "value": payload})
    assert agent_chat_ui.older_renders(payload)
    assert not agent_chat_ui.renders({"id": "x", "value": {**payload, "action_requests": []}})
    assert not agent_chat_ui.older_renders({**payload, "config": {}})


@pytest.mark.parametrize("seen", [in_inbox(PAY), in_older_inbox(PAY)], ids=["new", "older"])
def test_what_agent_inbox_accepts_is_approved_without_the_arguments_that_come_along(seen: Shown) -> None:
    assert only(agent_inbox.accepted(seen), PAY) == Decision(type="approve")


@pytest.mark.parametrize("seen", [in_inbox(PAY), in_older_inbox(PAY)], ids=["new", "older"])
def test_texts_from_the_form_of_agent_inbox_become_what_the_action_takes(seen: Shown) -> None:
    assert all(isinstance(text, str) for text in seen.fields().values())
    every = only(agent_inbox.edited(seen, **seen.fields()), PAY)
    assert (every.type, every.args) == ("edit", ARGS)
    changed = agent_inbox.edited(seen, amount="90", rate="0.25", notify="false", tags='["b"]', extra='{"ref": 8}')
    wanted = {**ARGS, "amount": 90, "rate": 0.25, "notify": False, "tags": ["b"], "extra": {"ref": 8}}
    assert only(changed, PAY).args == wanted


@pytest.mark.parametrize(("request_", "wanted"), [(PAY, "reject"), (PLAN, "reject")])
def test_words_in_agent_inbox_reject_with_that_reason(request_: ActionRequest, wanted: DecisionType) -> None:
    answer = agent_inbox.responded(in_inbox(request_), "not before Monday")
    assert only(answer, request_) == Decision(type=wanted, message="not before Monday")


def test_words_in_an_older_agent_inbox_are_words() -> None:
    answer = agent_inbox.responded(in_older_inbox(PLAN), "shorter, please")
    assert only(answer, PLAN) == Decision(type="respond", message="shorter, please")


@pytest.mark.parametrize("seen", [in_inbox(PAY), in_older_inbox(PAY)], ids=["new", "older"])
def test_what_agent_inbox_ignores_is_not_done(seen: Shown) -> None:
    assert only(agent_inbox.ignored(seen), PAY) == Decision(type="reject")


def test_agent_inbox_answers_the_first_action_and_an_approval_or_a_refusal_holds_for_all() -> None:
    seen = in_inbox(PAY, WRITE)
    for answer, kind in ((agent_inbox.accepted(seen), "approve"), (agent_inbox.ignored(seen), "reject")):
        assert [decision.type for decision in decode(over_the_wire(answer), [PAY, WRITE])] == [kind, kind]
    with pytest.raises(InvalidDecision, match="2 decision"):
        decode(over_the_wire(agent_inbox.edited(seen, amount="90")), [PAY, WRITE])


def test_agent_chat_ui_decides_on_each_action() -> None:
    first = over_the_wire(interrupt_payload([PAY, WRITE]))["action_requests"][0]
    edit = agent_chat_ui.edited(first, amount="90", extra=agent_chat_ui.field({"ref": 8}))
    answer = agent_chat_ui.resumed([edit, agent_chat_ui.rejected("not there")])
    paid, written = decode(over_the_wire(answer), [PAY, WRITE])
    assert (paid.type, paid.args) == ("edit", {**ARGS, "amount": 90, "extra": {"ref": 8}})
    assert (written.type, written.message) == ("reject", "not there")
    approved = agent_chat_ui.resumed([agent_chat_ui.approved()] * 2)
    assert [decision.type for decision in decode(over_the_wire(approved), [PAY, WRITE])] == ["approve", "approve"]


def test_an_older_agent_chat_ui_answers_as_the_inbox_does() -> None:
    first = over_the_wire(interrupt_payload([PAY]))["action_requests"][0]
    assert only(agent_chat_ui.older("accept", first), PAY) == Decision(type="approve")
    fields = {name: agent_chat_ui.field(value) for name, value in ARGS.items()}
    assert only(agent_chat_ui.older("edit", first, **fields), PAY).args == ARGS
    assert only(agent_chat_ui.older("ignore"), PAY).type == "reject"
    assert only(agent_chat_ui.older("response", words="why?"), PLAN) == Decision(type="respond", message="why?")


@pytest.mark.parametrize(
    "answer",
    [
        agent_inbox.edited(in_inbox(PAY), amount="a lot"),
        agent_inbox.edited(in_inbox(PAY), notify="perhaps"),
        agent_inbox.edited(in_inbox(PAY), extra="{not json"),
        agent_inbox.edited(in_inbox(PAY), bcc="eve@example.org"),
        agent_chat_ui.resumed([]),
        agent_chat_ui.resumed([{"type": "edit", "edited_action": "all of it"}]),
        agent_chat_ui.resumed([agent_chat_ui.approved()] * 3),
        agent_chat_ui.resumed([{"type": "delete"}]),
        [],
        [None],
        {"decisions": None},
        7,
    ],
)
def test_an_answer_that_makes_no_sense_decides_nothing(answer: Any) -> None:
    with pytest.raises(InvalidDecision):
        decode(over_the_wire(answer), [PAY])
