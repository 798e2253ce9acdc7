from typing import Any

import pytest

from agents.tools.declaration import ToolDeclaration
from agents.tools.function import as_output, function_tool
from agents.tools.registry import Tool
from domain.errors import InvalidArguments, InvalidTool, ToolCrashed, ToolError, ToolRefused
from tests.agents.tools import functions

HERE = "tests.agents.tools.functions"


def tool(name: str, **more: Any) -> Tool:
    return function_tool(ToolDeclaration(name=name, origin="function", target=f"{HERE}:{name}", **more))


def test_name_description_and_parameters_are_read_off_the_function() -> None:
    search = tool("search", effect="read")
    assert (search.name, search.effect, search.level) == ("search", "read", "MEDIUM")
    assert search.description == "Search the tickets. The newest come first."
    schema = search.parameters.model_json_schema()
    assert schema["required"] == ["query"]
    assert schema["properties"]["query"] == {
        "type": "string", "description": "What to look for: words or numbers.", "title": "Query",
    }  # fmt: skip
    assert schema["properties"]["limit"]["minimum"] == 1
    assert schema["properties"]["limit"]["description"] == "Tickets at most."
    assert schema["properties"]["since"]["description"] == "The first month."


async def test_a_function_gets_what_its_annotations_promise() -> None:
    output = await tool("search", effect="read").call({"query": "a", "since": {"year": 2024, "month": 2}})
    assert output.data == {"items": ["a", 10, None, 2024]}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "query: Field required"),
        ({"query": 3}, "query: Input should be a valid string"),
        ({"query": "a", "limit": 0}, "limit: Input should be greater"),
        ({"query": "a", "since": {"year": 2024, "month": 13}}, "since.month"),
        ({"query": "a", "sort": "up"}, "sort: Extra inputs"),
    ],
)
async def test_arguments_are_checked_before_the_call(args: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArguments, match=message):
        await tool("search", effect="read").call(args)


async def test_a_writing_function_gets_its_key_and_is_looked_into_and_undone() -> None:
    send = tool("send", verify=f"{HERE}:was_sent", undo=f"{HERE}:unsend", key=("to",))
    args = {"to": "ann", "text": "hello"}
    assert (send.effect, send.takes_key, "idempotency_key" in send.argument_names) == ("write", True, False)
    assert (await send.verified(args, "k1", {})).state == "did_not_happen"
    output = await send.call(args, "k1")
    assert functions.SENT == {"ann": "k1"}
    assert (await send.verified(args, "k1", {})).state == "happened"
    assert (await send.verified(args | {"to": "nobody"}, "k1", {})).state == "cannot_tell"
    assert (await send.undone(args, "k1", {}, output)).text == "taken back"
    assert functions.SENT == {}


async def test_an_idempotent_call_that_was_lost_may_be_repeated() -> None:
    args = {"to": "ann", "text": "hello"}
    assert (await tool("send", idempotent=True).verified(args, "k", {})).state == "did_not_happen"
    assert (await tool("send").verified(args, "k", {})).state == "cannot_tell"


@pytest.mark.parametrize("name", ["breaks", "ends"])
async def test_a_function_that_breaks_down_does_so_alone(name: str) -> None:
    with pytest.raises(ToolCrashed, match=f"{name} broke down"):
        await tool(name, effect="read").call({"text": "no"})


@pytest.mark.parametrize(
    ("text", "effect", "error"),
    [("sorry", "read", ToolRefused), ("{", "read", ToolCrashed), ("sorry", "write", ToolCrashed)],
    ids=["a refusal", "what it read is broken", "it may have changed something"],
)
async def test_a_value_error_of_a_function_that_reads_is_a_refusal(
    text: str, effect: str, error: type[ToolError]
) -> None:
    with pytest.raises(ToolError) as caught:
        await tool("refuses", effect=effect).call({"text": text})
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bare", "'query' of t has no annotation"),
        ("anything", "cannot be given by name"),
        ("odd", "'Unknown' is not defined"),
        ("missing", "cannot be imported: AttributeError"),
        ("NOT_A_FUNCTION", "is not a function"),
    ],
)
def test_a_function_that_cannot_be_a_tool_says_why(name: str, message: str) -> None:
    with pytest.raises(InvalidTool, match=message):
        function_tool(ToolDeclaration(name="t", origin="function", target=f"{HERE}:{name}"))


def test_a_module_that_is_not_there_says_so() -> None:
    with pytest.raises(InvalidTool, match="No module named"):
        function_tool(ToolDeclaration(name="t", origin="function", target="no_such_module:f"))


@pytest.mark.parametrize(
    ("value", "text", "data"),
    [
        ("a", "a", {}),
        (None, "done", {}),
        ({"a": 1}, '{"a": 1}', {"a": 1}),
        ([1, 2], "[1, 2]", {"items": [1, 2]}),
        (functions.Month(year=2024, month=1), '{"year":2024,"month":1}', {"year": 2024, "month": 1}),
        (2.5, "2.5", {"value": 2.5}),
    ],
)
def test_what_a_function_gives_is_an_output(value: object, text: str, data: dict[str, Any]) -> None:
    output = as_output(value)
    assert (output.text, output.data, output.is_empty) == (text, data, False)
