import pytest

from agents.tools.cells import markdown_table
from agents.transformers import (
    Context,
    Transform,
    Transformers,
    approximate_tokens,
    digest_evidence,
    standard_transformers,
    table_to_text,
    trim_to,
)
from domain.errors import TransformFailed


def mark(name: str) -> Transform:
    return lambda context: {**context, "by": [*context.get("by", []), name]}


@pytest.mark.parametrize(
    ("source", "target", "by"),
    [
        ("reader", "writer", ["pair"]),
        ("reader", "critic", ["from reader"]),
        ("planner", "writer", ["to writer"]),
        ("planner", "critic", ["default", "twice"]),
    ],
)
def test_the_closest_registration_counts(source: str, target: str, by: list[str]) -> None:
    transformers = Transformers()
    transformers.register("*", "*", mark("default"), mark("twice"))
    transformers.register("*", "writer", mark("to writer"))
    transformers.register("reader", "*", mark("from reader"))
    transformers.register("reader", "writer", mark("pair"))
    assert transformers.apply(source, target, {}) == {"by": by}


def test_a_pair_can_be_exempted_from_the_defaults() -> None:
    transformers = standard_transformers(tokens=1)
    transformers.register("reader", "writer")
    assert transformers.apply("reader", "writer", {"text": "a" * 99}) == {"text": "a" * 99}


def test_a_transformer_that_raises_is_named_with_its_cause() -> None:
    transformers = Transformers()
    transformers.register("a", "b", lambda context: {"n": 1 / context["n"]})
    with pytest.raises(TransformFailed, match="from 'a' to 'b'.*division by zero") as caught:
        transformers.apply("a", "b", {"n": 0})
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_evidence_is_kept_once_with_its_longest_quote() -> None:
    sources = [
        {"name": "a.txt", "locator": "p1", "quote": "wind"},
        {"name": "b.txt", "locator": "", "quote": "x" * 400},
        {"name": "a.txt", "locator": "p1", "quote": "wind grew"},
    ]
    digested = digest_evidence({"sources": sources, "text": "t"})
    assert digested["sources"][0] == {"name": "a.txt", "locator": "p1", "quote": "wind grew"}
    assert digested["sources"][1]["quote"] == "x" * 294 + " [...]"
    assert (len(digested["sources"]), digested["text"]) == (2, "t")


def test_a_table_becomes_text() -> None:
    data = {"columns": ["year", "a|b"], "rows": [[2020, 1.5], [2021, None]], "sql": "select"}
    assert table_to_text({"text": "Found:", "data": data}) == {
        "text": "Found:\n\n| year | a\\|b |\n| --- | --- |\n| 2020 | 1.5 |\n| 2021 |  |",
        "data": {"sql": "select"},
    }


def test_a_table_that_stands_in_the_text_is_not_written_again() -> None:
    columns, rows = ["n", "share"], [(2020, 1.0), (2021, 2.0)]
    text = f"{markdown_table(columns, rows)}\n\nOnly the first 2 rows are shown."
    assert table_to_text({"text": text, "data": {"columns": columns, "rows": rows}}) == {"text": text, "data": {}}


def test_a_long_table_says_what_is_missing() -> None:
    made = table_to_text({"data": {"columns": ["n"], "rows": [[n] for n in range(60)]}})
    assert made["text"].splitlines()[-2:] == ["| 49 |", "(10 more rows)"]


def test_trimming_cuts_the_longest_texts_to_a_fair_share() -> None:
    context: Context = {"short": "abcd", "n": 7, "long": "x" * 500, "deep": [{"long": "y" * 300}]}
    trimmed = trim_to(26)(context)
    assert trimmed == {"short": "abcd", "n": 7, "long": "x" * 44 + " [...]", "deep": [{"long": "y" * 44 + " [...]"}]}
    assert approximate_tokens(trimmed) == 26


@pytest.mark.parametrize("tokens", [0, 1, 3, 50, 500])
def test_trimming_never_exceeds_the_budget(tokens: int) -> None:
    context = {"a": "x" * 700, "b": ["y" * 30] * 9, "c": {"d": "z"}}
    assert approximate_tokens(trim_to(tokens)(context)) <= tokens


@pytest.mark.parametrize("transform", [digest_evidence, table_to_text, trim_to(100)], ids=["digest", "table", "trim"])
def test_what_needs_no_change_stays_as_it_is(transform: Transform) -> None:
    context: Context = {"text": "short", "data": {"total": 3}, "other": [1, None, True]}
    assert transform(context) == context
