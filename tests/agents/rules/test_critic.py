from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.rules.figures import support_of
from agents.rules.rubric import ADD_FINDINGS, ADD_SOURCES, EMPTY, REMOVE_FIGURES, REMOVE_REPETITIONS, Judgement
from domain.outcomes import Source, StepResult

Rules = Any  # conftest's class; a conftest cannot be imported
GOAL = "How did wind power grow in Iowa?"
FOUND = [
    StepResult(
        step="analyse", agent="analyse", text="Wind rose to 21,933.", data={"rows": [[2017, 21933, 38.84]]},
        sources=[Source(name="iowa", locator="SELECT 1")],
    ),
    StepResult(
        step="search", agent="search", text="A tax credit helped wind farms.",
        sources=[Source(name="law.md", quote="A tax credit helped the wind farms of Iowa grow.")],
    ),
]  # fmt: skip
GOOD = (
    "Wind power in Iowa grew to 21,933 thousand MWh, a share of 38.8 %.\n\n"
    "A tax credit helped the wind farms of Iowa grow [law.md]. The table is iowa."
)
BAD = {
    "empty": "",
    "headings only": "# Wind power in Iowa",
    "off topic": "Bees make honey. They live in hives.",
    "invented figure": GOOD.replace("38.8 %", "61 %"),
    "no sources": GOOD.replace(" [law.md]. The table is iowa.", "."),
    "repeated": f"{GOOD}\n\n{GOOD}\n\n{GOOD}",
    "half": GOOD.split("\n\n", maxsplit=1)[0],
}


def score(text: str) -> float:
    return (
        Judgement(text, GOAL, FOUND).critique(("relevance", "clarity", "completeness", "accuracy", "structure")).score
    )


def test_a_good_draft_scores_high_and_never_full() -> None:
    assert 0.8 <= score(GOOD) <= 0.9


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_bad_draft_scores_clearly_lower(text: str) -> None:
    assert score(text) < score(GOOD) - 0.05


@pytest.mark.parametrize("name", ["empty", "off topic", "invented figure"])
def test_the_worst_do_not_pass(name: str) -> None:
    assert score(BAD[name]) <= 0.6


@pytest.mark.parametrize(
    ("name", "issue"),
    [
        ("empty", EMPTY),
        ("invented figure", f"{REMOVE_FIGURES}61."),
        ("no sources", ADD_SOURCES),
        ("repeated", REMOVE_REPETITIONS),
        ("half", f"{ADD_FINDINGS}'search'."),
    ],
)
def test_issues_say_what_to_do(name: str, issue: str) -> None:
    assert issue in Judgement(BAD[name], GOAL, FOUND).issues()


def test_unknown_aspects_get_the_general_measure() -> None:
    critique = Judgement(GOOD, GOAL, FOUND).critique(("clarity", "brand_alignment"))
    assert list(critique.aspects) == ["clarity", "brand_alignment"]
    assert 0 < critique.aspects["brand_alignment"] <= 0.9


@pytest.mark.parametrize(
    ("text", "unsupported"),
    [
        ("It was 21,933 or 21933.", []),
        ("About 21.9 million, 38.8 % or 39 %.", []),
        ("In 2017 it was 22,000.", ["22000"]),
        ("See [page 77] and\n```\nLIMIT 99\n```\n1. first", []),
        ("A share of 38.9 %.", ["38.9"]),
    ],
    ids=["separators", "rounded", "another", "not claims", "nearly"],
)
def test_figures_are_looked_up(text: str, unsupported: list[str]) -> None:
    assert support_of(text, GOAL, FOUND).unsupported(text) == unsupported


def test_a_draft_does_not_prove_itself() -> None:
    text = "Wind grew to 999 units. That was a lot."
    written = StepResult(step="write", agent="write", text=text)
    assert support_of(text, GOAL, [*FOUND, written]).unsupported(text) == ["999"]


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
async def test_a_revision_is_better_where_something_can_be_mended(energy: Rules, text: str) -> None:
    revised = await energy.revised(GOAL, text, FOUND)
    assert score(revised.text) > score(text)
    assert revised.by == "reviser"


async def test_an_unsupported_sentence_goes_and_the_rest_stays(energy: Rules) -> None:
    text = (await energy.revised(GOAL, f"{GOOD} It will reach 77,000 soon.", FOUND)).text
    assert "77,000" not in text and "21,933" in text


async def test_what_cannot_be_mended_stays_as_it_is(energy: Rules) -> None:
    assert (await energy.revised(GOAL, GOOD, FOUND)).text == GOOD


SENTENCES = [*GOOD.replace("\n\n", " ").split(". "), "Wind reached 55 in 1999", "# Title", "- a point", "| 1 | 2 |", ""]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.sampled_from(SENTENCES) | st.text(max_size=30), max_size=8))
async def test_a_revision_never_scores_lower(energy: Rules, parts: list[str]) -> None:
    text = ".\n".join(parts)
    assert score((await energy.revised(GOAL, text, FOUND)).text) >= score(text)
