"""Reading answers as the values of the domain that they show."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from domain.errors import ServiceError

T = TypeVar("T")


def read(kind: type[T], value: Any) -> T:
    """Return an answer as a value of a type.

    Raises:
        ServiceError: It is none.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        name, first = getattr(kind, "__name__", str(kind)), error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        msg = f"the server's answer is no {name} of this version ({where}: {first['msg']}); bring both to the same one"
        raise ServiceError(msg) from error


def part(value: Any, *names: str) -> dict[str, Any]:
    """Return some fields of an answer; a server may show more than what a value is made of.

    Raises:
        ServiceError: It is no object.
    """
    fields = read(dict[str, Any], value)
    return {name: fields[name] for name in names if name in fields}
