"""What a run teaches beside its task, and how the next run uses it."""

import pytest

from domain.constraints import ForbiddenTool
from domain.outcomes import Critique
from domain.plans import Plan
from memory.profiles import Profile
from memory.provenance import Provenance
from tests.graph.conftest import DELIVER, Opener, Troupe, step
from tests.graph.test_gates import WRITES

ANN = Provenance(writer="person", user="ann")


async def test_a_run_is_an_episode(theatre: Opener) -> None:
    stage = theatre()
    state = await stage.say("Create a blog post about AI trends")
    [task] = await stage.services.memory.list("default")
    [episode] = await stage.services.lessons.episodes.recent("default")
    assert (episode.run, episode.task, episode.thread) == (state["run"], task.id, "t")
    assert (episode.sequence, episode.success, episode.quality) == (["reader", "writer"], True, 0.9)
    assert episode.provenance == Provenance(writer="person", run=state["run"], user="ada")


async def test_an_episode_names_the_rules_that_were_in_force(theatre: Opener) -> None:
    stage = theatre()
    constraints = stage.services.constraints
    await constraints.propose("default", ForbiddenTool(id="no-mail", tools=("send_mail",)), ANN)
    await stage.say("Create a blog post about AI trends")
    await constraints.accept("default", "no-mail", ANN)
    await stage.say("Create a blog post about bees")
    hashes = [episode.policy for episode in await stage.services.lessons.episodes.recent("default")]
    assert hashes[0] == (await constraints.active("default")).hash
    assert len(hashes[1]) == 64 and hashes[1] != hashes[0]


async def test_a_persons_answers_are_part_of_it(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), DELIVER])]), checkpoints=(WRITES,))
    await stage.say("Write it down")
    await stage.answer({"type": "reject", "message": "no"})
    [episode] = await stage.services.lessons.episodes.recent("default")
    assert (episode.approvals, episode.overrides, episode.error_code) == (1, 1, "rejected")
    [attempt] = await stage.services.lessons.critiques.attempts("default")
    assert (attempt.run, attempt.code, attempt.message) == (episode.run, "rejected", "no")


async def test_drafts_below_the_bar_leave_their_critiques(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.4, 0.9]))
    await stage.say("Write something good")
    [record] = await stage.services.lessons.critiques.recent("default")
    assert record.critique == Critique(score=0.4, issues=["more"])
    assert record.issue_count == 1


async def test_a_team_that_keeps_no_failures_leaves_none(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.4, 0.45]), store_failures=False)
    await stage.say("Write something good")
    assert await stage.services.lessons.critiques.recent("default") == []


async def test_a_recipe_routes_what_is_alike(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.92]))
    for topic in ("bees in spring", "the Roman army", "container ships"):
        stage.troupe.decision = stage.troupe.decision.model_copy(update={"explanation": "planned"})
        await stage.say(f"Please look up three facts about {topic} for my class")
    stage.troupe.asked.clear()
    state = await stage.say("Please look up three facts about volcanoes for my class")
    assert "planner" not in stage.troupe.asked
    [pattern] = await stage.services.lessons.recipes.patterns("default")
    assert (pattern.name, pattern.successes) == ("please look up three facts about {topic} for my class", 4)
    assert state["decision"]["source"] in ("memory", "recipe")


async def test_feedback_changes_the_next_route(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.92]))
    state = await stage.say("Create a blog post about AI trends")
    assert (await stage.say("Write a blog about machine learning"))["decision"]["source"] == "memory"
    episodes = await stage.services.lessons.episodes.recent("default")
    for episode in episodes:
        await stage.services.lessons.feedback.give("default", episode.run, ANN, rating=1)
    assert state["run"] in {e.run for e in episodes}
    assert (await stage.say("Write a blog about machine learning"))["decision"]["source"] == "planner"


@pytest.mark.parametrize("workspace", ["default", "other"])
async def test_a_profile_is_in_the_briefing_of_its_workspace(theatre: Opener, workspace: str) -> None:
    stage = theatre()
    profile = Profile(brand_voice={"tone": "calm"}, target_profiles=[{"name": "kids"}], preferences={"length": "short"})
    await stage.services.lessons.profiles.put(workspace, profile)
    briefing = (await stage.say("Do something useful"))["briefing"]
    told = (briefing["brand_voice"], briefing["target_profiles"], briefing["preferences"])
    mine = ({"tone": "calm"}, [{"name": "kids"}], {"length": "short"})
    assert told == (mine if workspace == "default" else ({}, [], {}))
