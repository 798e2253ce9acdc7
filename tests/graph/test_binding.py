"""Steps bound to resources, on the real road: reserved, rebound when one fails, never given what it may not see."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from agents.contracts import Assignment
from agents.resources.desk import ResourceDesk
from agents.resources.offers import Offer
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.errors import ModelRefused, ModelUnavailable, StorageBusy, ToolError, ToolRefused
from domain.outcomes import StepResult
from domain.plans import Plan, Step
from domain.resources import Resource
from graph.binding import SLOW, Binder, offers_for
from graph.context import Context, Limits, Run
from memory.leases import Leases
from tests.graph.conftest import Note, Opener, Theatre, Troupe, step


def model(name: str, **fields: Any) -> Resource:
    return Resource.model_validate({"name": name, "kind": "model", "uses": f"openai:{name}", "serves": ["*"]} | fields)


HERE = model("here", placement="local")
CLOUD = model("cloud")


def furnished(stage: Theatre, *resources: Resource) -> Theatre:
    """Give the stage resources, and let models lead on it."""
    services, records = stage.services, stage.services.memory._records
    desk = ResourceDesk(resources, records, Leases(records))
    cast = replace(services.cast, mode="openai:large")
    stage.services = replace(services, resources=desk, cast=cast)
    return stage


class Players:
    """Specialists whose models fail as they are told, and who note what they were given."""

    def __init__(self, *failing: str, together: int = 1) -> None:
        self.failing, self.played, self.at_once, self.most = failing, list[tuple[str, str]](), 0, 0
        self.company = asyncio.Barrier(together)

    async def __call__(self, request: Assignment) -> StepResult:
        used = str(request.specialist.model)
        self.played.append((request.step.id, used))
        assert request.bound
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        async with asyncio.timeout(10):
            await self.company.wait()
        self.at_once -= 1
        if used in self.failing:
            raise ModelUnavailable(f"{used} is away")
        return StepResult(step=request.step.id, agent=request.specialist.name, text=f"{request.step.id} done")


async def test_a_step_runs_on_the_resource_that_is_best_for_it_and_the_result_says_so(theatre: Opener) -> None:
    players = Players()
    stage = furnished(theatre(Troupe(plans=[Plan(steps=[step("read")])], perform=players)), CLOUD, HERE)
    state = await stage.say("Read the report")
    assert players.played == [("read", "openai:here")]
    assert state["results"]["read"]["resource"] == "here"
    (bound,) = stage.told("resource_bound")
    assert (bound.resource, bound.placement) == ("here", "local")
    assert "others: cloud" in bound.why
    desk = stage.services.resources
    assert desk is not None
    assert (await desk.seen("default", "here")).n == 1


async def test_when_a_resource_fails_the_next_one_takes_the_step(theatre: Opener) -> None:
    players = Players("openai:here")
    stage = furnished(theatre(Troupe(plans=[Plan(steps=[step("read")])], perform=players)), CLOUD, HERE)
    state = await stage.say("Read the report")
    assert players.played == [("read", "openai:here"), ("read", "openai:cloud")]
    assert state["outcome"]["status"] == "done"
    assert state["results"]["read"]["resource"] == "cloud"


async def test_secret_data_is_never_given_to_a_resource_that_may_not_see_it(theatre: Opener) -> None:
    players = Players("openai:here")
    plan = Plan(steps=[step("read", privacy="secret", on_failure="stop")])
    stage = furnished(theatre(Troupe(plans=[plan], perform=players)), CLOUD, HERE)
    state = await stage.say("Read the report")
    assert state["pending"][0]["name"] == "give_consent"
    state = await stage.answer({"type": "approve"})
    assert {used for _, used in players.played} == {"openai:here"}
    assert state["outcome"]["status"] == "failed"


async def test_a_plan_that_nothing_may_do_is_not_run(theatre: Opener) -> None:
    players = Players()
    plan = Plan(steps=[step("read", privacy="secret")])
    stage = furnished(theatre(Troupe(plans=[plan], perform=players)), CLOUD)
    state = await stage.say("Read the report")
    assert (players.played, state["outcome"]["status"]) == ([], "failed")
    assert "unavailable_resource" in state["outcome"]["failure"]["message"]
    assert "internal data at most" in state["outcome"]["failure"]["message"]


@pytest.mark.parametrize(("capacity", "most"), [(1, 1), (2, 2)])
async def test_no_more_steps_use_a_resource_at_once_than_it_takes(theatre: Opener, capacity: int, most: int) -> None:
    players = Players(together=most)
    plan = Plan(steps=[step("a"), step("b"), step("c"), step("d")])
    stage = furnished(theatre(Troupe(plans=[plan], perform=players)), model("here", capacity=capacity))
    state = await stage.say("Read a, b, c and d")
    assert state["outcome"]["status"] == "done"
    assert players.most == most


async def test_without_a_model_nothing_is_bound(theatre: Opener) -> None:
    stage = furnished(theatre(Troupe(plans=[Plan(steps=[step("read")])])), CLOUD, HERE)
    stage.services = replace(stage.services, cast=replace(stage.services.cast, mode="rules"))
    state = await stage.say("Read the report")
    assert state["results"]["read"]["resource"] == ""


def run_of(stage: Theatre) -> Run:
    return Run(stage.services, Context(), "t", "r", lambda event: None)


async def test_each_resource_is_tried_once_and_what_is_left_of_the_tries_comes_last(theatre: Opener) -> None:
    players = Players("openai:a", "openai:b", "openai:c")
    plan = Plan(steps=[step("read", "writer", on_failure="stop")])
    stage = furnished(theatre(Troupe(plans=[plan], perform=players)), *map(model, "abc"))
    await stage.say("Read the report")
    assert [used for _, used in players.played] == ["openai:a", "openai:b", "openai:c"]
    assert [event.rung for event in stage.told("recovery_chosen")] == ["rebind", "rebind", "stop"]


async def test_a_resource_that_refuses_is_not_asked_again_and_is_not_counted_as_broken(theatre: Opener) -> None:
    played: list[str] = []

    async def perform(request: Assignment) -> StepResult:
        played.append(str(request.specialist.model))
        if played == ["openai:here"]:
            raise ModelRefused("no")
        return StepResult(step=request.step.id, agent=request.specialist.name, text="done")

    stage = furnished(theatre(Troupe(plans=[Plan(steps=[step("read")])], perform=perform)), CLOUD, HERE)
    await stage.say("Read the report")
    assert played == ["openai:here", "openai:cloud"]
    desk = stage.services.resources
    assert desk is not None
    assert (await desk.seen("default", "here")).n == 0


async def test_only_where_another_could_take_over_is_a_slow_try_cut_short(theatre: Opener) -> None:
    quick = Offer(HERE, 1.0, 2.0, measured=2.0)
    for resources, patience in (([HERE], 120.0), ([HERE, CLOUD], SLOW * 2.0)):
        binder = Binder(step("read"), run_of(furnished(theatre(), *resources)))
        async with binder.bound("reader", None):
            assert binder.patience(quick) == patience


async def test_a_failed_count_does_not_take_away_what_the_step_gave(
    theatre: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    players = Players()
    stage = furnished(theatre(Troupe(plans=[Plan(steps=[step("read")])], perform=players)), HERE)
    desk = stage.services.resources
    assert desk is not None

    async def busy(*_: Any) -> None:
        raise StorageBusy("no")

    monkeypatch.setattr(desk, "_records", SimpleNamespace(get=desk._records.get, merge=busy))
    state = await stage.say("Read the report")
    assert (len(players.played), state["outcome"]["status"]) == (1, "done")


def tool(name: str, effect: Any) -> Tool:
    async def run(_: Note) -> ToolOutput:
        return ToolOutput(name)

    return Tool(name, "", Note, run, effect=effect)


@pytest.mark.parametrize(
    ("error", "places", "called"),
    [
        (ToolError("not now"), ("write_file", "save"), ["write_file", "save"]),
        (ToolRefused("never"), ("write_file", "write_file"), ["write_file", "save", "save"]),
        (ToolError("not now"), ("write_file", "write_file"), ["write_file", "write_file", "save", "save"]),
    ],
    ids=["each tool once", "a refusal is no matter of the place", "a passing failure may be"],
)
async def test_no_tool_is_taken_again_where_another_try_does_not_mend_it(
    theatre: Opener, error: ToolError, places: tuple[str, str], called: list[str]
) -> None:
    taken: list[str] = []

    def failing(name: str, error: ToolError, **more: Any) -> Tool:
        async def run(_: Note) -> ToolOutput:
            taken.append(name)
            raise error

        return Tool(name, "", Note, run, effect="read", **more)

    looks = step("look", "writer", tool="write_file", effect="read", args={"path": "a", "text": "b"}, on_failure="stop")
    devices = [
        model(name, kind="device", uses=uses, serves=["write_file"])
        for name, uses in zip(("first", "second"), places, strict=True)
    ]
    stage = furnished(theatre(Troupe(plans=[Plan(steps=[looks])]), limits=Limits(retry_pause=0)), *devices)
    tools = [failing("write_file", error, alternatives=("save",)), failing("save", ToolError("not now"))]
    stage.services = replace(stage.services, tools=Toolbox.of(tools))
    stage.reopen()
    await stage.say("Look at it")
    assert taken == called


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ([CLOUD], ([], [])),
        ([model("lamp", kind="device", uses="save")], ([], [])),
        ([model("sensor", kind="device", uses="write_file", placement="local")], (["sensor"], [])),
        ([model("sensor", kind="device", uses="write_file")], ([], ["sensor"])),
    ],
    ids=["models do not matter", "never through a tool that writes", "offered", "refused"],
)
async def test_a_step_with_a_tool_is_offered_what_reaches_it(
    theatre: Opener, resources: list[Resource], found: tuple[list[str], list[str]]
) -> None:
    stage = furnished(theatre(), *resources)
    stage.services = replace(stage.services, tools=Toolbox.of([tool("save", "write"), tool("write_file", "read")]))
    looks = step("look", "writer", tool="write_file", privacy="secret")
    offers = await offers_for(looks, "writer", "write_file", run_of(stage))
    assert ([o.resource.name for o in offers.ranked], [*offers.refused]) == found


async def test_private_data_goes_to_no_model_that_nobody_has_declared(theatre: Opener) -> None:
    players = Players("openai:here")
    stage = furnished(
        theatre(Troupe(plans=[Plan(steps=[step("read", privacy="secret", consent=["secret_data"])])], perform=players)),
        model("here", placement="local", serves=["reader"]),
    )
    await stage.say("Read the report")
    state = await stage.answer({"type": "approve"})
    assert {used for _, used in players.played} == {"openai:here"}  # the fallback has no model that may see it
    assert state["outcome"]["status"] == "failed"


async def test_what_is_made_of_private_data_is_bound_as_private(theatre: Opener) -> None:
    players = Players()
    steps = [step("read", privacy="secret", consent=["secret_data"]), step("write", "writer", "read")]
    here = model("here", placement="local", skill=0.1)
    stage = furnished(theatre(Troupe(plans=[Plan(steps=steps)], perform=players)), here, model("cloud", skill=1.0))
    await stage.say("Read the report")
    state = await stage.answer({"type": "approve"})
    assert players.played == [("read", "openai:here"), ("write", "openai:here")]
    assert state["outcome"]["status"] == "done"


def private(*then: Step) -> Plan:
    return Plan(steps=[step("read", privacy="secret", consent=["secret_data"]), *then])


@pytest.mark.parametrize("local", [False, True], ids=["a model nobody declared", "a model that may see it"])
async def test_roles_are_given_private_results_only_where_their_models_may_see_them(
    theatre: Opener, local: bool
) -> None:
    stage = furnished(theatre(Troupe(plans=[private(step("look"))], perform=Players(), scores=[0.5, 0.9])), HERE)
    twins = Troupe(scores=[0.5, 0.9])
    lead = "openai:here" if local else "openai:lead"
    cast = replace(stage.services.cast, models={role: [lead] for role in ("composer", "critic", "reviser", "planner")})
    stage.services = replace(stage.services, cast=cast, understudies=twins.cast())
    await stage.say("Read the report")
    state = await stage.answer({"type": "approve"})
    assert state["outcome"]["status"] == "done"
    roles = ["composer", "critic", "reviser", "critic"]
    by_models = [name for name in stage.troupe.asked if name in roles]
    assert (by_models, twins.asked) == ((roles, []) if local else ([], roles))
    assert state["outcome"]["degraded"] is not local


async def test_a_planner_is_told_that_there_are_private_results_and_not_what_they_say(theatre: Opener) -> None:
    async def perform(request: Assignment) -> StepResult:
        return StepResult(step=request.step.id, agent="reader", text="the code is 1234", data={"code": 1234})

    first = private(step("open", privacy="public")).model_copy(update={"continues": True})
    troupe = Troupe(plans=[first, Plan(steps=[step("write", "reader", "read")])], perform=perform)
    stage = furnished(theatre(troupe), HERE)
    await stage.say("Read the report")
    await stage.answer({"type": "approve"})
    told = {result.step: (result.text, result.data) for result in troupe.planning[1].results}
    assert told["open"] == ("the code is 1234", {"code": 1234})
    assert "1234" not in str(told["read"]) and told["read"][1] == {}
