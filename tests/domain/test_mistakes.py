"""Mistakes are told with their place, in words of those who made them."""

from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from domain.mistakes import mistakes_in


class Letter(BaseModel):
    to: tuple[str, ...] = Field(min_length=1)
    copies: int = 1


@pytest.mark.parametrize(
    ("value", "whole", "told"),
    [
        ({"to": "ann"}, "", "to: Input should be a valid list"),
        ({"to": []}, "", "to: List should have at least 1 item, not 0"),
        ({"copies": "x"}, "", "to: Field required; copies: Input should be a valid integer, unable to parse"),
        ({"to": ["ann", 3]}, "letter", "to.1: Input should be a valid string"),
        (3, "letter", "letter: Input should be a valid dictionary"),
        (3, "", "Input should be a valid dictionary"),
    ],
)
def test_mistakes_are_told(value: Any, whole: str, told: str) -> None:
    with pytest.raises(ValidationError) as found:
        Letter.model_validate(value)
    assert mistakes_in(found.value, whole).startswith(told)
