import json

import numpy as np
import pytest

from memory.encoders import Encoder
from memory.learnt import Example, Learnt, learn, learnable
from memory.learnt_stored import restored, stored
from tests.memory.requests import ALIEN, requests

EXAMPLES = [Example(f"t{i}", goal, kind) for i, (goal, kind) in enumerate(requests())]


@pytest.fixture(scope="module")
def learnt(wordllama: Encoder) -> Learnt:
    vectors = wordllama.encode([e.goal for e in EXAMPLES])
    return learn(EXAMPLES, vectors, encoder="wordllama", size=len(EXAMPLES))


def probability(learnt: Learnt, wordllama: Encoder, goal: str) -> float:
    return learnt.judgement(goal, wordllama.encode([goal])[0]).probability


def test_a_known_kind_of_request_is_surer_than_an_unknown_one(learnt: Learnt, wordllama: Encoder) -> None:
    said = learnt.judgement("please refund the blue jacket", wordllama.encode(["please refund the blue jacket"])[0])
    assert said.route == "refunds"
    assert [said.trust("refunds"), said.trust("unheard")] == pytest.approx([100 / 180, 0.0])
    assert said.probability > 0.8 > 0.5 > probability(learnt, wordllama, "book a table for two")


def test_a_request_from_another_world_is_novel(learnt: Learnt, wordllama: Encoder) -> None:
    judgement = learnt.judgement(ALIEN, wordllama.encode([ALIEN])[0])
    assert judgement.similarity < judgement.novel_below


def test_what_was_stored_judges_alike(learnt: Learnt, wordllama: Encoder) -> None:
    value = json.loads(json.dumps(stored(learnt)))
    goals = {e.task: e.goal for e in EXAMPLES}
    vectors = dict(zip(goals, wordllama.encode(list(goals.values())), strict=True))
    again = restored(value, goals, vectors, "wordllama")
    assert again is not None
    assert restored(value, goals, vectors, "another") is None
    for goal in ("refund the lamp", "forecast for sydney", ALIEN):
        assert probability(again, wordllama, goal) == pytest.approx(probability(learnt, wordllama, goal), abs=0.02)


def test_a_request_with_words_that_its_route_never_had_is_less_sure(learnt: Learnt, wordllama: Encoder) -> None:
    assert probability(learnt, wordllama, "refund my jacket") > probability(learnt, wordllama, "repair my jacket")


def test_what_is_stored_has_no_word_of_a_goal(learnt: Learnt) -> None:
    assert "jacket" not in json.dumps(stored(learnt))


def test_a_forgotten_example_supports_nothing_any_more(learnt: Learnt, wordllama: Encoder) -> None:
    vector = wordllama.encode(["refund my phone"])[0]
    [nearest, *_] = learnt.judgement("refund my phone", vector).support
    left = learnt.without({nearest.id})
    assert left is not None
    assert nearest.id not in [hit.id for hit in left.judgement("refund my phone", vector).support]
    assert learnt.without({e.task for e in EXAMPLES if e.route != "music"}) is None


@pytest.mark.parametrize(
    ("routes", "enough"),
    [
        pytest.param(["a"] * 50, False, id="one route"),
        pytest.param([str(i) for i in range(50)], False, id="one example a route"),
        pytest.param(["a", "b"] * 9, False, id="few"),
        pytest.param(["a", "b"] * 10, True, id="enough"),
    ],
)
def test_it_takes_several_examples_of_two_routes_to_learn(routes: list[str], enough: bool) -> None:
    assert learnable([Example(str(i), f"goal {i}", route) for i, route in enumerate(routes)]) is enough


def test_a_route_with_few_examples_is_left_to_the_prior(wordllama: Encoder) -> None:
    few = [e for e in EXAMPLES if e.route != "music"] + [e for e in EXAMPLES if e.route == "music"][:3]
    trusts = learn(few, wordllama.encode([e.goal for e in few]), encoder="wordllama", size=len(few)).trusts
    assert [trusts["music"], trusts["weather"]] == pytest.approx([0.0, 63 / 180])


def test_a_large_memory_learns_evenly_from_its_latest(wordllama: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memory.learnt.MAX_EXAMPLES", 60)
    many = [e for e in EXAMPLES if e.route != "music"] + [e for e in EXAMPLES if e.route == "music"][:10]
    found = learn(many, wordllama.encode([e.goal for e in many]), encoder="wordllama", size=len(many))
    assert np.bincount(found.labels).tolist() == [10, 25, 25]
    assert many[-1].task in found.tasks
