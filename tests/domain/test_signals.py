from domain.signals import Signal, Value, readings


def _signal(source: str, value: Value, *, name: str = "light", certainty: float = 0.5, at: float = 1.0) -> Signal:
    return Signal(source=source, name=name, value=value, certainty=certainty, user="ada", at=at, expires=9.0)


def test_sources_that_say_the_same_do_not_conflict() -> None:
    (reading,) = readings([_signal("a", 1), _signal("b", 1.0)])
    assert not reading.conflict


def test_on_and_one_are_not_the_same() -> None:
    (reading,) = readings([_signal("a", True), _signal("b", 1)])
    assert reading.conflict


def test_of_equally_certain_sources_the_later_comes_first() -> None:
    (reading,) = readings([_signal("a", 1, at=1.0), _signal("b", 2, at=2.0), _signal("c", 3, certainty=0.9)])
    assert [signal.source for signal in reading.signals] == ["c", "b", "a"]


def test_each_name_has_its_own_reading() -> None:
    found = readings([_signal("a", 1, name="warmth"), _signal("a", 2)])
    assert [(reading.name, reading.conflict) for reading in found] == [("light", False), ("warmth", False)]


def test_a_truth_stays_a_truth_when_it_is_read_again() -> None:
    for value in (True, 1, 1.5, "1"):
        again = Signal.model_validate_json(_signal("a", value).model_dump_json()).value
        assert (type(again), again) == (type(value), value)
