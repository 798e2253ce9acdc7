from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from domain.approvals import ActionRequest, decode, interrupt_payload, shown_digest
from domain.errors import InvalidDecision
from domain.facts import Facts


class Person(BaseModel):
    model_config = ConfigDict(extra="forbid")

    address: str = Field(min_length=3)
    copies: int = Field(default=1, ge=1, le=5)


class Mail(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: list[Person]
    subject: str = ""
    options: dict[str, int] = Field(default_factory=dict)
    delay: int | None = None
    urgent: bool = False


SHOWN = {"to": [{"address": "a@b.example", "copies": 1}], "subject": "hello", "delay": None}
SEND = ActionRequest(id="s", name="send", args=SHOWN, description="", parameters=Mail.model_json_schema())


def edited(**args: Any) -> dict[str, Any]:
    [decision] = decode({"type": "edit", "args": args}, [SEND])
    assert decision.args is not None
    return decision.args


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"to": [{"address": "x@y.example", "copies": "2"}]}, {"to": [{"address": "x@y.example", "copies": 2}]}),
        ({"to": '[{"address": "x@y.example", "copies": "2"}]'}, {"to": [{"address": "x@y.example", "copies": 2}]}),
        ({"delay": "5"}, {"delay": 5}),
        ({"delay": None}, {"delay": None}),
        ({"urgent": "true"}, {"urgent": True}),
        ({"subject": "7"}, {"subject": "7"}),
        ({"options": {"a": "1"}}, {"options": {"a": "1"}}),
    ],
    ids=["nested", "nested as text", "optional", "null", "flag", "text stays text", "free keys stay as they came"],
)
def test_edits_are_read_in_the_types_of_the_schema(given: dict[str, Any], taken: dict[str, Any]) -> None:
    if "options" in given:
        with pytest.raises(InvalidDecision, match=r"options\.a"):
            edited(**given)
    else:
        assert edited(**given) == SHOWN | taken


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"bcc": "x"}, "takes no argument 'bcc'"),
        ({"to": [{"address": "x@y.example", "cc": 1}]}, "'cc' was unexpected"),
        ({"to": [{"address": "x@y.example", "copies": 9}]}, r"to\.0\.copies"),
        ({"to": [{"address": "x@y.example", "copies": "many"}]}, r"to\.0\.copies"),
        ({"to": [{}]}, "'address' is a required property"),
        ({"to": "nobody"}, "to: 'nobody' is not of type 'array'"),
        ({"urgent": "perhaps"}, "urgent"),
        ({"delay": [1]}, "delay"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidDecision, match=says):
        edited(**given)


def test_what_was_shown_and_not_edited_is_not_judged_again() -> None:
    lax = SEND.model_copy(update={"args": {"to": [{"address": "a@b.example", "copies": "1"}], "subject": 5}})
    [decision] = decode({"type": "edit", "args": {"urgent": True}}, [lax])
    assert decision.args == {**lax.args, "urgent": True}


def test_arguments_that_come_with_an_approval_are_ignored() -> None:
    [decision] = decode([{"type": "accept", "args": {"action": "send", "args": {"bcc": "x"}}}], [SEND])
    assert (decision.type, decision.args) == ("approve", None)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"properties": {"a": {"anyOf": [{"$ref": "#/properties/a"}]}}},
        {"properties": {"a": {"type": "string", "pattern": "(?<bad"}}},
        {"properties": "none"},
    ],
    ids=["circle of references", "circle of alternatives", "foreign pattern", "no properties"],
)
def test_a_schema_that_cannot_be_used_breaks_nothing(schema: dict[str, Any]) -> None:
    request = SEND.model_copy(update={"args": {"a": "1"}, "parameters": schema})
    try:
        [decision] = decode({"type": "edit", "args": {"a": "2"}}, [request])
    except InvalidDecision:
        return
    assert decision.args == {"a": "2"}


def test_everything_shown_is_in_the_digest() -> None:
    known = SEND.model_copy(update={"facts": Facts(to=["a@b.example"]), "plan": "p"})
    changes: list[dict[str, Any]] = [
        {"name": "other"}, {"args": {**SHOWN, "subject": "x"}}, {"facts": Facts(to=["x@y.example"])}, {"plan": "q"},
    ]  # fmt: skip
    digests = {shown_digest([known.model_copy(update=change)]) for change in changes}
    assert len(digests | {shown_digest([known])}) == 5
    assert shown_digest([known]) == shown_digest([known.model_copy(update={"description": "other words"})])


def test_the_payload_tells_the_facts() -> None:
    facts = Facts(to=["a@b.example"], privacy="personal", undo="final", cost={"dollars": 0.02}, past=["ada approved"])
    payload = interrupt_payload([SEND.model_copy(update={"description": "sends", "facts": facts})])
    assert payload["description"].splitlines() == [
        "sends", "to: a@b.example", "with: personal data", "expected: 0.02 dollars", "undo: not possible",
        "earlier: ada approved",
    ]  # fmt: skip
