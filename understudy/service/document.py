"""The OpenAPI document: what FastAPI reads off the routes, with what stands before every route."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from memory.workspaces import NAME
from understudy.service.problems import MEDIA_TYPE, Mistake, Problem

_REF = "#/components/schemas/{model}"
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status.value: {"content": _PROBLEM, "description": text}
    for status, text in (
        (HTTPStatus.BAD_REQUEST, "cannot be read"),
        (HTTPStatus.UNAUTHORIZED, "who asks is not known"),
        (HTTPStatus.FORBIDDEN, "who asks may not"),
        (HTTPStatus.NOT_FOUND, "there is no such thing"),
        (HTTPStatus.REQUEST_TIMEOUT, "did not come in, or was not answered, in time"),
        (HTTPStatus.CONFLICT, "does not fit how things stand"),
        (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large"),
        (HTTPStatus.UNPROCESSABLE_ENTITY, "does not fit"),
        (HTTPStatus.TOO_MANY_REQUESTS, "too often, or a bound was reached"),
        (HTTPStatus.INTERNAL_SERVER_ERROR, "went wrong here"),
        (HTTPStatus.BAD_GATEWAY, "a model or a service failed"),
        (HTTPStatus.SERVICE_UNAVAILABLE, "something that is needed is away"),
        (HTTPStatus.INSUFFICIENT_STORAGE, "no place is left to keep it"),
    )
}
"""What any request may be answered instead."""
WORKSPACE_SCHEMA: dict[str, Any] = {"pattern": f"^{NAME}$"}
_KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "The request is carried out once, however often it comes with this key within a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}  # fmt: skip
_BEARER = {"type": "http", "scheme": "bearer", "description": "An API key, or a token of the configured issuer."}


def describe_all(app: FastAPI) -> None:
    """Complete the document of an application with the form of problems, credentials and idempotency keys."""
    read_off = app.openapi

    def completed() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(read_off())
        return app.openapi_schema

    app.openapi = completed  # type: ignore[method-assign]  # as FastAPI documents it


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    _, schemas = models_json_schema(
        [(Problem, "serialization"), (Mistake, "serialization")], ref_template=_REF
    )  # fmt: skip
    components.setdefault("schemas", {}).update(schemas["$defs"])
    components["securitySchemes"] = {"bearer": _BEARER}
    document["security"] = [{"bearer": []}, {}]  # on this machine, as long as nobody is configured, none is asked for
    for operations in document["paths"].values():
        if "post" in operations:
            operations["post"].setdefault("parameters", []).append(_KEY)
    return document
