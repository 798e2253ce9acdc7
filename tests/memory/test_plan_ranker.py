import base64
import zlib
from collections.abc import Callable
from copy import deepcopy

import numpy as np
import pytest

from memory.encoders import Encoder
from memory.plan_ranker import MAX_NODES, MIN_PLANS, Example, PlanRanker, Ranking, bounded, rankable
from memory.plan_shapes import Agreement, Node, Shape, agreement, shape_of
from memory.plan_stored import restored, stored
from memory.records import Value
from tests.memory.planned import learnt, new, remembered
from tests.memory.requests import ALIEN

KNOWN, NEW = 240, 80


@pytest.fixture(scope="module")
def ranker(wordllama: Encoder) -> PlanRanker:
    return learnt(wordllama, KNOWN)


@pytest.fixture(scope="module")
def rank(ranker: PlanRanker, wordllama: Encoder) -> Callable[[str], Ranking]:
    return lambda goal: ranker.ranking(goal, wordllama.encode([goal])[0])


Answered = list[tuple[Agreement, Agreement, float]]
"""How far the first proposal and the nearest plan agree with the right one, and how sure the first one was."""


@pytest.fixture(scope="module")
def answered(rank: Callable[[str], Ranking], ranker: PlanRanker, wordllama: Encoder) -> Answered:
    found = []
    for goal, plan in new(NEW):
        first = rank(goal).proposals[0]
        nearest = int((ranker.examples.vectors @ wordllama.encode([goal])[0]).argmax())
        old = ranker.forms.shape(ranker.forms.forms[nearest])
        found.append((agreement(first.shape, shape_of(plan)), agreement(old, shape_of(plan)), first.probability))
    return found


def test_the_first_proposal_is_better_than_the_nearest_plan(answered: Answered) -> None:
    for measure in ("nodes", "edges", "exact"):
        ours, nearest = (np.mean([getattr(answer[i], measure) for answer in answered]) for i in (0, 1))
        assert ours > nearest


