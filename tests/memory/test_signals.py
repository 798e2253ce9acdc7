from pathlib import Path

import pytest

from domain.errors import InvalidWorkspace
from domain.signals import Signal
from memory.signals import Signals
from memory.sqlite import SqliteRecords


def _signal(**given: object) -> Signal:
    told = {"source": "door", "name": "presence", "value": True, "certainty": 0.5, "user": "ada", "at": 100.0}
    return Signal.model_validate(told | {"expires": 160.0} | given)


async def test_what_is_past_its_time_is_not_in_the_records_any_more(tmp_path: Path) -> None:
    now = 100.0
    records = await SqliteRecords.open(tmp_path / "records.sqlite", clock=lambda: now)
    try:
        signals = Signals(records)
        await signals.keep("here", _signal())
        now = 159.0
        assert await signals.current("here") == [_signal()]
        now = 161.0
        assert await signals.current("here") == []
    finally:
        await records.close()


async def test_a_forgotten_signal_is_gone_and_others_stay(tmp_path: Path) -> None:
    records = await SqliteRecords.open(tmp_path / "records.sqlite", clock=lambda: 100.0)
    try:
        signals = Signals(records)
        await signals.keep("here", _signal())
        await signals.keep("here", _signal(source="phone"))
        assert await signals.forget("here", "door", "presence") is True
        assert await signals.forget("here", "door", "presence") is False
        assert [signal.source for signal in await signals.current("here")] == ["phone"]
        with pytest.raises(InvalidWorkspace):
            await signals.current("a:b")
    finally:
        await records.close()
