import pytest

from understudy.console.markup import Column, badge, duration, el, joined, table, when


def test_texts_and_attributes_are_escaped_and_obey_nobody() -> None:
    made = el("p", "<script>\u202e&", title='"><img onerror=1>', class_="x")
    assert made.text == '<p title="&quot;&gt;&lt;img onerror=1&gt;" class="x">&lt;script&gt;&amp;</p>'


@pytest.mark.parametrize("tag", ["script", "iframe", "style", "p onclick=x"])
def test_only_known_tags_are_made(tag: str) -> None:
    with pytest.raises(ValueError, match="pages have no <"):
        el(tag)


@pytest.mark.parametrize("name", ["onclick", "style", "srcdoc", "src"])
def test_only_known_attributes_are_made(name: str) -> None:
    with pytest.raises(ValueError, match="pages have no attribute"):
        el("p", **{name: "x"})


@pytest.mark.parametrize("href", ["javascript:alert(1)", "//elsewhere.example", "https://elsewhere.example", " /a"])
def test_links_stay_here(href: str) -> None:
    with pytest.raises(ValueError, match="link to themselves"):
        el("a", "x", href=href)


def test_pieces_are_not_escaped_again_and_nothing_is_nothing() -> None:
    assert joined([badge("a<b", "good"), None, "&"]).text == '<span class="badge good">a&lt;b</span>&amp;'


def test_every_cell_says_its_column() -> None:
    made = table("Told", [Column("a"), Column("n", "number")], [["x", None]]).text
    assert (
        '<td role="cell" class="text" data-label="a">x</td><td role="cell" class="number" data-label="n"></td>' in made
    )
    with pytest.raises(ValueError, match="shorter"):
        table("Told", [Column("a")], [[]])


@pytest.mark.parametrize(
    ("seconds", "told"), [(None, "–"), (0.0123, "12 ms"), (1.5, "1.5 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_a_span_is_told_as_people_do(seconds: float | None, told: str) -> None:
    assert duration(seconds) == told


def test_no_moment_is_nothing() -> None:
    assert when(None) is None
    assert when(0) is None
