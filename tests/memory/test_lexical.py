import random

import pytest

from memory.lexical import Lexicon, ask_of


@pytest.mark.parametrize(
    ("goal", "ask"),
    [
        ("Write a blog about machine learning", "Write a blog"),
        ("please draft us an annual sales report on Europe", "please draft us an annual sales report"),
        ("How did the mix change, and why? Write a brief.", "Write a brief"),
        ("Write a brief on how the mix shifted and why.", "Write a brief"),
        ("turn the light on in the kitchen", "turn the light on in the kitchen"),
        ("What is a brief about?", "What is a brief about?"),
        ("Summarise the notes on nuclear power", "Summarise the notes on nuclear power"),
        ("", ""),
    ],
)
def test_the_ask_is_the_order_without_its_topic(goal: str, ask: str) -> None:
    assert ask_of(goal) == ask


GOALS = ["write a blog", "write a blog post", "send the weekly mail"]


@pytest.fixture
def lexicon() -> Lexicon:
    lexicon = Lexicon()
    lexicon.add(GOALS)
    return lexicon


def test_the_same_words_are_fully_similar(lexicon: Lexicon) -> None:
    assert lexicon.similarities("Write the blog", GOALS[:1]) == pytest.approx([1.0], abs=0.2)
    assert lexicon.similarities("write a blog", GOALS[:1]) == pytest.approx([1.0], abs=1e-6)


def test_similarity_follows_shared_words(lexicon: Lexicon) -> None:
    blog, post, mail = lexicon.similarities("draft a blog post", GOALS)
    assert post > blog > mail


def test_function_words_alone_say_nothing(lexicon: Lexicon) -> None:
    assert lexicon.similarities("the of and", GOALS[:1])[0] < 0.1
    assert lexicon.similarities("", GOALS[:1]) == [0.0]
    assert lexicon.similarities("write", []) == []


def test_removed_goals_leave_the_weights_as_they_were(lexicon: Lexicon) -> None:
    before = lexicon.similarities("draft a blog post", GOALS)
    lexicon.add(["blog blog blog"])
    assert lexicon.similarities("draft a blog post", GOALS) != before
    lexicon.remove(["blog blog blog"])
    assert lexicon.similarities("draft a blog post", GOALS) == before


def test_goals_compared_again_are_weighed_anew(lexicon: Lexicon) -> None:
    first = lexicon.similarities("draft a blog post", GOALS)
    lexicon.add(["draft a memo"] * 5)
    fresh = Lexicon()
    fresh.add([*GOALS, *["draft a memo"] * 5])
    again = lexicon.similarities("draft a blog post", [*GOALS[1:], GOALS[0]])
    assert again == fresh.similarities("draft a blog post", [*GOALS[1:], GOALS[0]])
    assert again != [*first[1:], first[0]]


def test_a_removed_goal_is_not_kept(lexicon: Lexicon) -> None:
    lexicon.similarities("draft a blog post", GOALS)
    lexicon.remove(GOALS[:1])
    assert GOALS[0] not in vars(lexicon)["_known"]


def test_a_sample_stands_for_all() -> None:
    goals = [f"write a {kind} on {topic}" for kind in ("blog", "brief") for topic in ("bees", "coal", "wind")] * 50
    whole, sampled = Lexicon(), Lexicon()
    whole.add(goals)
    sampled.add(random.Random(0).sample(goals, 100), of=len(goals))
    asked = ("draft a blog on wind", ["write a blog on bees", "write a brief on wind", "sing a song"])
    assert sampled.similarities(*asked) == pytest.approx(whole.similarities(*asked), abs=0.05)


def test_a_goal_that_was_not_in_the_sample_can_go() -> None:
    lexicon = Lexicon()
    lexicon.add(["write a blog"], of=3)
    lexicon.remove(["send the weekly mail"])
    assert lexicon.similarities("send the weekly mail", ["send the weekly mail"]) == pytest.approx([1.0], abs=1e-6)
