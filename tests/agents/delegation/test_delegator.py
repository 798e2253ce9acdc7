from dataclasses import replace
from typing import Any

import pytest

from agents.delegation import delegator, history
from agents.delegation.arms import Candidate, Objective
from agents.delegation.delegator import Delegator, Selection, Told
from agents.delegation.standings import Standing
from domain.errors import InvalidWorkspace, UnknownAgent, UserError
from memory.encoders import Encoder
from memory.sqlite import SqliteRecords

ARMS = [Candidate("senior", capability=0.8, cost=10.0, seconds=4.0), Candidate("junior", capability=0.6, cost=1.0)]


class Desk:
    """A delegator with the arguments that the tests share."""

    def __init__(self, records: SqliteRecords, encoder: Encoder, **settings: Any) -> None:
        self.delegator = Delegator(records, encoder, team="office", clock=lambda: 1_700_000_000.0, seed=3, **settings)

    async def select(self, kind: str = "search", workspace: str = "acme", goal: str | None = None) -> Selection:
        return await self.delegator.select(kind, workspace, candidates=ARMS, fallback="senior", goal=goal)

    async def observe(self, agent: str, outcome: float, times: int, workspace: str = "acme") -> None:
        for _ in range(times):
            await self.delegator.observe(workspace, "search", agent, outcome, seconds=2.0, cost=1.0, goal="Find it")


@pytest.fixture
def desk(records: SqliteRecords, wordllama: Encoder) -> Desk:
    return Desk(records, wordllama)


async def test_without_history_the_teams_default_does_it(desk: Desk) -> None:
    chosen = await desk.select()
    assert replace(chosen, confidence=0.0) == Selection(
        agent="senior",
        confidence=0.0,
        fallbacks=("junior",),
        estimated_seconds=4.0,
        estimated_cost=10.0,
        policy="shared-linear",
        reason="nothing was seen yet, so the team's default senior does it",
        chances={"junior": 0.0, "senior": 1.0},
        expected=chosen.expected,
    )
    assert 0 < chosen.confidence < 1
    assert chosen.expected["senior"] == chosen.confidence


async def test_a_choice_that_draws_lots_tells_its_odds(desk: Desk) -> None:
    await desk.observe("senior", 0.6, 4)
    await desk.observe("junior", 0.6, 4)
    chances = (await desk.select()).chances
    assert sum(chances.values()) == pytest.approx(1)
    assert 0 < chances["senior"] < 1


async def test_what_was_seen_changes_the_choice_and_the_estimates(desk: Desk) -> None:
    await desk.observe("senior", 0.1, 30)
    await desk.observe("junior", 1.0, 30)
    chosen = await desk.select(goal="Find the report")
    assert (chosen.agent, chosen.fallbacks) == ("junior", ("senior",))
    assert chosen.confidence > 0.8
    assert 1.5 < chosen.estimated_seconds <= 2.0
    assert chosen.reason.startswith("60 outcomes")


async def test_what_was_seen_survives_a_restart(records: SqliteRecords, wordllama: Encoder, desk: Desk) -> None:
    await desk.observe("senior", 0.1, 30)
    await desk.observe("junior", 1.0, 30)
    assert (await Desk(records, wordllama).select()).agent == "junior"


async def test_another_process_is_heard(records: SqliteRecords, wordllama: Encoder, desk: Desk) -> None:
    assert (await desk.select()).agent == "senior"
    other = Desk(records, wordllama)
    await other.observe("senior", 0.1, 30)
    await other.observe("junior", 1.0, 30)
    assert (await desk.select()).agent == "junior"


async def test_workspaces_learn_nothing_from_each_other(desk: Desk) -> None:
    await desk.observe("senior", 0.0, 40, workspace="acme")
    await desk.observe("junior", 1.0, 40, workspace="acme")
    assert (await desk.select(workspace="other")).reason.startswith("nothing was seen yet")


async def test_teams_learn_nothing_from_each_other(records: SqliteRecords, wordllama: Encoder, desk: Desk) -> None:
    await desk.observe("senior", 0.0, 40)
    other = Delegator(records, wordllama, team="studio")
    chosen = await other.select("search", "acme", candidates=ARMS, fallback="senior")
    assert chosen.reason.startswith("nothing was seen yet")


async def test_a_run_is_claimed_once_in_its_workspace(records: SqliteRecords, wordllama: Encoder, desk: Desk) -> None:
    asked = [await desk.delegator.claimed(*given) for given in (("acme", "r1"), ("acme", "r1"), ("other", "r1"))]
    assert asked == [True, False, True]


async def test_a_part_of_a_kind_stands_for_the_most_frequent_one(desk: Desk) -> None:
    for kind, agent, times in (("creation/blog", "junior", 30), ("creation/ads", "senior", 3)):
        for _ in range(times):
            await desk.delegator.observe("acme", kind, agent, 1.0, seconds=1.0, cost=1.0)
    routed = Delegator(
        desk.delegator._records, desk.delegator._encoder, team="office", routes={"creation/blog": "junior"}
    )
    chosen = await routed.select("creation", "acme", candidates=ARMS, fallback="senior")
    assert chosen.reason == "tasks of type 'creation/blog' go to junior by the team's route"


async def test_standings_tell_how_agents_did(desk: Desk) -> None:
    await desk.observe("senior", 0.9, 2)
    await desk.observe("senior", 0.0, 1)
    await desk.observe("junior", 0.4, 1)
    first, second = await desk.delegator.standings("acme")
    assert first == Standing("search", "senior", 3, 2, first.quality, 2.0, 1.0)
    assert first.quality == pytest.approx(0.6)
    assert (second.agent, second.successes) == ("junior", 0)
    assert await desk.delegator.standings("other") == []


