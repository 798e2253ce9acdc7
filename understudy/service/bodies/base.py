"""What all requests and answers have in common."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict


def _printable(text: str) -> str:
    if not text.isprintable():
        msg = "a name has printable characters only"
        raise ValueError(msg)
    return text


Printable = Annotated[str, AfterValidator(_printable)]
"""A name that people are shown: no line ends, nothing that turns the direction of what follows."""


class Asked(BaseModel):
    """The body of a request; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Shown(BaseModel):
    """An answer that shows what the product holds."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """Return an answer with the attributes of a value that have its fields' names."""
        return cls.model_validate(value)
