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


@pytest.fixture
def lexicon() -> Lexicon:
    lexicon = Lexicon()
    lexicon.add(["blog", "post", "mail"], ["write a blog", "write a blog post", "send the weekly mail"])
    return lexicon


def test_the_same_words_are_fully_similar(lexicon: Lexicon) -> None:
    assert lexicon.similarities("Write the blog", ["blog"]) == pytest.approx([1.0], abs=0.2)
    assert lexicon.similarities("write a blog", ["blog"]) == pytest.approx([1.0], abs=1e-6)


def test_similarity_follows_shared_words(lexicon: Lexicon) -> None:
    blog, post, mail = lexicon.similarities("draft a blog post", ["blog", "post", "mail"])
    assert post > blog > mail


def test_function_words_alone_say_nothing(lexicon: Lexicon) -> None:
    assert lexicon.similarities("the of and", ["blog"])[0] < 0.1
    assert lexicon.similarities("", ["blog"]) == [0.0]


def test_removed_goals_leave_the_weights_as_they_were(lexicon: Lexicon) -> None:
    before = lexicon.similarities("draft a blog post", ["blog"])
    lexicon.add(["more"], ["blog blog blog"])
    assert lexicon.similarities("draft a blog post", ["blog"]) != before
    lexicon.remove("more")
    lexicon.remove("more")
    assert lexicon.similarities("draft a blog post", ["blog"]) == before
