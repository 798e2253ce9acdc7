"""The parts by themselves; how they work in a run is Understudy's to test."""

import json
from pathlib import Path

import pytest

from understudy_tides.encoder import DIMENSION, encoded
from understudy_tides.notifier import send
from understudy_tides.tool import tide_height


@pytest.mark.parametrize(("hour", "metres"), [(0, 5.0), (6.21, 1.0), (12.42, 5.0)])
def test_the_tide_comes_and_goes(hour: float, metres: float) -> None:
    assert tide_height(hour)["metres"] == metres


def test_a_text_is_near_to_itself_only() -> None:
    one, other = encoded("high water"), encoded("low bridge")
    assert len(one) == DIMENSION
    assert one == encoded("High Water")
    assert one != other


def test_a_notice_becomes_a_line(tmp_path: Path) -> None:
    book = tmp_path / "book.jsonl"
    send(url=f"logbook://{book}", title="Ferry", body="It waits.", notice="n1")
    assert json.loads(book.read_text()) == {"notice": "n1", "title": "Ferry", "body": "It waits."}