async def test_only_so_many_workspaces_are_kept_in_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegator, "_DESKS", 2)
    for workspace in ("a", "b", "c"):
        await desk.observe("junior", 1.0, 1, workspace=workspace)
    assert list(desk.delegator._desks) == ["b", "c"]  # memory is not visible from outside
    assert len(await desk.delegator.standings("a")) == 1


async def test_the_goals_text_is_not_kept(records: SqliteRecords, desk: Desk) -> None:
    await desk.delegator.observe("acme", "search", "junior", 1.0, seconds=1.0, cost=1.0, goal="The canary sings")
    entries = await records.read("selection:acme:office:outcomes:0")
    assert len(entries) == 1
    assert "canary" not in str(entries)


async def test_a_specialised_route_wins(records: SqliteRecords, wordllama: Encoder) -> None:
    routed = Desk(records, wordllama, routes={"search": "junior", "chat": "nobody"})
    chosen = await routed.select()
    assert (chosen.agent, chosen.fallbacks) == ("junior", ("senior",))
    assert chosen.reason == "tasks of type 'search' go to junior by the team's route"
    assert (await routed.select("chat")).agent == "senior"


async def test_a_budget_bars_the_dear(records: SqliteRecords, wordllama: Encoder) -> None:
    assert (await Desk(records, wordllama, objective=Objective(budget=5.0)).select()).agent == "junior"


async def test_more_task_kinds_than_are_told_apart_are_no_error(desk: Desk) -> None:
    for n in range(70):
        await desk.delegator.observe("acme", f"kind {n}", "junior", 1.0, seconds=1.0, cost=1.0)
    assert (await desk.select("kind 69")).agent in ("junior", "senior")


async def test_features_of_another_encoder_are_left_out(records: SqliteRecords, wordllama: Encoder, desk: Desk) -> None:
    await desk.observe("junior", 1.0, 3)
    [(_, entry), *_] = await records.read("selection:acme:office:outcomes:0")
    await records.append("selection:acme:office:outcomes:0", entry | {"encoder": "other", "features": "AAA="})
    assert (await desk.select(goal="Find it")).reason.startswith("4 outcomes")


async def test_a_fallback_that_is_no_candidate_is_refused(desk: Desk) -> None:
    with pytest.raises(UnknownAgent, match="'boss' is not among the candidates junior, senior"):
        await desk.delegator.select("search", "acme", candidates=ARMS, fallback="boss")


async def test_a_bad_workspace_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidWorkspace):
        await desk.select(workspace="../acme")


@pytest.mark.parametrize(("outcome", "cost"), [(1.2, 1.0), (float("nan"), 1.0), (0.5, -1.0)], ids=str)
async def test_impossible_outcomes_are_refused_and_not_kept(
    records: SqliteRecords, desk: Desk, outcome: float, cost: float
) -> None:
    with pytest.raises(UserError, match="an outcome lies in 0..1"):
        await desk.delegator.observe("acme", "search", "junior", outcome, seconds=1.0, cost=cost)
    assert await records.read("selection:acme:office:outcomes:0") == []


async def test_what_the_records_have_dropped_is_dropped_in_memory_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, value in ((history, "SEGMENT", 10), (history, "KEPT", 2), (delegator, "WINDOW", 20)):
        monkeypatch.setattr(module, name, value)
    for _ in range(6):
        await desk.observe("junior", 1.0, 10)
        chosen = await desk.select()
    assert chosen.reason.startswith("60 outcomes")
    assert len(desk.delegator._desks["acme"].outcomes) <= 40  # memory is not visible from outside


async def test_the_fallback_of_each_call_counts(desk: Desk) -> None:
    for fallback in ("senior", "junior"):
        chosen = await desk.delegator.select("search", "acme", candidates=ARMS, fallback=fallback)
        assert chosen.agent == fallback


async def test_a_forgotten_goal_is_gone_from_memory_and_records_and_its_outcomes_count(
    records: SqliteRecords, desk: Desk
) -> None:
    await desk.observe("senior", 0.1, 30)
    await desk.observe("junior", 1.0, 30)
    assert (await desk.select()).agent == "junior"
    assert await desk.delegator.forget("acme", "find  IT") == 60
    assert (await desk.select()).agent == "junior"
    assert {entry["features"] for _, entry in await records.read("selection:acme:office:outcomes:0")} == {""}
    assert await desk.delegator.forget("acme", "Find it") == 0


async def test_what_is_told_together_counts_like_what_is_told_one_by_one(
    desk: Desk, records: SqliteRecords, wordllama: Encoder
) -> None:
    told = [Told("search", "junior", 0.4, 2.0, 1.0), Told("search", "senior", 0.9, 3.0, 5.0)]
    await desk.delegator.observe_many("together", told, goal="Find it")
    for each in told:
        await desk.delegator.observe(
            "apart", each.task_type, each.agent, each.outcome, seconds=each.seconds, cost=each.cost, goal="Find it"
        )
    together, apart = [await records.read(f"selection:{name}:office:outcomes:0") for name in ("together", "apart")]
    assert together == apart
    assert len(together) == 2
    await desk.delegator.observe_many("together", [])
    with pytest.raises(UserError):
        await desk.delegator.observe_many("together", [told[0], told[1]._replace(outcome=2.0)])
    assert await records.read("selection:together:office:outcomes:0") == together
