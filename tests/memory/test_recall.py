"""What recall says about its judgement: the sum adds up, and what would change it is so."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.plans import Plan, Step
from domain.routing import REUSE_ABOVE, Neighbour, Recall
from memory.confidence import Closeness, History
from memory.offers import Candidate
from memory.recall import Knowledge, judged

GOAL = "Write a brief on wind"
LONG = "Write a brief on " + "wind and water and " * 10


def candidate(goal: str = GOAL, *, near: float = 0.9, good: int = 1, bad: int = 0, last: bool = True) -> Candidate:
    neighbour = Neighbour(task=goal, goal=goal, sequence=["search", "write"], similarity=near, success=last)
    return Candidate(neighbour, None, good, bad, Closeness(near, near, near))


def recalled(*candidates: Candidate, last_success: bool = True) -> Recall:
    histories = {"search → write": History(9, 1, 1.0, last_success=last_success)}
    return judged(GOAL, candidates, Knowledge("wordllama", histories=histories))


def parts(explanation: str) -> tuple[float, ...]:
    found = re.search(r"Confidence ([\d.]+) is ([\d.]+) that .* times ([\d.]+) that", explanation)
    assert found is not None
    return tuple(map(float, found.groups()))


@pytest.mark.parametrize("near", [0.2, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("last", [True, False])
def test_the_numbers_multiply_to_the_confidence(near: float, last: bool) -> None:
    found = recalled(candidate(near=near, good=3, bad=int(not last), last=last))
    whole, match, proof = parts(found.explanation)
    assert whole == pytest.approx(found.confidence, abs=0.0051)
    assert match * proof == pytest.approx(found.confidence, abs=0.0015)


def test_a_failed_neighbour_and_what_it_costs_are_named() -> None:
    said = recalled(candidate(good=3, bad=1, last=False)).explanation
    assert "(similarity 0.90, failed the last time)" in said
    assert "times 0.5 because the nearest task failed the last time" in said


def test_a_success_that_would_lead_to_reuse_is_said_to_do_so() -> None:
    failed = recalled(candidate(near=0.99, good=3, bad=1, last=False))
    assert failed.confidence < REUSE_ABOVE
    assert "After another success it would be reused." in failed.explanation
    assert recalled(candidate(near=0.99, good=4, bad=1)).confidence > REUSE_ABOVE


def test_a_far_task_is_not_said_to_need_more_successes() -> None:
    said = recalled(candidate(near=0.1), last_success=False).explanation
    assert re.search(r"It would be a hint for the planner after another success and with the first number above", said)
    assert "a nearer task is needed" in said


def test_the_nearest_is_named_first_and_a_long_goal_is_marked_as_cut() -> None:
    far = Candidate(candidate(near=0.3).neighbour, None, 1, 0, Closeness(0.3, 0.9, 0.9))
    said = recalled(far, candidate(LONG, near=0.8)).explanation
    assert said.index("similarity 0.80") < said.index("similarity 0.30")
    assert re.search(r"search → write did 'Write a brief on wind and .*…' \(", said)


def test_a_plan_that_lacks_what_the_goal_asks_for_is_but_a_hint_and_says_why() -> None:
    near = replace(candidate(near=0.99, good=9), plan=Plan(steps=[Step(id="look", agent="search", task="look")]))
    asked = list[Sequence[str]]()

    def lacks(plan: Plan, goals: Sequence[str]) -> Sequence[str]:
        asked.append(goals)
        return ["write_file"]

    histories = {"search → write": History(9, 1, 1.0, last_success=True)}
    found = judged(GOAL, [near], Knowledge("wordllama", histories=histories, lacks=lacks))
    assert (found.confidence, found.band, asked) == (REUSE_ABOVE, "hint", [[GOAL]])
    assert found.explanation.endswith("what the goal asks of write_file, so it is held at 0.8: a hint.")
