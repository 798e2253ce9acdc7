import pytest

from domain.plans import Condition, Plan, Step
from memory.plan_shapes import Agreement, Node, Shape, agreement, f1, shape_of

READ, ASK, WRITE = Node("reader", "open"), Node("writer", None), Node("writer", "save")


def test_the_shape_is_who_does_what_and_who_reads_whom() -> None:
    plan = Plan(
        steps=[
            Step(id="a", agent="reader", task="open it", tool="open", args={"path": "x"}),
            Step(id="b", agent="writer", task="sum it up", needs=["a"]),
            Step(id="c", agent="writer", task="save", tool="save", args={"text": {"ref": {"step": "b"}}}),
        ]
    )
    assert shape_of(plan) == Shape(frozenset({READ, ASK, WRITE}), frozenset({(READ, ASK), (ASK, WRITE)}))


def test_a_condition_reads_and_the_final_draft_is_no_step() -> None:
    condition = Condition(step="a", op="exists")
    plan = Plan(
        steps=[
            Step(id="a", agent="writer", task="x"),
            Step(id="b", agent="writer", task="y", tool="save", condition=condition, needs=["result"]),
        ]
    )
    assert shape_of(plan).edges == {(ASK, WRITE)}


def test_words_and_arguments_make_no_difference() -> None:
    def plan(word: str) -> Plan:
        return Plan(steps=[Step(id=word, agent="reader", task=word, tool="open", args={"path": word})])

    assert shape_of(plan("one")) == shape_of(plan("two"))


def test_steps_of_one_kind_are_counted() -> None:
    plan = Plan(steps=[Step(id=i, agent="writer", task=i) for i in ("a", "b")])
    assert shape_of(plan).nodes == {ASK, ASK._replace(number=1)}


def test_agreement_counts_steps_and_edges() -> None:
    true = Shape(frozenset({READ, ASK, WRITE}), frozenset({(READ, ASK), (ASK, WRITE)}))
    part = Shape(frozenset({READ, ASK}), frozenset({(READ, ASK)}))
    assert agreement(part, true) == pytest.approx(Agreement(0.8, 2 / 3))
    assert (agreement(true, true).exact, agreement(part, true).exact) == (True, False)


@pytest.mark.parametrize(("found", "true", "score"), [("", "", 1), ("a", "", 0), ("aa", "a", 2 / 3), ("ab", "cd", 0)])
def test_f1_is_of_multisets(found: str, true: str, score: float) -> None:
    assert f1(list(found), list(true)) == pytest.approx(score)
