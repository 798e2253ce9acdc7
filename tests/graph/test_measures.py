from typing import Any

import pytest

from domain.decisions import PastDecision, kind_of
from domain.plans import Plan
from graph.context import Context, Run
from graph.measures import measured, measured_plan, novelty_of, step_risk
from tests.graph.conftest import Opener, Theatre, step

ARGS = {"to": ["a@x.example", "b@x.example"], "amount": "12.50", "text": "hi"}
PAY = step("pay", "writer", tool="save", effect="write", privacy="personal", args=ARGS)


@pytest.fixture
def run(theatre: Opener) -> Run:
    stage: Theatre = theatre()
    return Run(stage.services, Context(user="ada"), "default:t", "r", publish=lambda event: None)


STATE: Any = {"plan": Plan(steps=[PAY], confidence=0.6).model_dump(mode="json"), "critique": {"score": 0.8}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recipients", 2), ("amount", 12.5), ("privacy", "personal"), ("tool", "save"), ("agent", "writer"),
        ("effect", "write"), ("undoable", False), ("confidence", 0.6), ("quality", 0.8), ("novelty", 1.0),
        ("cost", 0.0),
    ],
)  # fmt: skip
async def test_what_is_measured_before_a_step(run: Run, name: str, value: Any) -> None:
    assert await measured(PAY, ARGS, STATE, run, names=[name]) == {name: value}


async def test_only_what_is_wanted_is_measured(run: Run) -> None:
    assert await measured(PAY, ARGS, STATE, run, names=[]) == {}


@pytest.mark.parametrize("args", [{"amount": "1.000,50"}, {"amount": "a lot"}, {"price": float("inf")}])
async def test_an_amount_that_cannot_be_read_is_left_out(run: Run, args: dict[str, Any]) -> None:
    assert await measured(PAY, args, STATE, run, names=["amount"]) == {}


async def test_a_success_rate_without_history_is_left_out(run: Run) -> None:
    assert await measured(PAY, ARGS, STATE, run, names=["success_rate"]) == {}


async def test_novelty_falls_with_approvals_of_people_that_went_well(run: Run) -> None:
    kind = kind_of("save", ARGS)

    async def note(name: str, **fields: Any) -> float | None:
        past = PastDecision(id=name, kind=kind, time=1.0, **({"type": "approve", "by": "ada"} | fields))
        await run.services.lessons.decisions.note("default", past)
        return await novelty_of("save", ARGS, run)

    assert await note("1") == 1 / 2
    assert await note("2", outcome="done") == 1 / 3
    assert await note("3", by="timeout") == 1 / 3
    assert await note("4", type="edit", edited=("to",)) == 1 / 3
    assert await note("5", outcome="undone") == 1 / 3
    assert await novelty_of("save", {"to": "c@x.example"}, run) == 1.0


async def test_what_is_still_to_come_counts_as_the_worst(run: Run) -> None:
    known = await step_risk(PAY, {"to": "a@x.example", "amount": 1}, run)
    to_come = await step_risk(PAY, {"to": {"ref": {"step": "read"}}, "amount": {"ref": {"step": "read"}}}, run)
    assert (to_come.parts["scope"], to_come.parts["money"]) == (1.0, 1.0)
    assert to_come.score > known.score


async def test_a_plan_is_as_risky_and_private_as_its_worst_step(run: Run) -> None:
    plan = Plan(steps=[step("read"), PAY], estimates={"dollars": 0.25}, confidence=0.4)
    found = await measured_plan(
        plan, run, names=["risk", "privacy", "steps", "writes", "cost", "confidence", "undoable"]
    )
    assert found == {
        "risk": (await step_risk(PAY, ARGS, run)).score,
        "privacy": "personal",
        "steps": 2,
        "writes": 1,
        "cost": 0.25,
        "confidence": 0.4,
        "undoable": False,
    }
