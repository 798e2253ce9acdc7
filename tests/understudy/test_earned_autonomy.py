"""Earned autonomy through the front door: approve often enough, accept the rule, lose it by one bad outcome."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.approvals import ActionRequest
from domain.events import RuleProposed
from understudy.orchestrator import Orchestrator
from understudy.results import RunResult
from understudy.settings import load_settings

TOPICS = ("wind", "coal", "solar", "gas", "hydro", "nuclear", "oil", "biomass")
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Orchestrator]:
    (tmp_path / "data").mkdir()
    for topic in (*TOPICS, "peat"):
        (tmp_path / "data" / f"{topic}.md").write_text(
            f"# {topic}\n\nOutput of {topic} grew in every year since 2001.\n"
        )
    settings = load_settings(home=tmp_path / "home", data=tmp_path / "data", out=tmp_path / "out", user="ada")
    async with Orchestrator(settings) as orchestrator:
        yield orchestrator


async def write(product: Orchestrator, topic: str) -> RunResult:
    return await product.run(f"Write a brief about {topic} and save it as a file")


async def earned(product: Orchestrator) -> str:
    """Approve what is asked until a rule is offered; return its id."""
    offers: list[str] = []
    for topic in TOPICS:
        result = await write(product, topic)
        assert result.pending is not None
        asked: list[ActionRequest] = result.pending.requests
        assert [request.name for request in asked] == ["write_file"]
        events = [stamped.event async for stamped in product.resume(result.thread, {"type": "approve"})]
        offers += [event.rule for event in events if isinstance(event, RuleProposed)]
    [offered] = await (await product.rules()).listed()
    assert offered.status == "proposed"
    assert offers == [offered.rule.id]
    return offered.rule.id


@pytest.mark.parametrize("bad", ["undone", "rated 1"])
async def test_a_rule_is_earned_holds_and_is_lost_by_one_bad_outcome(
    product: Orchestrator, tmp_path: Path, bad: str
) -> None:
    name = await earned(product)
    rules = await product.rules()
    assert {notice.kind for notice in await product.notices()} >= {"proposal"}
    await rules.accept(name)
    result = await write(product, "peat")
    assert result.outcome is not None
    assert result.outcome.status == "done"
    assert (tmp_path / "out" / "peat.md").exists()
    if bad == "undone":
        await product.undo(result.thread)
    else:
        await product.feedback(result.thread, rating=1)
    assert (await rules.get(name)).status == "demoted"
    assert (await write(product, "wind")).pending is not None
