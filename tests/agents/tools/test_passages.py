import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tools.extraction import Section
from agents.tools.passages import PASSAGE_CHARS, PassageIndex, match_expression, passages


def test_passages_lie_where_they_say() -> None:
    sections = [Section("One", "# One\n" + "word " * 400), Section("", "line\n\n" * 300)]
    text = "".join(section.text for section in sections)
    found = list(passages(sections))
    assert len(found) > 4
    assert all(text[p.start : p.start + len(p.text)] == p.text and len(p.text) <= PASSAGE_CHARS for p in found)


def test_a_passage_is_cited_by_heading_or_line() -> None:
    sections = [Section("", "intro\n\n"), Section("Title", "# Title\n\n"), Section("Part", "## Part\nbody\n")]
    assert [p.locator for p in passages(sections)] == ["line 1", "Part"]


@given(st.lists(st.text(max_size=2000), max_size=4))
def test_nothing_is_lost_between_passages(texts: list[str]) -> None:
    found = list(passages([Section("", text) for text in texts]))
    assert "".join("".join(p.text for p in found).split()) == "".join("".join(texts).split())


def index(**documents: str) -> PassageIndex:
    made = PassageIndex()
    for name, text in documents.items():
        made.put(name, name, passages([Section("", text)]))
    return made


def test_the_best_passage_comes_first() -> None:
    searched = index(a="Wind turbines and wind farms.", b="One wind farm, much coal.", c="Nuclear power.")
    hits = searched.search("How many wind turbines are there?", limit=5)
    assert [hit.document for hit in hits] == ["a", "b"]
    assert hits[0].score > hits[1].score


def test_words_are_found_by_their_stem_and_without_accents() -> None:
    assert index(a="The générators were retired.").search("generator retiring", limit=1)


def test_a_document_put_again_replaces_the_old() -> None:
    searched = index(a="wind")
    searched.put("a", "a", passages([Section("", "coal")]))
    assert (searched.search("wind", limit=1), len(searched.search("coal", limit=9))) == ([], 1)


@pytest.mark.parametrize(
    "query",
    ['"', "wind AND (", "NEAR(a b", "title:wind", "wind*", "^wind", "a OR", "-wind", "{a}:b", "%", "'; DROP TABLE x"],
)
def test_search_syntax_is_data(query: str) -> None:
    index(a="wind").search(query, limit=1)


@given(st.text(max_size=300))
def test_no_query_is_an_error(query: str) -> None:
    index(a="wind").search(query, limit=3)


@pytest.mark.parametrize(
    ("query", "expression"),
    [
        ("How does the wind blow in Iowa?", '"wind" OR "blow" OR "iowa"'),
        ("wind wind", '"wind"'),
        ("Who is it?", '"who" OR "is" OR "it"'),
        ("?!", ""),
    ],
)
def test_content_words_are_what_is_searched(query: str, expression: str) -> None:
    assert match_expression(query) == expression
