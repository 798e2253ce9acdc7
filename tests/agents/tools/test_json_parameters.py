from typing import Any

import pytest

from agents.tools.json_parameters import parameters_of
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.errors import InvalidArguments, InvalidTool

SCHEMA = {
    "type": "object",
    "properties": {"schema": {"type": "string"}, "copy": {"type": "integer", "minimum": 1}, "_x": {"enum": ["a", "b"]}},
    "required": ["schema", "copy"],
    "additionalProperties": False,
}


def tool(schema: dict[str, Any]) -> Tool:
    async def run(arguments: Any) -> ToolOutput:
        return ToolOutput("", arguments.model_dump())

    return Tool("t", "d", parameters_of("t", schema), run, effect="read")


async def test_names_that_python_uses_itself_are_arguments_like_others() -> None:
    given = {"schema": "s", "copy": 2, "_x": "a"}
    assert (await tool(SCHEMA).call(given)).data == given


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"copy": 1}, "schema: Field required"),
        ({}, "schema: Field required; copy: Field required"),
        ({"schema": 1, "copy": 1}, "schema: 1 is not of type 'string'"),
        ({"schema": "s", "copy": 0}, "copy: 0 is less than the minimum of 1"),
        ({"schema": "s", "copy": 1, "z{0}": 1}, "arguments: Additional properties are not allowed"),
    ],
)
def test_problems_are_told_by_argument(args: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArguments, match=message):
        tool(SCHEMA).validated(args)


def test_a_reference_counts_as_a_given_value() -> None:
    args = {"schema": {"ref": {"step": "a"}}, "copy": 1}
    assert Toolbox.of([tool(SCHEMA)]).argument_problems("t", args) == []


def test_the_schema_is_told_as_it_was_given_and_always_has_properties() -> None:
    assert tool(SCHEMA).schema()["function"]["parameters"] == SCHEMA
    assert tool({}).argument_names == frozenset()


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": 3},
        {"properties": {"a": {"$ref": "https://example.org/s.json"}}},
        {"$schema": "file:///etc/passwd"},
    ],
)
def test_a_schema_that_is_none_or_leads_outside_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidTool, match="the parameters of t cannot be used"):
        parameters_of("t", schema)


@pytest.mark.parametrize("reference", ["#/$defs/a", "#/$defs/nowhere"])
def test_references_in_circles_or_to_nothing_are_a_refusal_and_no_crash(reference: str) -> None:
    defs = {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}
    with pytest.raises(InvalidArguments, match="schema cannot be used"):
        tool({"properties": {"x": {"$ref": reference}}, "$defs": defs}).validated({"x": 1})
