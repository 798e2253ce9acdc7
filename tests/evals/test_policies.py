from pathlib import Path

import numpy as np
import pytest

from agents.delegation.history import Outcome
from agents.team_files import load_team
from domain import events as ev
from domain.events import Event, Stamped
from domain.outcomes import Outcome as Ended
from domain.outcomes import StepResult
from domain.plans import Plan, Step
from domain.routing import Recall, RouteDecision, RouteSource
from evals.logged_decisions import Chosen, Routed, decisions_in
from evals.policies import under_policy, under_threshold
from evals.replayed_selection import always, chances_under, known_choices
from memory.encoders import encoder

PLAN = Plan(steps=[Step(id="s", agent="search", task="Find it")])
WORTH = {"search": 0.9, "search_well": 0.5}
TEAM = """
name = "office"
description = "Answers questions."

[[specialists]]
name = "search"
description = "Finds passages."
tools = ["search_documents"]
alternatives = ["search_well"]

[[specialists]]
name = "search_well"
description = "Finds passages, too."
tools = ["search_documents"]

[[templates]]
name = "find"
kinds = ["search"]

[[templates.steps]]
id = "search"
agent = "search"
task = "Find it: {goal}"
"""


def routed(confidence: float, source: RouteSource, reward: float = 1.0, *, own: float = 0.0) -> Routed:
    decision = RouteDecision(source=source, confidence=own or confidence)
    return Routed("r", Recall(confidence=confidence, sequence=["search"], plan=PLAN), decision, reward)


@pytest.mark.parametrize(
    ("one", "threshold", "way"),
    [
        (routed(0.9, "memory"), 0.8, "memory"),
        (routed(0.9, "memory"), 0.95, "anew"),
        (routed(0.7, "planner"), 0.6, "memory"),
        (routed(0.7, "planner"), 0.9, "anew"),
        (routed(0.9, "planner"), 0.6, "anew"),
        (routed(0.8, "planner"), 0.6, "anew"),
        (routed(0.6, "recipe", own=0.85), 0.8, "recipe"),
        (routed(0.6, "recipe", own=0.85), 0.9, "anew"),
        (routed(0.6, "recipe", own=0.85), 0.55, "memory"),
        (routed(0.7, "refuse"), 0.8, "anew"),
    ],
    ids=["sure", "raised", "lowered", "hint", "unfit", "stale", "recipe", "no recipe", "before recipe", "refused"],
)
def test_a_threshold_says_which_way_a_goal_goes(one: Routed, threshold: float, way: str) -> None:
    assert one.way(threshold) == way


def test_a_threshold_that_changes_nothing_is_told_exactly() -> None:
    found = under_threshold([routed(0.95, "memory", 1.0)] * 8 + [routed(0.2, "planner", 0.0)] * 2, 0.9)
    assert (found.unchanged, found.value, found.bounds) == (10, 0.8, (0.8, 0.8))
    assert "exactly" in found.note


def test_what_a_threshold_would_change_is_bounded_and_not_guessed() -> None:
    log = [routed(0.95, "memory")] * 6 + [routed(0.85, "memory", 0.0)] * 2 + [routed(0.7, "planner", 1.0)] * 12
    raised, lowered = under_threshold(log, 0.9), under_threshold(log, 0.6)
    assert (raised.unchanged, raised.to_reuse, raised.from_reuse) == (18, 0, 2)
    assert raised.bounds == pytest.approx((0.9, 1.0))
    assert raised.believed == 1.0
    assert "2 of 20 decisions would change" in raised.note
    assert (lowered.unchanged, lowered.to_reuse, lowered.from_reuse) == (8, 12, 0)
    assert lowered.bounds == pytest.approx((0.3, 0.9))
    assert lowered.believed == pytest.approx((6 + 12 * 0.7) / 20)


def test_an_empty_log_says_nothing() -> None:
    assert under_threshold([], 0.9).bounds is None
    found = under_policy("greedy", [], [], unknown=3)
    assert (found.estimates, found.value) == ([], None)
    assert "3 without" in found.note


def log_of(events: list[Event], *, run: str = "r") -> list[Stamped]:
    return [Stamped(seq=n, time=float(n), thread="t", run=run, workspace="w", event=e) for n, e in enumerate(events, 1)]


