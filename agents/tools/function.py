"""Tools from Python functions: name, parameters and their descriptions are read off annotations and docstring."""

import asyncio
import importlib
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from docstring_parser import Docstring, DocstringStyle, ParseError, parse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from agents.tools.declaration import ToolDeclaration
from agents.tools.registry import Attempt, Tool, ToolOutput, Verdict
from domain.errors import InvalidTool, ToolRefused

KEY_PARAMETER = "idempotency_key"
"""A parameter of this name gets the effect's key; the model neither sees nor gives it."""

_OF_DATA = (UnicodeError, json.JSONDecodeError, ValidationError)
"""Value errors that tell of what a function read, not of what it was asked."""

Function = Callable[..., Any]


def imported_function(target: str) -> Function:
    """Return the function that `package.module:function` names, or raise `InvalidTool`."""
    module, _, name = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, SyntaxError) as error:
        msg = f"{target!r:.200} cannot be imported: {type(error).__name__}: {error}"
        raise InvalidTool(msg) from error
    if not callable(found):
        msg = f"{target!r:.200} is not a function"
        raise InvalidTool(msg)
    return found  # type: ignore[no-any-return]  # asked just now


def function_tool(declaration: ToolDeclaration) -> Tool:
    """Return the tool that a declaration makes of a function, or raise `InvalidTool`.

    A `ValueError` of a function that does not write is a refusal: it would refuse the same again.
    """
    function = imported_function(declaration.target)
    parameters = parameters_from(function, declaration.name)
    takes_key = declaration.effect == "write" and KEY_PARAMETER in inspect.signature(function).parameters

    async def run(arguments: BaseModel, key: str = "") -> ToolOutput:
        given = _given(arguments)
        try:
            return as_output(await called(function, given | ({KEY_PARAMETER: key} if takes_key else {})))
        except ValueError as error:
            if declaration.effect == "write" or isinstance(error, _OF_DATA):  # it may have done something before
                raise
            msg = f"{declaration.name} refuses: {error!s:.500}"
            raise ToolRefused(msg) from error

    return Tool(
        declaration.name,
        declaration.description or _summary(function) or declaration.name.replace("_", " "),
        parameters,
        run,
        effect=declaration.effect,
        takes_key=takes_key,
        **common_fields(declaration),
    )


def common_fields(declaration: ToolDeclaration) -> dict[str, Any]:
    """Return the fields of a tool that only its declaration decides."""
    return {
        "timeout": declaration.timeout,
        "key": declaration.key,
        "verify": _verify(declaration),
        "undo": _undo(imported_function(declaration.undo)) if declaration.undo else None,
        "alternatives": declaration.alternatives,
        "level": declaration.level,
        "capability": declaration.capability,
        "origin": declaration.origin,
        "privacy": declaration.privacy,
        "consent": declaration.consent,
    }


def parameters_from(function: Function, name: str) -> type[BaseModel]:
    """Return the model of a function's parameters, with the descriptions of its Google-style docstring.

    Raises:
        InvalidTool: A parameter has no annotation, or one that data cannot be checked against, or takes any number of
            values.
    """
    told = {param.arg_name: param.description or "" for param in _docstring(function).params}
    try:
        hints = get_type_hints(function, include_extras=True)
        fields = {
            parameter.name: _field(parameter, hints, told.get(parameter.name, ""), name)
            for parameter in inspect.signature(function).parameters.values()
            if parameter.name != KEY_PARAMETER
        }
        model: type[BaseModel] = create_model(f"{name}_arguments", __config__=ConfigDict(extra="forbid"), **fields)
        model.model_json_schema()
    except (NameError, TypeError, ValueError, PydanticUserError, PydanticSchemaGenerationError) as error:
        msg = f"the parameters of {name} cannot be read off the function: {str(error).splitlines()[0]}"
        raise InvalidTool(msg) from error
    return model


def _field(parameter: inspect.Parameter, hints: Mapping[str, Any], description: str, tool: str) -> Any:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        msg = f"{parameter} cannot be given by name"
        raise TypeError(msg)
    if parameter.name not in hints:
        msg = f"{parameter.name!r} of {tool} has no annotation"
        raise TypeError(msg)
    default = ... if parameter.default is parameter.empty else parameter.default
    return hints[parameter.name], Field(default, description=" ".join(description.split()) or None)


def _docstring(function: Function) -> Docstring:
    try:
        return parse(inspect.getdoc(function) or "", style=DocstringStyle.GOOGLE)
    except ParseError:
        return Docstring()


def _summary(function: Function) -> str:
    """Return what the docstring says before its sections."""
    parsed = _docstring(function)
    return " ".join(" ".join(filter(None, (parsed.short_description, parsed.long_description))).split())


def _given(arguments: BaseModel) -> dict[str, Any]:
    """Return the validated values as the function's annotations promise them, models as models."""
    return {name: getattr(arguments, name) for name in type(arguments).model_fields}


async def called(function: Function, arguments: Mapping[str, Any]) -> Any:
    """Return what a function gives; one that is not asynchronous runs in a thread."""
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    result = await asyncio.to_thread(function, **arguments)
    return await result if inspect.isawaitable(result) else result


def as_output(value: Any) -> ToolOutput:
    """Return what a function gave as an output: text, a mapping, a list, a model, or anything else as its text."""
    match value:
        case ToolOutput():
            return value
        case str():
            return ToolOutput(value)
        case None:
            return ToolOutput("done", empty=False)
        case BaseModel():
            return ToolOutput(value.model_dump_json(), value.model_dump(mode="json"))
        case Mapping():
            return ToolOutput(_text(value), dict(value))
        case list() | tuple():
            return ToolOutput(_text(value), {"items": list(value)})
    return ToolOutput(str(value), {"value": value})


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _verify(declaration: ToolDeclaration) -> Callable[[Attempt], Any] | None:
    if declaration.verify:
        return _asking(imported_function(declaration.verify))
    return _repeatable if declaration.idempotent else None


async def _repeatable(_: Attempt) -> Verdict:
    """Say that a lost call may be made again, which changes nothing more where it happened."""
    return Verdict("did_not_happen")


def _asking(function: Function) -> Callable[[Attempt], Any]:
    async def verify(attempt: Attempt) -> Verdict:
        happened = await called(function, attempt.args.model_dump())
        return Verdict("cannot_tell" if happened is None else "happened" if happened else "did_not_happen")

    return verify


def _undo(function: Function) -> Callable[[Attempt, ToolOutput], Any]:
    async def undo(attempt: Attempt, _: ToolOutput) -> ToolOutput:
        return as_output(await called(function, attempt.args.model_dump()))

    return undo
