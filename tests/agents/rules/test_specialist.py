import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agents.rules.text import numbers
from domain.outcomes import StepResult
from domain.plans import Step

Rules = Any  # conftest's class; a conftest cannot be imported
QUESTION = "How did Iowa's electricity mix change between 2001 and 2017, and what explains it? Write a brief."
TABLE = str(Path(__file__).parents[3] / "examples" / "energy" / "iowa-electricity.csv")


def share(source: str, year: int) -> tuple[int, float]:
    """Return a source's generation in a year and its share in percent, computed from the file."""
    sql = "SELECT sum(net_generation) FILTER (source = ?), sum(net_generation) FROM read_csv(?) WHERE year = ?"
    [(part, whole)] = duckdb.connect(":memory:").execute(sql, [source, TABLE, year]).fetchall()
    return int(part), round(100 * part / whole, 1)


@pytest.mark.parametrize("source", ["Renewables", "Fossil Fuels", "Nuclear Energy"])
async def test_the_brief_states_each_change_as_the_table_has_it(energy: Rules, source: str) -> None:
    text = (await energy.done(QUESTION)).draft.text
    (before, from_share), (after, to_share) = share(source, 2001), share(source, 2017)
    figures = rf"{source} \w+ from {before:,} in 2001 to {after:,} thousand MWh in 2017"
    assert re.search(rf"{figures} \([^)]*\), from {from_share:g} % to {to_share:g} % of the total", text)


async def test_the_brief_quotes_reasons_with_their_place(energy: Rules) -> None:
    opening = (await energy.done(QUESTION)).draft.text.split("## ")[0]
    assert "Wind is why Iowa's renewables share rose" in opening
    assert "[wind-build-out.md, How it went]" in opening
    assert "cheap natural gas" in opening


async def test_the_brief_says_how_it_was_made(energy: Rules) -> None:
    done = await energy.done(QUESTION)
    assert "without a language model" in done.draft.text
    assert "## Sources" in done.draft.text and "SELECT" in done.draft.text
    assert all(result.degraded for result in done.results.values())
    assert done.critique.score >= 0.8


async def test_the_same_goal_gives_the_same_answer(energy: Rules) -> None:
    assert await energy.done(QUESTION) == await energy.done(QUESTION)


async def test_a_writer_works_from_a_models_text_too(energy: Rules) -> None:
    found = StepResult(step="search", agent="search", text="Coal fell because gas was cheap.")
    step = Step(id="write", agent="write", task="Write.", needs=["search"])
    result = await energy.step("Why did coal fall?", step, {"search": found})
    assert "Coal fell because gas was cheap." in result.text


async def test_a_writer_with_nothing_says_so(marketing: Rules) -> None:
    result = await marketing.step("Write a memo about bees", Step(id="w", agent="content", task="Write the piece."))
    assert "The materials at hand do not answer this." in result.text
    assert result.confidence == 0.1


async def test_a_post_without_materials_is_an_honest_outline(marketing: Rules) -> None:
    done = await marketing.done("Create a blog post about AI trends")
    assert done.plan.sequence == ["content", "blog_writer"]
    assert done.draft.text.startswith("# AI trends")
    assert "without a language model" in done.draft.text and "it makes no claims" in done.draft.text
    assert "professional" in done.draft.text and "## What to do next" in done.draft.text
    assert set(numbers(done.draft.text)) <= {"1", "2", "3"}
    assert done.critique.score < done.plan.estimates["quality"] + 0.2


async def test_a_campaign_becomes_a_plan(marketing: Rules) -> None:
    text = (await marketing.done("Plan a campaign for our green tariff")).draft.text
    assert text.startswith("# Campaign plan: Our green tariff")
    assert "## Channels and their measures" in text


async def test_several_ends_are_composed_into_one(energy: Rules) -> None:
    plan = (await energy.planned(QUESTION)).alternatives[0]
    parts = plan.model_copy(update={"steps": plan.steps[:2]})
    results = {step.id: await energy.step(QUESTION, step) for step in parts.steps}
    draft = await energy.drafted(QUESTION, parts, results)
    assert (draft.by, draft.degraded) == ("composer", True)
    assert "38.8 %" in draft.text and "[wind-build-out.md, How it went]" in draft.text