def test_decisions_are_read_from_the_events_of_runs() -> None:
    odds, expected = {"search": 0.25, "search_well": 0.75}, {"search": 0.8, "search_well": 0.6}
    done: list[Event] = [
        ev.RunStarted(goal="Find it", team="office", mode="rules"),
        ev.MemoryRecalled(recall=Recall(confidence=0.4)),
        ev.RouteDecided(decision=RouteDecision(source="planner", confidence=0.4)),
        ev.PlanProposed(plan=PLAN),
        ev.TrialAssigned(trial="t", variant="a>b", reason="", chances={"a>b": 0.5, "a": 0.5}),
        ev.AgentSelected(step="s", agent="search", fallbacks=["search_well"], kind="search", reason="", chances=odds,
                         expected=expected),
        ev.StepFinished(result=StepResult(step="s", agent="search_well")),
        ev.RunFinished(outcome=Ended(status="done", quality=0.9)),
    ]  # fmt: skip
    old = ev.AgentSelected(step="s", agent="search", fallbacks=[], kind="search", reason="")
    log = decisions_in([log_of([*done[:5], old, *done[6:]]), log_of(list(done)), log_of(list(done[:3]))])
    assert (log.unknown, log.open) == (1, 1)
    assert [(r.decision.source, r.recall.confidence, r.reward) for r in log.routed] == [("planner", 0.4, 0.9)] * 2
    assert [(c.trial, c.what, c.reward) for c in log.chosen] == [
        ("t", "a>b", 0.9),
        ("t", "a>b", 0.9),
        ("", "search", 0),
    ]
    assert (log.chosen[-1].goal, log.chosen[-1].planned, log.chosen[-1].expected) == ("Find it", "search", expected)


def drawn(count: int, share: float, *, seed: int = 0) -> list[Chosen]:
    """Return choices that were drawn by lot, `search_well` with a share, each with a reward by chance."""
    rng = np.random.default_rng(seed)
    odds = {"search": 1 - share, "search_well": share}
    names = rng.choice(list(odds), size=count, p=list(odds.values())).tolist()
    return [
        Chosen("r", float(n), name, odds, float(rng.random() < WORTH[name]), WORTH, "search", "Find it", "search")
        for n, name in enumerate(names)
    ]


def test_a_policy_is_estimated_where_lots_were_drawn() -> None:
    log = drawn(2000, 0.3)
    found = under_policy("always search_well", log, always("search_well", log), unknown=0)
    assert [e.method for e in found.estimates] == ["inverse propensity", "doubly robust"]
    for estimate in found.estimates:
        assert estimate.value == pytest.approx(WORTH["search_well"], abs=0.05)
        assert estimate.interval is not None
        assert estimate.interval.low < WORTH["search_well"] < estimate.interval.high
    assert found.value == pytest.approx(0.78, abs=0.03)


def test_a_log_of_certain_choices_refuses_to_tell_of_others() -> None:
    log = [choice._replace(chances={choice.what: 1.0}, what=choice.what) for choice in drawn(100, 0.0)]
    found = under_policy("always search_well", log, always("search_well", log), unknown=0)
    assert all(e.value is None and e.unsupported == 1 for e in found.estimates)
    assert "every choice was certain" in found.note


async def test_another_policy_lives_through_the_log(tmp_path: Path) -> None:
    (tmp_path / "office.toml").write_text(TEAM)
    team = load_team(tmp_path / "office.toml")
    log = drawn(30, 0.5)
    outcomes = [Outcome("search", c.what, WORTH[c.what], 1.0, 0.0, c.at + 0.5, "none", "") for c in log]
    stranger = log[0]._replace(chances={"search": 0.5, "gone": 0.5})
    assert list(known_choices(team, [*log, stranger])) == log
    chances = await chances_under("greedy", log, outcomes, team=team, encoder=encoder("wordllama"))
    assert chances[0] == {"search": 1.0, "search_well": 0.0}
    assert chances[-1] == {"search": 1.0, "search_well": 0.0}
    worse = [o.__class__(**{**vars(o), "outcome": 1 - o.outcome}) for o in outcomes]
    turned = await chances_under("greedy", log, worse, team=team, encoder=encoder("wordllama"))
    assert turned[-1] == {"search": 0.0, "search_well": 1.0}
    drawing = await chances_under("thompson", log[:8], outcomes, team=team, encoder=encoder("wordllama"))
    assert 0 < drawing[-1]["search"] < 1
