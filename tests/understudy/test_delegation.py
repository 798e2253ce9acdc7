"""Selection, trials and the context cache behind the product's door."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.errors import InvalidTrial, InvalidWorkspace, UnknownAgent, UnknownTrial
from evals.scripted import ScriptedServer
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings, load_settings

ENERGY = Path(__file__).parents[2] / "examples" / "energy"
QUESTION = "Who publishes the numbers on net generation?"
TEAM = """
name = "office"
description = "Answers questions."

[selection]
policy = "greedy"

[[specialists]]
name = "search"
description = "Finds passages."
tools = ["search_documents", "list_materials", "read_document"]
capabilities = ["reading"]
alternatives = ["search_well"]

[[specialists]]
name = "search_well"
description = "Finds passages, too."
tools = ["search_documents", "list_materials", "read_document"]
capabilities = ["reading"]
expected = { quality = 0.7, dollars = 0.01, seconds = 2 }

[[specialists]]
name = "write"
description = "Writes."
capabilities = ["creation"]

[[templates]]
name = "find"
kinds = ["search"]

[[templates.steps]]
id = "search"
agent = "search"
task = "Find what the documents say about this and quote it: {goal}"

[[templates]]
name = "told"
kinds = ["summary"]

[[templates.steps]]
id = "search"
agent = "search"
task = "Find what the documents say about this and quote it: {goal}"

[[templates.steps]]
id = "write"
agent = "write"
task = "Say it in your own words: {goal}"
needs = ["search"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    team = tmp_path / "office.toml"
    team.write_text(TEAM)
    return load_settings(home=tmp_path / "data", team=str(team), data=ENERGY)


@pytest.fixture
async def office(settings: Settings) -> AsyncIterator[Orchestrator]:
    async with Orchestrator(settings) as orchestrator:
        yield orchestrator


async def test_an_agent_is_selected_from_what_runs_have_shown(office: Orchestrator) -> None:
    first = await office.select_agent("reading", "default", "search", goal=QUESTION)
    assert (first.agent, first.fallbacks) == ("search", ("search_well",))
    assert first.reason.startswith("nothing was seen yet")
    assert (await office.run(QUESTION)).outcome is not None
    (standing,) = await office.standings()
    assert (standing.kind, standing.agent, standing.tasks, standing.successes) == ("search/reading", "search", 1, 1)
    later = await office.select_agent("reading", "default", "search")
    assert later.reason.startswith("1 outcomes of these candidates")
    assert (await office.select_agent("reading", "other", "search")).reason.startswith("nothing was seen yet")


async def test_who_declares_the_type_is_a_candidate_too(office: Orchestrator) -> None:
    chosen = await office.select_agent("creation", "default", "search_well")
    assert {chosen.agent, *chosen.fallbacks} == {"search_well", "write"}


async def test_an_unknown_fallback_and_a_bad_workspace_are_refused(office: Orchestrator) -> None:
    with pytest.raises(UnknownAgent, match="no specialist 'nobody'"):
        await office.select_agent("reading", "default", "nobody")
    with pytest.raises(InvalidWorkspace):
        await office.select_agent("reading", "../x", "search")


@pytest.mark.parametrize(
    ("control", "challenger", "error", "message"),
    [
        ("search", "nobody", UnknownAgent, "no specialist 'nobody'"),
        ("search>write", "search>nobody", UnknownAgent, "no specialist 'nobody'"),
        ("search", "write", InvalidTrial, "'write' cannot do the steps of 'search': 'write' lacks"),
        ("search", "search", InvalidTrial, "two different variants"),
        ("search>write", "write>search", InvalidTrial, "nobody knows how to take the sequence write>search"),
    ],
    ids=["agent", "in a sequence", "cannot stand in", "the same", "no way"],
)
async def test_a_trial_that_cannot_be_held_is_refused(
    office: Orchestrator, control: str, challenger: str, error: type[Exception], message: str
) -> None:
    trials = await office.trials()
    with pytest.raises(error, match=message):
        await trials.start("t", control, challenger)
    assert await trials.all() == []


async def test_an_unknown_trial_is_named(office: Orchestrator) -> None:
    with pytest.raises(UnknownTrial, match="workspace 'default' has no trial 'none'"):
        await (await office.trials()).show("none")


async def test_a_run_of_the_twins_takes_part_in_a_trial(office: Orchestrator) -> None:
    trials = await office.trials()
    await trials.start("better", "search", "search_well", share=1 - 1e-9)
    result = await office.run(QUESTION)
    assert result.outcome is not None
    assert [s.event.agent for s in result.events if s.event.type == "agent_selected"] == ["search_well"]
    found = await trials.show("better")
    assert (found.trial.counts, found.clear) == ((0, 1), False)
    assert (await trials.stop("better")).trial.state == "stopped"
    assert [s.event.agent for s in (await office.run(QUESTION)).events if s.event.type == "step_started"] == ["search"]


async def test_contexts_are_counted_over_processes_and_forgotten_with_a_task(settings: Settings) -> None:
    steps = [
        {"id": "search", "agent": "search", "task": "find it"},
        {"id": "write", "agent": "write", "task": "say it", "needs": ["search"]},
    ]
    replies = [
        {"content": json.dumps({"route": "plan", "kind": "search"})},
        {"content": json.dumps({"alternatives": [{"steps": steps, "rationale": "short"}]})},
        {"content": json.dumps({"problems": []})},
        {"content": "Net generation is gross generation less own use [glossary.md]."},
        {"content": "It is what reaches the grid [glossary.md]."},
        {
            "content": json.dumps(
                {"aspects": dict.fromkeys(("relevance", "clarity", "completeness", "accuracy", "structure"), 0.9)}
            )
        },
    ]
    with ScriptedServer(replies) as server:
        given = settings.model_copy(
            update={"model": "openai:m", "openai_api_key": SecretStr("k"), "openai_base_url": server.base_url}
        )
        async with Orchestrator(given) as first:
            outcome = (await first.run(QUESTION)).outcome
            assert outcome is not None
            assert (outcome.status, outcome.degraded) == ("done", False)
            used = (await first.status()).contexts
            assert (used.misses, used.hits, used.entries) == (1, 0, 1)
            (task,) = await first.memory.list("default")
            await first.forget(task.id)
            assert (await first.status()).contexts.entries == 0
    async with Orchestrator(settings) as second:
        later = (await second.status()).contexts
        assert (later.misses, later.entries, later.hit_rate) == (1, 0, 0.0)
