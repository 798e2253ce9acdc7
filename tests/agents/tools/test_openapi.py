import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.tools.declaration import ToolDeclaration
from agents.tools.foreign import Definition, plain_schema
from agents.tools.json_parameters import parameters_of
from agents.tools.openapi import definition_of, definitions_in, load_document
from agents.tools.openapi_calls import call, request_for
from domain.errors import AddressNotAllowed, InvalidTool, OutputTooLarge, ToolAway, ToolCrashed, ToolError, ToolRefused
from tests.agents.tools.web import Web, endless, web

YAML = """
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: /api}]
paths:
  /items/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
    get:
      operationId: get_item
      summary: One item.
      parameters:
        - $ref: '#/components/parameters/Fields'
        - {name: X-Trace, in: header, schema: {type: string}}
        - {name: price, in: query, schema: {type: number, minimum: 0, exclusiveMinimum: true}}
    put:
      operationId: put_item
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/Item'}}
components:
  parameters:
    Fields: {name: fields, in: query, description: Which fields., schema: {type: array, items: {type: string}}}
  schemas:
    Item:
      type: object
      required: [name]
      properties:
        name: {type: string, nullable: true}
        parts: {type: array, items: {$ref: '#/components/schemas/Item'}}
"""


@pytest.fixture
def site() -> Iterator[Web]:
    with web() as opened:
        yield opened


def declared(site: Web, **more: Any) -> ToolDeclaration:
    given = {"name": "shop", "from": "openapi", "target": f"{site.url}/openapi.yaml", "allow_private": True} | more
    return ToolDeclaration.model_validate(given)


async def operation(site: Web, name: str) -> Definition:
    site.write("/openapi.yaml", YAML)
    return definition_of(await load_document(declared(site), {}), name)


async def test_an_operation_is_a_tool_with_its_parameters(site: Web) -> None:
    found = await operation(site, "get_item")
    assert (found.description, found.claims) == ("One item.", "read")
    assert found.parameters["required"] == ["id"]
    properties = found.parameters["properties"]
    assert list(properties) == ["id", "fields", "X-Trace", "price"]
    assert properties["fields"]["description"] == "Which fields."
    assert properties["price"] == {"type": "number", "exclusiveMinimum": 0}


async def test_a_component_that_holds_itself_can_be_checked_against(site: Web) -> None:
    found = await operation(site, "put_item")
    model = parameters_of("put_item", plain_schema(found.parameters))
    model.model_validate({"id": "a", "body": {"name": None, "parts": [{"name": "b", "parts": []}]}})
    with pytest.raises(ValueError, match="body.parts.0.name"):
        model.model_validate({"id": "a", "body": {"name": "a", "parts": [{}]}})


async def test_a_call_is_the_request_that_the_document_describes(site: Web) -> None:
    found = await operation(site, "get_item")
    site.write("/api/items/a%20%2Fb", '{"n": 1}')
    args = {"id": "a /b", "fields": ["x", "y"], "X-Trace": "t", "price": 2}
    output = await call(declared(site, effect="read", secrets={"X-Key": "KEY"}), found, args, {"KEY": "hush"})
    assert output.data == {"n": 1}
    asked = site.asked[-1]
    assert asked.path == "/api/items/a%20%2Fb?fields=x&fields=y&price=2"
    assert (asked.headers["X-Trace"], asked.headers["X-Key"]) == ("t", "hush")


async def test_a_writing_call_carries_body_and_key(site: Web) -> None:
    found = await operation(site, "put_item")
    site.write("/api/items/a", "[1, 2]")
    output = await call(declared(site), found, {"id": "a", "body": {"name": "n"}}, {}, "key-1")
    assert output.data == {"items": [1, 2]}
    asked = site.asked[-1]
    assert (asked.method, json.loads(asked.body), asked.headers["Idempotency-Key"]) == ("PUT", {"name": "n"}, "key-1")


@pytest.mark.parametrize("value", ["..", ".", ""])
async def test_a_path_cannot_be_left(site: Web, value: str) -> None:
    found = await operation(site, "get_item")
    with pytest.raises(ToolError, match="cannot be part of an address"):
        request_for(found, f"{site.url}/openapi.yaml", {"id": value})


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, ToolRefused), (409, ToolError), (429, ToolAway), (500, ToolCrashed), (302, ToolError)],
)
async def test_a_status_says_what_went_wrong(site: Web, status: int, error: type[ToolError]) -> None:
    found = await operation(site, "get_item")
    site.write("/api/items/a", "no", status=status)
    with pytest.raises(ToolError, match=f"GET /api/items/a was answered with {status}: no") as caught:
        await call(declared(site, effect="read"), found, {"id": "a"}, {})
    assert type(caught.value) is error


