import pytest

from memory.confidence import Closeness, Outcomes, evidence, features, match_probability

NEAR = Closeness(whole=0.8, ask=0.8, lexical=0.5)
FAR = Closeness(whole=0.2, ask=0.2, lexical=0.0)
WON = Outcomes(successes=1, failures=0, quality=0.9, last_success=True, age_days=0)


def test_a_lone_sequence_has_no_margin_and_no_votes() -> None:
    assert features({"a": [NEAR, FAR]}, "a") == pytest.approx((0.8, 0.5, 0.0, 0.0, 1.0))


def test_a_rival_gives_margin_and_votes() -> None:
    found = features({"a": [NEAR], "b": [FAR]}, "a")
    assert found == pytest.approx((0.8, 0.5, 0.75, 0.8, 0.0))


@pytest.mark.parametrize("encoder", ["wordllama", "never fitted"])
def test_the_match_probability_grows_with_closeness(encoder: str) -> None:
    assert match_probability(encoder, {"a": [NEAR]}, "a") > match_probability(encoder, {"a": [FAR]}, "a")


def test_an_encoder_without_a_fitted_prior_is_trusted_less() -> None:
    assert match_probability("never fitted", {"a": [NEAR]}, "a") < match_probability("wordllama", {"a": [NEAR]}, "a")


def test_the_same_goal_again_is_a_match_whatever_else_is_near() -> None:
    groups = {"a": [NEAR._replace(exact=True)], "b": [NEAR, NEAR, NEAR]}
    assert match_probability("wordllama", groups, "a") == 0.98


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param([WON], [WON._replace(quality=0.4)], id="quality"),
        pytest.param([WON], [WON._replace(failures=1)], id="an earlier failure"),
        pytest.param([WON], [WON, WON._replace(successes=0, failures=1)], id="a failure nearby"),
        pytest.param([WON], [WON._replace(age_days=30)], id="age"),
        pytest.param([WON._replace(successes=5, quality=0.99)], [WON._replace(quality=0.99)], id="repeated success"),
    ],
)
def test_evidence_follows_outcomes(better: list[Outcomes], worse: list[Outcomes]) -> None:
    assert evidence(better) > evidence(worse)


def test_a_last_failure_ends_reuse_at_once() -> None:
    assert evidence([WON._replace(successes=50, failures=1, last_success=False)]) < 0.5


def test_old_evidence_moves_half_the_way_to_a_coin_toss_in_a_half_life() -> None:
    fresh, old = evidence([WON]), evidence([WON._replace(age_days=90)])
    assert old - 0.5 == pytest.approx((fresh - 0.5) / 2)