def test_a_sure_plan_is_right_more_often_than_an_unsure_one(answered: Answered) -> None:
    surest = sorted(answered, key=lambda a: -a[2])
    sure, unsure = (np.mean([a.exact for a, _, _ in half]) for half in (surest[: NEW // 2], surest[NEW // 2 :]))
    assert sure > unsure + 0.2


def test_some_plans_are_put_together_and_name_the_tasks_they_are_from(rank: Callable[[str], Ranking]) -> None:
    proposals = [rank(goal).proposals[0] for goal, _ in new(NEW)]
    assert {p.composed for p in proposals} == {True, False}
    known = dict(zip((f"t{i}" for i in range(KNOWN)), remembered(KNOWN), strict=True))
    for proposal in proposals:
        nodes = set.union(*(set(shape_of(known[task][1]).nodes) for task in proposal.tasks))
        assert proposal.shape.nodes <= nodes
        assert proposal.composed or len(proposal.tasks) == 1


def test_a_goal_from_another_world_is_novel(rank: Callable[[str], Ranking]) -> None:
    assert rank(ALIEN).novel
    assert not rank(remembered(KNOWN)[0][0]).novel


def test_the_tasks_behind_the_proposals_are_named_with_their_similarity(rank: Callable[[str], Ranking]) -> None:
    goal = remembered(KNOWN)[0][0]
    ranking = rank(goal)
    assert {hit.id for hit in ranking.hits} == {task for p in ranking.proposals for task in p.tasks}
    assert all(-1 <= hit.similarity <= 1.0001 for hit in ranking.hits)


def test_few_plans_or_a_single_one_are_not_ranked() -> None:
    shapes = [Shape(frozenset({Node("a", tool)}), frozenset()) for tool in "xy"]
    assert rankable(shapes * (MIN_PLANS // 2))
    assert not rankable(shapes * (MIN_PLANS // 2 - 1))
    assert not rankable(shapes[:1] * MIN_PLANS)


def test_plans_with_more_kinds_of_steps_than_fit_are_left_out_the_oldest_first() -> None:
    def example(number: int, tool: str) -> Example:
        return Example(f"t{number}", "do it", Shape(frozenset({Node("a", tool)}), frozenset()))

    known = [example(n, f"tool{n}") for n in range(MAX_NODES + 3)] + [example(9999, f"tool{MAX_NODES}")]
    kept = bounded(known)
    assert kept == known[3:]
    assert bounded(known[:5]) == known[:5]


def test_a_small_memory_is_trusted_in_part(wordllama: Encoder, ranker: PlanRanker) -> None:
    assert 0 < learnt(wordllama, 60).trust < ranker.trust == 1


def test_forgotten_examples_are_gone(ranker: PlanRanker) -> None:
    rest = ranker.without({"t0", "t7", "unknown"})
    assert rest is not None
    assert {"t0", "t7"}.isdisjoint(rest.tasks)
    assert len(rest.tasks) == len(rest.forms.forms) == len(rest.alpha) == len(rest.examples.vectors) == KNOWN - 2
    assert ranker.without({"unknown"}) is ranker
    assert ranker.without(set(ranker.tasks[1:])) is None


def back(value: Value, known: list[Example], encoder: Encoder) -> PlanRanker | None:
    goals = {e.task: e.goal for e in known}
    vectors = dict(zip(goals, encoder.encode(list(goals.values())), strict=True))
    return restored(value, goals, vectors, encoder.id)


EXAMPLES = [Example(f"t{i}", goal, shape_of(plan)) for i, (goal, plan) in enumerate(remembered(KNOWN))]


def test_what_was_stored_ranks_as_before(ranker: PlanRanker, wordllama: Encoder) -> None:
    again = back(stored(ranker), EXAMPLES, wordllama)
    assert again is not None
    for goal, _ in new(10):
        before, after = (r.ranking(goal, wordllama.encode([goal])[0]) for r in (ranker, again))
        assert after.proposals[0].shape == before.proposals[0].shape
        assert after.proposals[0].probability == pytest.approx(before.proposals[0].probability, abs=0.02)


def test_no_goal_is_in_what_is_stored(ranker: PlanRanker) -> None:
    text = str(stored(ranker))
    assert not any(e.goal in text for e in EXAMPLES)


def test_tasks_that_are_gone_are_left_out(ranker: PlanRanker, wordllama: Encoder) -> None:
    again = back(stored(ranker), EXAMPLES[5:], wordllama)
    assert again is not None and len(again.tasks) == KNOWN - 5
    assert back(stored(ranker), EXAMPLES[:1], wordllama) is None


def set_in(value: Value, path: str, to: object) -> Value:
    changed = deepcopy(value)
    *way, last = path.split(".")
    inner = changed
    for name in way:
        inner = inner[name]
    inner[last] = to
    return changed


BOMB = base64.b64encode(zlib.compress(bytes(10_000_000))).decode()


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("format", 2),
        ("encoder", "another"),
        ("tasks", ["t0", "t1"]),
        ("tasks", ["t0"] * KNOWN),
        ("nodes", []),
        ("forms", [[[99_999], []]]),
        ("forms", [[[0], [[0, 5]]]] * KNOWN),
        ("alpha", "no base64!"),
        ("alpha", base64.b64encode(b"not zipped").decode()),
        ("alpha", BOMB),
        ("alpha", base64.b64encode(zlib.compress(bytes(4))).decode()),
        ("mean", [0.0]),
        ("novel_below", float("nan")),
        ("weights.plan", [1e9] * 17),
        ("weights.scale", [0.0] * 17),
        ("model.intercept", "__import__('os')"),
        ("model.weights", [0.0]),
        ("more", {"of": "this"}),
    ],
)
def test_a_foreign_or_damaged_record_is_passed_over(
    ranker: PlanRanker, wordllama: Encoder, path: str, to: object
) -> None:
    assert back(set_in(stored(ranker), path, to), EXAMPLES, wordllama) is None


def test_a_head_with_a_number_that_is_none_is_passed_over(ranker: PlanRanker, wordllama: Encoder) -> None:
    value = stored(ranker)
    alpha = np.full(ranker.alpha.shape, np.inf, np.float16)
    value["alpha"] = base64.b64encode(zlib.compress(alpha.tobytes())).decode()
    assert back(value, EXAMPLES, wordllama) is None
