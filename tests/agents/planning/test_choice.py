import pytest

from agents.planning.choice import choose, rationale, traded
from agents.planning.estimates import Estimate
from agents.planning.preferences import budget_for, preference
from agents.team import Weights
from domain.budgets import Budget

GOOD = Estimate(quality=0.9, seconds=60, calls=8, tokens=0, dollars=None, privacy=0.1, basis="12 runs of this sequence")
QUICK = GOOD._replace(quality=0.5, seconds=10, calls=4)
DISCREET = GOOD._replace(quality=0.6, privacy=0.0)
WORSE = GOOD._replace(quality=0.8, seconds=70)
TEAM = Weights()


@pytest.mark.parametrize(
    ("profile", "best"),
    [
        ({}, GOOD),
        ({"speed_first": "true"}, QUICK),
        ({"cost_first": "yes"}, QUICK),
        ({"weight_privacy": "10"}, DISCREET),
        ({"weight_privacy": "a lot", "weight_cost": "-1"}, GOOD),
    ],
    ids=["team", "speed", "cost", "privacy", "not numbers"],
)
def test_who_asks_decides_what_is_traded(profile: dict[str, str], best: Estimate) -> None:
    plans = [GOOD, QUICK, DISCREET, WORSE]
    choice = choose(plans, preference(TEAM, {}, profile).weights)
    assert plans[choice.best] == best
    assert choice.front == [0, 1, 2]


def test_a_beaten_plan_is_never_chosen_whatever_the_weights() -> None:
    nothing_counts = Weights(quality=0, latency=0, cost=0, privacy=0)
    assert choose([WORSE, GOOD], nothing_counts).best == 1


def test_of_equals_the_first_is_taken() -> None:
    assert choose([GOOD, GOOD], TEAM).best == 0


def test_dollars_count_where_they_are_known() -> None:
    dear, cheap = GOOD._replace(dollars=2.0, calls=1), GOOD._replace(dollars=1.0, calls=9)
    assert choose([dear, cheap], TEAM).front == [1]


def test_settings_go_over_the_team_and_the_person_over_both() -> None:
    found = preference(TEAM, {"cost": 5, "privacy": 3}, {"weight_cost": "7"})
    assert (found.weights.cost, found.weights.privacy, found.weights.quality) == (7, 3, TEAM.quality)
    assert preference(TEAM, {"cost": 5}, {}).source == "the weights of the settings"


def test_the_rationale_names_what_was_traded_and_what_it_rests_on() -> None:
    plans, weighing = [GOOD, QUICK, WORSE], preference(TEAM, {}, {"weight_quality": "3"})
    text = rationale("Both sources are needed", plans, choose(plans, weighing.weights), weighing)
    assert text == (
        "Both sources are needed. It is expected to reach a quality of 0.90 in 60 s with 8 model calls (12 runs of "
        "this sequence). Against the next best plan it trades 50 s more time and 4 more model calls for 0.40 more "
        "quality, by the weights of your preferences (quality 3, latency 0.1, cost 0.1, privacy 0.2). One other plan "
        "was left out, being no better in anything."
    )


def test_a_single_plan_trades_nothing() -> None:
    text = rationale("", [GOOD], choose([GOOD], TEAM), preference(TEAM, {}, {}))
    assert text.startswith("It is expected") and "trades" not in text


def test_points_too_small_for_a_word_are_left_out() -> None:
    assert traded(GOOD, GOOD._replace(quality=0.899, seconds=60.2)) == ([], [])


def test_of_two_budgets_the_lower_one_holds() -> None:
    assert budget_for(Budget(seconds=60, calls=5), {"seconds": 90.0, "dollars": 1.0, "patience": 3.0}) == {
        "seconds": 60, "calls": 5, "dollars": 1.0,
    }  # fmt: skip
