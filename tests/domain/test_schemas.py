from typing import Any

import pytest

from domain.schemas import misfits

SHORT = {"total": "number", "rows": "list", "note?": "text"}


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({"total": 3.5, "rows": []}, []),
        ({"total": 3, "rows": [], "note": "n", "more": 1}, []),
        ({"total": "3", "rows": []}, ["total"]),
        ({"rows": [], "note": 5}, ["data", "note"]),
    ],
)
def test_data_is_held_against_the_short_form(data: dict[str, Any], wrong: list[str]) -> None:
    assert [text.partition(":")[0] for text in misfits(data, SHORT)] == wrong


def test_data_is_held_against_a_json_schema() -> None:
    schema = {"type": "object", "properties": {"rows": {"type": "array", "minItems": 2}}}
    assert [text.partition(":")[0] for text in misfits({"rows": [1]}, schema)] == ["rows"]


def test_a_schema_elsewhere_is_not_fetched() -> None:
    assert "cannot be used" in misfits({}, {"$ref": "http://127.0.0.1:9/schema"})[0]
