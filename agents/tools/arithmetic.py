"""Arithmetic on written expressions: a closed grammar over Python's parser; nothing is ever executed."""

import ast
import math
import operator
import re
import statistics
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agents.tools.registry import Tool, ToolOutput
from domain.errors import InvalidArguments

Number = int | float

MAX_CHARS = 500
MAX_BITS = 1023
"""Results stay below 2**1023, the range in which every whole number also has a floating-point neighbour."""


def calculate(expression: str) -> Number:
    """Return the value of an arithmetic expression.

    Operators `+ - * / // % **`, parentheses, `abs round min max sum mean sqrt log exp`, and percentages: `12%` is
    0.12, `12% of 50` is 6. A `%` is a percentage when it stands directly behind a number and no operand follows;
    otherwise it is the remainder. `round` rounds halves to the even neighbour.

    Raises:
        InvalidArguments: The expression is not arithmetic, divides by zero, leaves the real numbers or gets too large.
    """
    if len(expression) > MAX_CHARS:
        msg = f"the expression has {len(expression)} characters; at most {MAX_CHARS} are taken"
        raise InvalidArguments(msg)
    try:
        return _checked(_value(_parsed(expression)))
    except ZeroDivisionError as error:
        msg = f"{expression!r} divides by zero"
        raise InvalidArguments(msg) from error
    except OverflowError as error:
        msg = f"the result of {expression!r} is too large"
        raise InvalidArguments(msg) from error
    except (ValueError, TypeError, RecursionError) as error:
        msg = f"{expression!r} cannot be worked out: {error}"
        raise InvalidArguments(msg) from error


_NUMBER = r"(?<![\w.])(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_PERCENT_OF = re.compile(rf"({_NUMBER})\s*%\s*of\b")
_PERCENT = re.compile(rf"({_NUMBER})%(?=\s*(?:[-+*/),\]]|$))")
_TOKEN = re.compile(rf"\s+|{_NUMBER}(?![\w.])|[A-Za-z_]\w*|[-+*/%(),\[\]^]")
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "\u2013": "-"})


def _parsed(expression: str) -> ast.expr:
    plain = _PERCENT_OF.sub(r"(\1/100)*", expression.translate(_SIGNS).strip())
    plain = _PERCENT.sub(r"(\1/100)", plain)
    msg = f"{expression!r} is not an arithmetic expression"
    if _TOKEN.sub("", plain):  # strings and half-numbers would draw warnings from the parser
        raise InvalidArguments(msg)
    try:
        return ast.parse(plain, mode="eval").body
    except (SyntaxError, MemoryError) as error:  # MemoryError is the parser's word for too many parentheses
        raise InvalidArguments(msg) from error


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _checked(_OPERATORS[type(op)](_value(left), _value(right)))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _checked(_FUNCTIONS[name](*_arguments(args)))
    raise InvalidArguments(_refusal(node))


def _arguments(nodes: list[ast.expr]) -> list[Number]:
    """Return the values of a call's arguments; a list stands for its items."""
    flat = [item for node in nodes for item in (node.elts if isinstance(node, ast.List) else [node])]
    return [_value(node) for node in flat]


def _refusal(node: ast.expr) -> str:
    match node:
        case ast.Tuple():
            return "write numbers without commas between thousands, and one expression at a time"
        case ast.Name(id=name):
            return f"{name!r} has no value here; put the number in its place"
        case ast.Call(func=ast.Name(id=name)):
            return f"there is no function {name!r}; there are {', '.join(_FUNCTIONS)}"
        case ast.BinOp(op=ast.BitXor()):
            return "write powers as **"
    return f"{ast.unparse(node)[:80]!r} is not arithmetic"


def _checked(value: Any) -> Number:
    if isinstance(value, complex) or math.isnan(value):
        msg = "the result is not a real number"
        raise ValueError(msg)
    if math.isinf(value) or abs(value) >= 2**MAX_BITS:
        msg = "too large"
        raise OverflowError(msg)
    return value  # type: ignore[no-any-return]  # the operators' tables are typed loosely, only numbers come here


def _power(base: Number, exponent: Number) -> Any:
    """Return the power; its size is estimated first, since computing a huge whole number is what takes the time."""
    if abs(base) > 1 and exponent * math.log2(abs(base)) > MAX_BITS:
        msg = "too large"
        raise OverflowError(msg)
    return base**exponent


def _round(value: Number, digits: Number = 0) -> Number:
    if digits != int(digits):
        msg = "digits must be a whole number"
        raise ValueError(msg)
    return round(value, int(digits)) if digits else round(value)


def _some(function: Callable[[list[Number]], Number]) -> Callable[..., Number]:
    def of(*values: Number) -> Number:
        if not values:
            msg = "it needs at least one number"
            raise ValueError(msg)
        return function(list(values))

    return of


_OPERATORS: Mapping[type[ast.operator], Callable[[Number, Number], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_FUNCTIONS: Mapping[str, Callable[..., Number]] = {
    "abs": abs,
    "round": _round,
    "min": _some(min),
    "max": _some(max),
    "sum": _some(sum),
    "mean": _some(statistics.fmean),
    "sqrt": math.sqrt,
    "log": math.log,
    "exp": math.exp,
}


class CalculateArguments(BaseModel):
    """Arguments of `calculate`."""

    model_config = ConfigDict(extra="forbid")

    expression: str = Field(
        min_length=1,
        description="For example (21933 / 56476) * 100, round(2/3, 2), mean(3, 4, 8), 15% of 240. Plain numbers only: "
        "no names, units or commas between thousands. log is the natural logarithm; log(8, 2) has base 2.",
    )


def arithmetic_tools() -> list[Tool]:
    """Return the `calculate` tool."""

    async def run(arguments: CalculateArguments) -> ToolOutput:
        value = calculate(arguments.expression)
        return ToolOutput(f"{arguments.expression.strip()} = {value:.12g}", {"value": value})

    return [
        Tool(
            "calculate",
            "Work out an arithmetic expression exactly. Use it for every figure you derive instead of reckoning it "
            "yourself.",
            CalculateArguments,
            run,
            effect="none",
        )
    ]
