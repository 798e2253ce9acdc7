import numpy as np

from memory.plan_candidates import Question, candidates, donors, nearest, question
from memory.plan_features import FEATURES, agreements, features
from memory.plan_forms import Form, Forms
from memory.plan_shapes import Node, Shape

A, B, C, D = (Node("worker", tool) for tool in "abcd")


def shape(*nodes: Node, edges: tuple[tuple[Node, Node], ...] = ()) -> Shape:
    return Shape(frozenset(nodes), frozenset(edges))


CHAIN = shape(A, B, edges=((A, B),))
OTHER = shape(C, D, edges=((C, D),))
FORMS = Forms.of([CHAIN, CHAIN, OTHER])


def asked(scores: list[float], likeness: tuple[float, ...] = (0.9, 0.5, 0.6)) -> Question:
    return question(FORMS, np.array(likeness), np.array(scores), sum(scores))


def test_forms_are_shapes_in_numbers() -> None:
    assert [FORMS.shape(form) for form in FORMS.forms] == [CHAIN, CHAIN, OTHER]


def test_the_plans_of_the_nearest_tasks_come_first() -> None:
    found = candidates(FORMS, asked([1, 1, 0, 0]))
    assert [(FORMS.shape(c.form), c.example) for c in found[:2]] == [(CHAIN, 0), (OTHER, 2)]


def test_what_a_goal_needs_of_two_plans_is_put_together() -> None:
    both = shape(A, B, C, D, edges=((A, B), (C, D)))
    made = {FORMS.shape(c.form): c.example for c in candidates(FORMS, asked([1, 1, 1, 1]))}
    assert made[both] is None


def test_a_step_that_is_not_needed_can_be_left_out() -> None:
    assert shape(A) in {FORMS.shape(c.form) for c in candidates(FORMS, asked([1, 0, 0, 0]))}


def test_nothing_is_made_of_steps_that_nobody_had() -> None:
    for candidate in candidates(FORMS, asked([1, 1, 1, 1])):
        assert FORMS.shape(candidate.form).nodes <= {A, B, C, D}


def test_no_candidate_waits_for_itself() -> None:
    ring = Forms.of([CHAIN, shape(A, B, edges=((B, A),)), shape(A, B, C, edges=((A, C), (C, B)))])
    found = candidates(ring, question(ring, np.array([0.9, 0.9, 0.9]), np.array([1.0, 1.0, 1.0]), 3.0))
    for form in (c.form for c in found):
        assert not any((b, a) in form.edges for a, b in form.edges)


def test_forgotten_examples_have_no_plans() -> None:
    forms = FORMS.kept(np.array([False, False, True]))
    assert nearest(forms, asked([1, 1, 0, 0]), FORMS.forms[0]) is None


def test_an_edge_of_near_plans_is_likelier_than_one_of_none() -> None:
    edges = asked([1, 1, 0, 0]).edges
    assert edges[0, 1] > edges[0, 2] > edges[1, 0]


def test_donors_are_the_fewest_near_tasks_that_have_all_steps() -> None:
    whole = shape(A, B, C, D, edges=((A, B), (C, D)))
    question = asked([1, 1, 1, 1])
    form = next(c.form for c in candidates(FORMS, question) if FORMS.shape(c.form) == whole)
    assert donors(FORMS, question, form) == [0, 2]


def test_a_plan_with_an_unknown_step_has_no_donors() -> None:
    forms = Forms([A, B, C], [Form(frozenset({0}), frozenset()), Form(frozenset({1}), frozenset())])
    question_ = question(forms, np.array([0.5, 0.5]), np.array([1.0, 1.0, 1.0]), 3.0)
    assert donors(forms, question_, Form(frozenset({0, 2}), frozenset())) is None


def test_features_are_a_row_a_plan_and_the_needed_plan_lacks_nothing() -> None:
    question_ = asked([1, 1, 0, 0])
    plans = candidates(FORMS, question_)
    table = features(FORMS, question_, plans)
    assert table.shape == (len(plans), FEATURES)
    assert np.isfinite(table).all()
    lacks = table[:, 4]
    assert FORMS.shape(plans[int(lacks.argmin())].form).nodes == CHAIN.nodes


def test_nobody_vouches_for_a_plan_that_is_put_together() -> None:
    asked_ = asked([1, 1, 1, 1])
    plans = candidates(FORMS, asked_)
    table = features(FORMS, asked_, plans)
    for plan, row in zip(plans, table, strict=True):
        assert (plan.example is None) == (row[7:10].max() == 0)


def test_agreements_are_those_of_the_shapes() -> None:
    nodes, edges = agreements([FORMS.forms[0]], [FORMS.forms[0], FORMS.forms[2]], 4)
    assert nodes.tolist() == [[1, 0]]
    assert edges.tolist() == [[1, 0]]
