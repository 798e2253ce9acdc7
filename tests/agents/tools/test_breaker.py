import pytest

from agents.tools.breaker import BROKEN_AFTER, MAX_REST_SECONDS, REST_SECONDS, rest, state_of


@pytest.mark.parametrize("breakdowns", range(BROKEN_AFTER))
def test_a_few_breakdowns_leave_it_closed(breakdowns: int) -> None:
    assert state_of(breakdowns, 100, 100) == "closed"


def test_it_opens_and_is_half_open_after_its_rest() -> None:
    assert state_of(BROKEN_AFTER, 100, 100) == "open"
    assert state_of(BROKEN_AFTER, 100, 100 + REST_SECONDS - 0.1) == "open"
    assert state_of(BROKEN_AFTER, 100, 100 + REST_SECONDS) == "half_open"


def test_each_failed_trial_doubles_the_rest_up_to_a_bound() -> None:
    assert [rest(BROKEN_AFTER + n) for n in range(3)] == [30, 60, 120]
    assert rest(10_000) == MAX_REST_SECONDS


def test_a_clock_that_was_set_back_does_not_keep_it_open() -> None:
    assert state_of(BROKEN_AFTER, 1_000_000, 100) == "half_open"
