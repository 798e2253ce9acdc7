import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.budgets import Budget, Budgets
from domain.errors import InvalidGoal, LimitReached
from evals.scripted import ScriptedServer
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings

GIVEN = "The north has much wind, and that is about all there is to say."


def _critique(score: float) -> dict[str, Any]:
    return {"content": json.dumps({"aspects": {"clarity": score}, "issues": ["Say it shorter."]})}


@asynccontextmanager
async def _on(home: Path, replies: Sequence[Any], **given: Any) -> AsyncIterator[Orchestrator]:
    """Open an orchestrator whose model answers as scripted, every answer once."""
    with ScriptedServer(list(replies)) as server:
        settings = Settings(
            home=home, model="openai:lead", openai_api_key=SecretStr("sk-test"), openai_base_url=server.base_url,
            user="ada", **given,
        )  # fmt: skip
        async with Orchestrator(settings) as orchestrator:
            yield orchestrator


async def test_the_critics_score_decides_when_it_is_good_enough(tmp_path: Path) -> None:
    replies = [_critique(0.4), {"content": "Much wind."}, _critique(0.9)]
    async with _on(tmp_path, replies) as orchestrator:
        refined = await orchestrator.refine(text=GIVEN, goal="Describe the north", criteria=["clarity"])
    assert (refined.text, refined.iterations, refined.stopped) == ("Much wind.", 1, "threshold_met")
    assert [attempt.critique.score for attempt in refined.attempts] == [0.4, 0.9]
    assert [attempt.by for attempt in refined.attempts] == ["person", "reviser"]
    assert (refined.threshold_met, refined.degraded, refined.usage.calls) == (True, False, 3)


async def test_the_best_version_is_kept_where_a_later_one_is_worse(tmp_path: Path) -> None:
    replies = [_critique(0.5), {"content": "Worse."}, _critique(0.3)]
    async with _on(tmp_path, replies) as orchestrator:
        refined = await orchestrator.refine(text=GIVEN, criteria=["clarity"])
    assert (refined.text, refined.stopped, refined.final_quality_score) == (GIVEN, "plateau", 0.5)


async def test_the_same_text_again_ends_it(tmp_path: Path) -> None:
    replies = [_critique(0.5), {"content": GIVEN}]
    async with _on(tmp_path, replies) as orchestrator:
        refined = await orchestrator.refine(text=GIVEN, criteria=["clarity"])
    assert (refined.iterations, refined.stopped, refined.threshold_met) == (0, "repeat", False)


async def test_what_was_not_good_enough_is_remembered(tmp_path: Path) -> None:
    async with _on(tmp_path, [_critique(0.2)]) as orchestrator:
        await orchestrator.refine(text=GIVEN, criteria=["clarity"], max_iterations=0)
        (kept,) = await orchestrator.lessons.critiques.recent("default")
    assert (kept.critique.score, kept.issues) == (0.2, ["Say it shorter."])


async def test_a_budget_that_runs_out_leaves_the_best_version(tmp_path: Path) -> None:
    budgets = Budgets(run=Budget(calls=2))
    async with _on(tmp_path, [_critique(0.4), {"content": "Much wind."}], budgets=budgets) as orchestrator:
        refined = await orchestrator.refine(text=GIVEN, criteria=["clarity"])
    assert (refined.text, refined.stopped, refined.usage.calls) == (GIVEN, "budget_exceeded", 2)


async def test_without_any_budget_nothing_is_begun(tmp_path: Path) -> None:
    async with _on(tmp_path, [], budgets=Budgets(run=Budget(calls=0))) as orchestrator:
        with pytest.raises(LimitReached, match="calls"):
            await orchestrator.refine(text=GIVEN)


async def test_neither_a_text_nor_a_goal_is_refused(tmp_path: Path) -> None:
    async with _on(tmp_path, []) as orchestrator:
        with pytest.raises(InvalidGoal):
            await orchestrator.refine(text=" ", goal="\n")
        with pytest.raises(InvalidGoal, match="100,000"):
            await orchestrator.refine(text="x" * 100_001)


async def test_a_text_without_words_in_its_first_lines_is_refined_all_the_same(tmp_path: Path) -> None:
    async with _on(tmp_path, [_critique(0.9)]) as orchestrator:
        refined = await orchestrator.refine(text=f"###\n\n{GIVEN}", criteria=["clarity"])
    assert refined.threshold_met
