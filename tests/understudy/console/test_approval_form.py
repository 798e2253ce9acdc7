from typing import Any

import pytest

from domain.approvals import ActionRequest
from domain.errors import InvalidDecision
from understudy.console.approval_form import changes, difference, edit_of, fields_of

SCHEMA = {
    "type": "object",
    "properties": {
        "to": {"type": "string", "title": "Recipient", "description": "Who gets it."},
        "count": {"type": "integer", "minimum": 1},
        "urgent": {"type": "boolean"},
        "tone": {"type": "string", "enum": ["kind", "curt"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "note": {"type": "string"},
    },
    "required": ["to"],
}
ARGS: dict[str, Any] = {"to": "ada", "count": 2, "urgent": False, "tone": "kind", "tags": ["a"]}


def request(args: dict[str, Any] = ARGS, schema: dict[str, Any] = SCHEMA) -> ActionRequest:
    types = {name: each["type"] for name, each in schema.get("properties", {}).items()}
    return ActionRequest(id="s", name="send", args=args, description="?", types=types, parameters=schema)


def test_fields_follow_the_schema() -> None:
    kinds = {field.name: field.kind for field in fields_of(request())}
    assert kinds == {
        "to": "line", "count": "number", "urgent": "boolean", "tone": "choice", "tags": "json", "note": "line",
    }  # fmt: skip
    assert fields_of(request())[0].label == "Recipient"


def test_what_is_not_touched_is_not_an_edit() -> None:
    shown = {field.name: field.value for field in fields_of(request())}
    assert edit_of(request(), shown) == {}


@pytest.mark.parametrize(
    ("name", "typed", "read"),
    [("count", "7", 7), ("urgent", "true", True), ("tone", '"curt"', "curt"), ("tags", '["b", "c"]', ["b", "c"]),
     ("to", "7", "7"), ("note", "new", "new")],
)  # fmt: skip
def test_values_are_read_in_their_types(name: str, typed: str, read: object) -> None:
    assert edit_of(request(), {name: typed}) == {name: read}


@pytest.mark.parametrize(("name", "typed"), [("count", "many"), ("count", "0"), ("tags", "{"), ("tone", '"loud"')])
def test_what_does_not_fit_is_refused(name: str, typed: str) -> None:
    with pytest.raises(InvalidDecision, match=name):
        edit_of(request(), {name: typed})


def test_unknown_fields_are_left_out() -> None:
    assert edit_of(request(), {"bcc": "mallory"}) == {}


def test_arguments_without_a_schema_are_edited_as_they_are() -> None:
    bare = ActionRequest(id="s", name="send", args={"a": 1, "b": "x"}, description="?", types={"a": "integer"})
    assert edit_of(bare, {"a": "3", "b": "y"}) == {"a": 3, "b": "y"}


def test_the_difference_is_told_word_by_word() -> None:
    assert [(p.kind, p.text) for p in difference("send it now", "send it later")] == [
        ("same", "send it "), ("gone", "now"), ("new", "later"),
    ]  # fmt: skip


def test_changes_name_the_argument() -> None:
    (change,) = changes(request(), {"count": 7})
    assert (change.name, [piece.text for piece in change.pieces]) == ("count", ["2", "7"])
