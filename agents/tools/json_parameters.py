"""Parameters that somebody else describes with a JSON schema, as the model that every tool has."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError as Misfit  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from referencing import Registry
from referencing.exceptions import Unresolvable

from domain.errors import InvalidTool
from domain.schemas import schema_problem

_SHOWN = 20
"""Problems that are told of one call."""


class JsonArguments(BaseModel):
    """Arguments held against a JSON schema (draft 2020-12); each subclass has its own."""

    model_config = ConfigDict(extra="allow")

    json_schema: ClassVar[Mapping[str, Any]] = {}
    validator: ClassVar[Any] = None

    @model_validator(mode="before")
    @classmethod
    def _held_against_schema(cls, value: Any) -> Any:
        try:
            found = [error for _, error in zip(range(_SHOWN), cls.validator.iter_errors(value), strict=False)]
        except (Unresolvable, RecursionError) as error:
            msg = f"the tool's schema cannot be used: {type(error).__name__}"
            raise ValueError(msg) from error
        if found:
            raise ValidationError.from_exception_data(cls.__name__, [_detail(error) for error in found])
        return value

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Return the schema as it was given; pydantic would look for its `$defs` among its own."""
        return dict(cls.json_schema)


def parameters_of(name: str, schema: Mapping[str, Any]) -> type[JsonArguments]:
    """Return the model for a JSON schema of an object.

    Args:
        name: The tool, for messages.
        schema: Its `properties` are told even where it has none.

    Raises:
        InvalidTool: It is not a schema, or refers to something outside itself.
    """
    return _parameters_of(name, json.dumps(dict(schema)))


@lru_cache(maxsize=512)
def _parameters_of(name: str, schema: str) -> type[JsonArguments]:
    """Return the model for a schema as text: each workspace gets the same tools, and checking one takes a while."""
    whole = {"type": "object", "properties": {}} | json.loads(schema)
    if problem := schema_problem(whole):
        msg = f"the parameters of {name} cannot be used: {problem}"
        raise InvalidTool(msg)
    validator = Draft202012Validator(whole, registry=Registry())
    return type(f"{name}_arguments", (JsonArguments,), {"json_schema": whole, "validator": validator})


def _detail(error: Misfit) -> InitErrorDetails:
    place = tuple(error.path)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if error.message.startswith(repr(name)))
        return {"type": "missing", "loc": (*place, missing), "input": error.instance}
    message = error.message[:200].replace("{", "{{").replace("}", "}}")
    return {"type": PydanticCustomError("misfit", message), "loc": place, "input": error.instance}
