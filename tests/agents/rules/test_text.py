import pytest

from agents.rules.text import clauses, numbers, sentences, slug, stem, title, topic


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("renewables", "renewable"),
        ("generated", "generation"),
        ("prices", "price"),
        ("stopped", "stop"),
        ("laws", "law"),
    ],
)
def test_forms_of_a_word_share_their_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("new", "now"), ("wind", "window"), ("gas", "gap")])
def test_other_words_do_not(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_sentences_are_the_prose_of_a_document() -> None:
    prose = "# Head\n\nOne is\nhere. Two costs 3.5 cents, e.g. now!\n\n- **Three**\n\n"
    text = f"{prose}| a | b |\n\n```\ncode\n```\nShort head\nFour."
    assert sentences(text) == ["One is here.", "Two costs 3.5 cents, e.g. now!", "Three", "Four."]


def test_numbers_lose_separators_and_signs() -> None:
    assert numbers("From 1,437 to −21,933 (+3.5 %), in v2 of 2017.") == ["1437", "21933", "3.5", "2017"]


@pytest.mark.parametrize(
    ("goal", "heading", "name"),
    [
        ("Write a brief about coal in Iowa.", "Coal in Iowa", "coal-iowa"),
        ("Create a blog post about AI trends", "AI trends", "ai-trends"),
        ("Why did coal fall? Write a brief.", "Why did coal fall?", "coal-fall"),
        ("../../etc/passwd", "../../etc/passwd", "etc-passwd"),
        ("Write it", "It", "answer"),
    ],
)
def test_a_goal_gives_a_heading_and_a_file_name(goal: str, heading: str, name: str) -> None:
    assert (title(goal), slug(goal)) == (heading, name)


def test_a_goal_is_split_into_its_questions() -> None:
    goal = "When did coal peak, and which laws helped wind? Write a brief."
    assert clauses(goal) == ["When did coal peak", "which laws helped wind?"]


@pytest.mark.parametrize(
    ("goal", "about"),
    [
        ("Summarise how wind power grew in Iowa and save it as wind.md", "how wind power grew in Iowa"),
        ("Write a brief on coal, then put the text into notes/coal.md", "coal"),
        ("Compare wind and solar", "wind and solar"),
    ],
)
def test_where_the_answer_goes_is_no_part_of_what_it_is_about(goal: str, about: str) -> None:
    assert topic(goal) == about