async def test_an_answer_without_end_is_cut_off(site: Web) -> None:
    found = await operation(site, "get_item")
    site.answers["/api/items/a"] = endless
    with pytest.raises(OutputTooLarge):
        await call(declared(site, effect="read"), found, {"id": "a"}, {})


async def test_a_redirect_to_the_metadata_service_is_refused(site: Web) -> None:
    found = await operation(site, "get_item")
    site.write("/api/items/a", "", status=302, Location="http://169.254.169.254/latest")
    hosts = ("127.0.0.1", "169.254.169.254")
    with pytest.raises(AddressNotAllowed, match="link-local"):
        await call(declared(site, effect="read", allow_hosts=hosts), found, {"id": "a"}, {})


async def test_a_document_cannot_send_calls_to_another_host(site: Web) -> None:
    site.write("/openapi.yaml", YAML.replace("url: /api", "url: 'http://localhost:1/'"))
    found = definition_of(await load_document(declared(site), {}), "get_item")
    with pytest.raises(AddressNotAllowed, match="not a host that this tool may call"):
        await call(declared(site, effect="read"), found, {"id": "a"}, {})


async def test_a_server_that_is_away_says_so(site: Web) -> None:
    with pytest.raises(ToolAway):
        await load_document(declared(site, target="http://127.0.0.1:1/openapi.yaml"), {})
    with pytest.raises(ToolAway, match="404"):
        await load_document(declared(site), {})


def document(**paths: Any) -> dict[str, Any]:
    components = {
        "parameters": {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}},
        "schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}},
    }
    return {"openapi": "3.1.0", "paths": {f"/{name}": item for name, item in paths.items()}, "components": components}


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"parameters": [{"$ref": "#/components/parameters/A"}]}, "go in a circle"),
        ({"parameters": [{"$ref": "other.yaml#/x"}]}, "which is not inside it"),
        (
            {"parameters": [{"name": "a", "in": "query", "schema": {"$ref": "http://x/y"}}]},
            "a schema refers to 'http://x/y'",
        ),
        ({"requestBody": {"content": {"text/plain": {}}}}, "takes no JSON"),
    ],
    ids=["circle", "outside", "schema outside", "no json"],
)
def test_an_operation_that_cannot_be_used_says_why_and_hides_no_other(operation: dict[str, Any], message: str) -> None:
    given = document(bad={"get": {"operationId": "bad"} | operation}, good={"get": {"operationId": "good"}})
    with pytest.raises(InvalidTool, match=message):
        definition_of(given, "bad")
    assert list(definitions_in(given)) == ["good"]


def test_schemas_in_a_circle_stay_references() -> None:
    parameter = {"name": "a", "in": "query", "schema": {"$ref": "#/components/schemas/A"}}
    found = definition_of(document(x={"get": {"operationId": "x", "parameters": [parameter]}}), "x")
    model = parameters_of("x", plain_schema(found.parameters))
    with pytest.raises(ValueError, match="schema cannot be used"):
        model.model_validate({"a": 1})


def test_an_unknown_operation_names_those_there_are() -> None:
    with pytest.raises(InvalidTool, match="there is no operation 'y'; there is x"):
        definition_of(document(x={"get": {"operationId": "x"}}), "y")


@pytest.mark.parametrize(
    "text", ["[1]", "swagger: '2.0'", "{", "a: [", "", "openapi: 3.0.0\nx: !!python/object:os.system {}"]
)
async def test_what_is_no_document_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "api.yaml"
    path.write_text(text)
    tool = ToolDeclaration(name="t", origin="openapi", target=str(path), allow_hosts=("example.org",))
    with pytest.raises(InvalidTool):
        await load_document(tool, {})


async def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    tool = ToolDeclaration(name="t", origin="openapi", target=str(tmp_path / "no"), allow_hosts=("example.org",))
    with pytest.raises(InvalidTool, match="cannot be read"):
        await load_document(tool, {})
