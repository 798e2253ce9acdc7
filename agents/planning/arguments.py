"""Slips in a tool's arguments that leave no doubt: a name spelt almost right, a number where a text belongs. Pure."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agents.tools.registry import Tool
from domain.plans import Step, as_ref

_ALIKE = 0.75
"""How alike two argument names must be, 0-1 (`difflib.SequenceMatcher.ratio`)."""


def mended_arguments(step: Step, tool: Tool | None, say: Callable[[str], None]) -> Step:
    """Return the step with the slips in its arguments mended; `say` takes one clause on each."""
    if tool is None or not _mistakes(tool, step.args):
        return step
    args = _typed(_named(step, tool, say), tool, step.id, say)
    return step if args == step.args else step.model_copy(update={"args": args})


def _mistakes(tool: Tool, args: Mapping[str, Any]) -> list[ErrorDetails]:
    """Return what validation finds in the arguments; those with a reference in them are not looked at."""
    try:
        tool.parameters.model_validate({key: value for key, value in args.items() if not _refers(value)})
    except ValidationError as error:
        return [e for e in error.errors() if not (e["type"] == "missing" and e["loc"][0] in args)]
    return []


def _refers(value: Any) -> bool:
    return as_ref(value) is not None


def _named(step: Step, tool: Tool, say: Callable[[str], None]) -> dict[str, Any]:
    """Give an unknown argument the name of the missing one that it can only mean."""
    found = _mistakes(tool, step.args)
    missing = [str(e["loc"][0]) for e in found if e["type"] == "missing" and len(e["loc"]) == 1]
    unknown = [str(name) for name in step.args if name not in tool.argument_names]
    names = dict[str, str]()
    for name in unknown:
        near = get_close_matches(name, missing, n=2, cutoff=_ALIKE) or [m for m in missing if m in name.split("_")]
        if len(near) == 1 and near[0] not in names.values():
            names[name] = near[0]
            say(f"the argument {name!r} of {step.id!r} is {near[0]!r}")
    return {names.get(key, key): value for key, value in step.args.items()}


def _typed(args: dict[str, Any], tool: Tool, step: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Write numbers as texts, and one value as a list, where the tool takes nothing else."""
    mended = dict(args)
    for error in _mistakes(tool, args):
        fitting = _fitting(error)
        if fitting is not None and len(error["loc"]) == 1:
            mended[str(error["loc"][0])] = fitting
    if mended == args or _mistakes(tool, mended):
        return args
    for name in (name for name in args if mended[name] != args[name]):
        say(f"the argument {name!r} of {step!r} is {mended[name]!r:.80}")
    return mended


def _fitting(error: ErrorDetails) -> str | list[Any] | None:
    """Return the value in the type that was wanted, or None where it is not plain."""
    given = error["input"]
    if isinstance(given, bool):
        return None
    if error["type"] == "string_type" and isinstance(given, int | float):
        return str(given)
    if error["type"] in ("list_type", "tuple_type") and isinstance(given, str | int | float):
        return [given]
    return None
