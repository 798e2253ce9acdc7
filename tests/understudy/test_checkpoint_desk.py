from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.checkpoints import AutoApproval, Checkpoint
from domain.errors import InvalidCheckpoint, UnknownCheckpoint
from domain.measures import Test
from understudy.auditing import Wanted
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings


@pytest.fixture
async def orchestrator(tmp_path: Path) -> AsyncIterator[Orchestrator]:
    async with Orchestrator(Settings(home=tmp_path, team="marketing", user="ada", _env_file=None)) as opened:
        yield opened


MANY = Checkpoint(
    name="many", condition="ON_VALUE", action="BLOCK", when=(Test(measure="recipients", op="gt", value=5),)
)


async def test_a_checkpoint_of_the_team_is_evaluated(orchestrator: Orchestrator) -> None:
    low = await orchestrator.evaluate_checkpoint("pre_publish", {"quality": 0.5})
    assert (low.status, low.rule, low.reason) == ("pending_approval", "quality_above", "quality is 0.50, not above 0.9")
    high = await orchestrator.evaluate_checkpoint("strategy_review", {"quality": 0.9, "success_rate": 0.9})
    assert (high.status, high.rule) == ("auto_approved", "auto_approve_if")


async def test_a_checkpoint_of_the_workspace_is_evaluated(orchestrator: Orchestrator) -> None:
    await orchestrator.checkpoints.add(MANY, orchestrator.person)
    assert (await orchestrator.evaluate_checkpoint("many", {"recipients": 6})).status == "blocked"
    assert (await orchestrator.evaluate_checkpoint("many", {"recipients": 5})).status == "auto_approved"
    unknown = await orchestrator.evaluate_checkpoint("many", {})
    assert (unknown.status, unknown.evaluated) == ("pending_approval", False)


async def test_of_two_of_one_name_the_stricter_verdict_counts(orchestrator: Orchestrator) -> None:
    loose = Checkpoint(name="pre_publish", condition="ON_EFFECT", auto_approve_if=AutoApproval(quality_above=0.1))
    await orchestrator.checkpoints.add(loose, orchestrator.person)
    assert (await orchestrator.evaluate_checkpoint("pre_publish", {"quality": 0.5})).status == "pending_approval"


async def test_an_unknown_name_is_told_with_those_there_are(orchestrator: Orchestrator) -> None:
    with pytest.raises(UnknownCheckpoint, match="strategy_review, pre_publish"):
        await orchestrator.evaluate_checkpoint("none", {})


async def test_a_checkpoint_names_only_whom_the_team_has(orchestrator: Orchestrator) -> None:
    at = Checkpoint(name="c", condition="BEFORE_EXECUTION", stage="nobody")
    with pytest.raises(InvalidCheckpoint, match="has no 'nobody'"):
        await orchestrator.checkpoints.add(at, orchestrator.person)


async def test_each_move_is_in_the_audit(orchestrator: Orchestrator) -> None:
    await orchestrator.checkpoints.add(MANY, orchestrator.person)
    await orchestrator.checkpoints.remove("many", orchestrator.person)
    noted = [each.entry for each in await orchestrator.audit.shown(Wanted(kind="checkpoint"))]
    assert [(entry.who, entry.data["move"]) for entry in noted] == [("ada", "removed"), ("ada", "added")]
