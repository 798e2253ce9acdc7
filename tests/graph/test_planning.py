"""Planning through the graph's public door: what a model answers, what code makes of it, and what runs."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from agents.cast import Understudied
from agents.contracts import Planning, PlanningRequest
from agents.model_settings import ModelSettings
from agents.models import Models
from agents.roles.planner import Planner
from agents.rules.planner import plan as plan_by_rules
from agents.team import PlanningPolicy, Weights
from domain.budgets import Budget, Budgets
from domain.checkpoints import Checkpoint
from domain.outcomes import StepResult
from domain.plans import Plan, Problem
from evals.scripted import ScriptedServer
from graph.context import Limits
from memory.constraints import parsed_rule
from memory.profiles import Profile
from memory.provenance import Provenance
from prompts.loader import Prompts
from tests.graph.conftest import DELIVER, Opener, Theatre, Troupe, step

Scripted = Callable[..., tuple[Theatre, ScriptedServer]]
ANN = Provenance(writer="person", user="ann")


@pytest.fixture
async def scripted(theatre: Opener) -> AsyncIterator[Scripted]:
    """A theatre whose planner is a scripted model, with the rule-based planner behind it."""
    async with AsyncExitStack() as stack:

        def opened(*answers: Any, **more: Any) -> tuple[Theatre, ScriptedServer]:
            server = stack.enter_context(ScriptedServer([{"content": answer} for answer in answers]))
            models = Models(
                ModelSettings(base_url=server.base_url, default="openai:lead", max_retries=0, api_key=SecretStr("sk-x"))
            )
            stack.push_async_callback(models.aclose)
            stage = theatre(**more)
            player = Planner(models.for_job("planner"), Prompts().load("planner"))
            planner = Understudied("planner", [player], plan_by_rules)
            stage.services = replace(stage.services, cast=replace(stage.services.cast, planner=planner, mode="lead"))
            stage.reopen()
            return stage, server

        yield opened


def planned(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"steps": list(steps), "rationale": "Why not.", **more}


def answer(*plans: dict[str, Any]) -> dict[str, Any]:
    return {"alternatives": list(plans)}


def work(name: str, agent: str = "reader", *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "agent": agent, "task": f"do {name}", "needs": list(needs), **more}


def asked(server: ScriptedServer, number: int) -> str:
    """Return what the user message of a call said."""
    text: str = server.requests()[number]["messages"][1]["content"]
    return text


def problems(stage: Theatre) -> list[list[str]]:
    """Return the codes that were told each time."""
    return [[p.code for p in event.problems] for event in stage.told("plan_criticised")]


GOOD = planned(work("read"), work("write", "writer", "read"))
BAD = {
    "circle of references": (
        planned(
            work("a", "writer", tool="save", args={"path": "x", "text": {"ref": {"step": "b"}}}),
            work("b", "writer", tool="save", args={"path": "y", "text": {"ref": {"step": "a"}}}),
        ),
        "cycle",
    ),
    "tool that nobody knows": (planned(work("a", tool="teleport")), "unknown_tool"),
    "tool that is not at hand": (planned(work("a", "writer", tool="write_file")), "unavailable_resource"),
    "wrong type": (planned(work("a"), work("b", "writer", tool="save", args={"path": "x", "text": {"a": 1}})),
                   "bad_argument"),
    "reference to nothing": (planned(work("a", "reader", "zebra")), "unknown_step"),
    "500 steps": (planned(*(work(f"s{i}") for i in range(500))), "too_many_steps"),
    "another goal": (
        planned(
            work("a", task="Find the cheap flights to Paris"), work("b", "writer", "a", task="Book a hotel there")
        ),
        "off_goal",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("bad", "code"), BAD.values(), ids=BAD)
async def test_a_bad_plan_is_a_coded_problem_and_the_run_goes_on(
    scripted: Scripted, bad: dict[str, Any], code: str
) -> None:
    stage, server = scripted(answer(bad), answer(GOOD))
    state = await stage.say("How did the sales of bicycles change in Denmark?")
    assert problems(stage)[0] == [code]
    assert f"{code}" in asked(server, 1)
    assert state["outcome"]["status"] == "done"
    assert len(asked(server, 1)) < 20_000


@pytest.mark.parametrize(("bad", "code"), BAD.values(), ids=BAD)
async def test_a_planner_that_never_mends_its_plan_is_replaced_by_rules(
    scripted: Scripted, bad: dict[str, Any], code: str
) -> None:
    stage, _ = scripted(answer(bad), answer(bad), limits=Limits(max_plan_revisions=1, retry_pause=0))
    stage.services = replace(stage.services, understudies=replace(stage.services.understudies, planner=plan_by_rules))
    stage.reopen()
    outcome = (await stage.say("How did the sales of bicycles change in Denmark?"))["outcome"]
    assert (outcome["status"], outcome["degraded"]) == ("done", True)


async def test_slips_are_mended_without_asking_the_model_again(scripted: Scripted) -> None:
    slips = planned(work("read_it", "Reader"), work("write", "writer", "readit"))
    stage, server = scripted(answer(slips))
    state = await stage.say("Do something useful")
    assert [s["needs"] for s in state["plan"]["steps"]] == [[], ["read_it"]]
    assert (
        "Mended: 'read_it' went from 'Reader' to 'reader'; 'readit' in 'write' is 'read_it'"
        in (state["plan"]["rationale"])
    )
    assert (state["outcome"]["status"], len(server.requests())) == ("done", 1)


@pytest.mark.parametrize(
    ("weights", "steps"), [(Weights(latency=1), 1), (Weights(), 3)], ids=["time counts", "quality counts"]
)
async def test_the_choice_is_a_trade_that_the_rationale_names(scripted: Scripted, weights: Weights, steps: int) -> None:
    short, broken = planned(work("write", "writer"), quality=0.7), planned(work("x", "zebra"))
    thorough = planned(*GOOD["steps"], work("more", "writer", "write"), quality=0.9)
    stage, _ = scripted(answer(broken, thorough, short))
    team = stage.services.team.model_copy(update={"planning": PlanningPolicy(weights=weights)})
    stage.services = replace(stage.services, team=team)
    stage.reopen()
    plan = (await stage.say("Do something useful"))["plan"]
    assert len(plan["steps"]) == steps
    assert "it trades" in plan["rationale"]
    assert plan["rationale"].endswith("Other plans could not run (unknown_agent).")
    assert plan["estimates"].keys() == {"quality", "seconds", "calls", "tokens", "privacy"}


async def test_the_profile_decides_over_the_team(scripted: Scripted) -> None:
    slow = planned(*GOOD["steps"], work("more", "writer", "write"), quality=0.9)
    stage, server = scripted(answer(slow, planned(work("write", "writer"), quality=0.3)))
    profile = Profile(preferences={"speed_first": "true"})
    await stage.services.lessons.profiles.put("default", profile)
    plan = (await stage.say("Do something useful"))["plan"]
    assert (len(plan["steps"]), "the weights of your preferences" in plan["rationale"]) == (1, True)
    assert "speed_first" in asked(server, 0)


async def test_what_was_measured_speaks_in_the_next_choice(scripted: Scripted) -> None:
    stage, _ = scripted(answer(GOOD), answer(GOOD))
    await stage.say("Create a blog post about AI trends")
    state = await stage.say("What is the refund policy for enterprise plans?")
    assert "(1 run of this sequence)" in state["plan"]["rationale"]


async def test_no_plan_may_be_expected_to_go_over_the_budget(scripted: Scripted) -> None:
    optional = planned(work("read"), work("extra", on_failure="skip"), work("write", "writer", "read", "extra"))
    dear = planned(*(work(f"s{i}") for i in range(4)))
    stage, server = scripted(answer(dear), answer(optional))
    budgets = Budgets(run=Budget(calls=6))
    stage.services = replace(stage.services, budgets=budgets)
    stage.reopen()
    state = await stage.say("Do something useful")
    assert problems(stage)[0] == ["over_budget"]
    assert [s["id"] for s in state["plan"]["steps"]] == ["read", "write"]
    assert "calls: 6" in asked(server, 0)


async def test_the_planner_is_told_the_hard_rules_but_no_secret_text(scripted: Scripted) -> None:
    stage, server = scripted(answer(GOOD))
    for rule in (
        {"id": "no-evil", "kind": "forbidden_path", "paths": ["evil*"], "why": "it is evil"},
        {"id": "quiet", "kind": "security", "texts": ["project bluebird"]},
    ):
        await stage.services.constraints.propose("default", parsed_rule(rule), ANN)
        await stage.services.constraints.accept("default", str(rule["id"]), ANN)
    await stage.say("Do something useful")
    assert "forbidden_path no-evil: paths ['evil*'] (it is evil)" in asked(server, 0)
    assert "security quiet" in asked(server, 0) and "bluebird" not in json.dumps(server.requests())


async def test_an_adaptive_plan_goes_on_when_its_results_are_seen(scripted: Scripted) -> None:
    stage, server = scripted(
        answer(planned(work("look"), continues=True)), answer(planned(work("end", "writer", "look")))
    )
    state = await stage.say("Do something useful")
    assert [name for name in stage.troupe.asked if name in ("look", "end")] == ["look", "end"]
    assert [s["id"] for s in state["plan"]["steps"]] == ["look", "end"]
    assert (state["outcome"]["answer"], state["stretches"]) == ("end done", 1)
    assert [event.plan.strategy for event in stage.told("plan_proposed")] == ["adaptive", "simple"]
    assert "look done" in asked(server, 1) and "Stretches that may follow this one: 1" in asked(server, 1)
    assert [task.sequence for task in await stage.services.memory.list("default")] == [["reader", "writer"]]


async def test_stretches_have_a_bound(scripted: Scripted) -> None:
    stage, _ = scripted(*(answer(planned(work(f"look_{i}"), continues=True)) for i in range(3)))
    state = await stage.say("Do something useful")
    assert (state["outcome"]["status"], state["stretches"], state["plan"]["continues"]) == ("done", 2, False)
    assert [s["id"] for s in state["plan"]["steps"]] == ["look_0", "look_1", "look_2"]


async def test_a_stretch_may_be_enough(scripted: Scripted) -> None:
    stage, _ = scripted(answer(planned(work("look"), continues=True)), answer(planned()))
    state = await stage.say("Do something useful")
    assert (state["outcome"]["answer"], stage.troupe.asked.count("look")) == ("look done", 1)


async def test_a_next_stretch_that_cannot_run_is_mended_behind_what_is_finished(scripted: Scripted) -> None:
    stage, server = scripted(
        answer(planned(work("look"), continues=True)),
        answer(planned(work("end", "zebra", "look"))),
        answer(planned(work("look"), work("end", "writer", "look"))),
    )
    state = await stage.say("Do something useful")
    assert "unknown_agent in 'end'" in asked(server, 2)
    assert (stage.troupe.asked.count("look"), state["outcome"]["answer"]) == (1, "end done")


async def test_a_stretch_that_fails_leads_to_another_plan(scripted: Scripted) -> None:
    async def perform(request: Any) -> StepResult:
        if request.step.id == "bad":
            msg = "gone"
            raise TimeoutError(msg)
        return StepResult(step=request.step.id, agent="reader", text=f"{request.step.id} done")

    stage, _ = scripted(
        answer(planned(work("look"), continues=True)),
        answer(planned(work("bad", "writer", "look", on_failure="replan"))),
        answer(planned(work("look"), work("end", "writer", "look"))),
        troupe=Troupe(perform=perform),
    )
    state = await stage.say("Do something useful")
    assert (state["outcome"]["status"], state["outcome"]["answer"]) == ("done", "end done")
    assert stage.troupe.asked.count("look") == 1


async def test_a_rejected_plan_takes_no_results_to_the_next_one(theatre: Opener) -> None:
    """The step `a` of the refused plan has another task than the one that was done under this id."""

    def plan(task: str, end: str) -> Plan:
        return Plan(steps=[step("a").model_copy(update={"task": task}), step("b", end, "a")])

    async def perform(request: Any) -> StepResult:
        if request.step.task == "do b" and request.step.agent == "reader":
            msg = "gone"
            raise TimeoutError(msg)
        return StepResult(step=request.step.id, agent=request.step.agent, text=request.step.task)

    first = plan("old", "reader").steps
    first[1].on_failure = "replan"
    stage = theatre(Troupe(plans=[Plan(steps=first), plan("new", "zebra"), plan("new", "writer")], perform=perform))
    state = await stage.say("Read it")
    assert state["results"]["a"]["text"] == "new"


async def test_by_rules_an_adaptive_team_gathers_first(theatre: Opener) -> None:
    stage = theatre()
    rounds: list[Planning] = []

    async def planner(request: PlanningRequest) -> Planning:
        rounds.append(await plan_by_rules(request))
        return rounds[-1]

    specialists = (
        stage.services.team.specialist("reader").model_copy(update={"capabilities": ("search",)}),
        stage.services.team.specialist("writer").model_copy(update={"capabilities": ("creation",)}),
    )
    template = {"name": "t", "kinds": ["search"], "steps": [step("read"), step("write", "writer", "read")]}
    team = stage.services.team.model_validate(
        stage.services.team.model_dump()
        | {"planning": {"strategy": "adaptive"}, "templates": [template], "specialists": specialists}
    )
    cast = replace(stage.services.cast, planner=planner)
    stage.services = replace(stage.services, cast=cast, team=team)
    stage.reopen()
    state = await stage.say("Which law is it?")
    assert [p.alternatives[0].continues for p in rounds] == [True, False]
    assert [name for name in stage.troupe.asked if name in ("read", "write")] == ["read", "write"]
    assert state["outcome"]["answer"] == "write done"


WORRY = Problem(code="conflict", step="a", message="two of a kind")


async def test_a_plan_that_could_do_harm_runs_only_when_a_person_says_so(theatre: Opener) -> None:
    stage = theatre(Troupe(problems=[[WORRY]] * 3), limits=Limits(max_plan_revisions=2, retry_pause=0))
    await stage.say("Do something useful")
    question = await stage.question()
    assert question is not None and "Look closely: conflict in 'a': two of a kind" in question["description"]
    assert "read" not in stage.troupe.asked
    assert (await stage.answer({"type": "approve"}))["outcome"]["status"] == "done"


async def test_a_consent_that_a_plan_needs_is_asked_for(theatre: Opener) -> None:
    plan = Plan(steps=[step("read", privacy="personal"), step("write", "writer", "read")])
    stage = theatre(Troupe(plans=[plan]))
    await stage.say("Do something useful")
    question = await stage.question()
    assert question is not None and "Your consent to 'personal_data' is needed: reader" in question["description"]
    assert (await stage.answer({"type": "approve"}))["outcome"]["status"] == "done"


async def test_each_stretch_is_shown_where_plans_are_shown(scripted: Scripted) -> None:
    gate = Checkpoint(name="plan", condition="BEFORE_EXECUTION")
    stage, _ = scripted(
        answer(planned(work("look"), continues=True)), answer(planned(work("end", "writer", "look"))),
        checkpoints=(gate,),
    )  # fmt: skip
    await stage.say("Do something useful")
    for seen in ([], ["look"]):
        assert [name for name in stage.troupe.asked if name in ("look", "end")] == seen
        state = await stage.answer({"type": "approve"})
    assert state["outcome"]["answer"] == "end done"


async def test_a_delivery_in_an_adaptive_plan_waits_for_the_draft(scripted: Scripted) -> None:
    deliver = DELIVER.model_dump(include={"id", "agent", "task", "tool", "args"})
    stage, _ = scripted(
        answer(planned(work("look"), continues=True)), answer(planned(work("end", "writer", "look"), deliver))
    )
    await stage.say("Write something useful as a.md")
    assert [(note.path, note.text) for note in stage.troupe.saved] == [("a.md", "end done")]
