"""Consents in a run: asked once, answered always, this time or never, kept, and taken back."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from agents.contracts import Assignment
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.outcomes import StepResult
from domain.plans import Plan
from graph.consent import asked_once, questions
from memory.audit import Audit
from memory.consents import Consents
from tests.graph.conftest import Opener, Theatre, Troupe, step

PHOTOS = Plan(steps=[step("look", consent=["camera"]), step("write", "writer", "look")])


class Nothing(BaseModel):
    pass


def consenting(stage: Theatre) -> Consents:
    """Give the stage a place where consents are kept, with an audit."""
    records = stage.services.constraints._records
    audit = Audit(records)
    consents = Consents(records, audit=audit)
    stage.services = replace(stage.services, consents=consents, audit=audit)
    stage.reopen()
    return consents


async def asked(stage: Theatre) -> list[dict[str, Any]]:
    question = await stage.question()
    return question["action_requests"] if question else []


async def test_a_step_is_held_until_somebody_agrees_and_its_sibling_goes_on(theatre: Opener) -> None:
    plan = Plan(steps=[step("look", consent=["camera"]), step("other"), step("write", "writer", "look", "other")])
    stage = theatre(Troupe(plans=[plan]))
    consents = consenting(stage)
    state = await stage.say("Describe the photos")
    (request,) = await asked(stage)
    assert (request["name"], request["args"]) == ("give_consent", {"scope": "camera", "answer": "this time"})
    assert "'camera'" in request["description"] and "do look" in request["description"]
    assert ("other" in stage.troupe.asked, "look" in stage.troupe.asked) == (True, False)
    state = await stage.answer({"type": "approve"})
    assert state["outcome"]["status"] == "done" and "look" in stage.troupe.asked
    assert await consents.history("default") == []


@pytest.mark.parametrize("how", ["edit", "word"])
async def test_always_is_kept_and_not_asked_again(theatre: Opener, how: str) -> None:
    stage = theatre(Troupe(plans=[PHOTOS]))
    consents = consenting(stage)
    await stage.say("Describe the photos")
    if how == "edit":
        state = await stage.answer({"type": "edit", "args": {"answer": "always"}})
    else:
        state = await stage.say("Always!")
    assert state["outcome"]["status"] == "done"
    assert await consents.standing("default", "ada") == {"camera": "always"}
    (move,) = await consents.history("default")
    assert (move.run, move.user) == (state["run"], "ada")
    assert (await stage.say("And what else is in them?"))["outcome"]["status"] == "done"
    assert len(await consents.history("default")) == 1


async def test_this_time_ends_with_the_run(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[PHOTOS]))
    consenting(stage)
    await stage.say("Describe the photos")
    assert (await stage.say("this time"))["outcome"]["status"] == "done"
    await stage.say("Describe the other ones, too")
    assert [request["id"] for request in await asked(stage)] == ["consent:camera"]


async def test_never_fails_the_step_now_and_later_and_the_planner_goes_another_way(theatre: Opener) -> None:
    other = Plan(steps=[step("ask"), step("write", "writer", "ask")])
    stage = theatre(Troupe(plans=[PHOTOS, other, PHOTOS, other]))
    consents = consenting(stage)
    await stage.say("Describe the photos")
    state = await stage.say("never")
    assert state["outcome"]["status"] == "done" and "look" not in stage.troupe.asked
    failures = [failure for request in stage.troupe.planning for failure in request.failures]
    assert [failure.failure.code for failure in failures if failure.failure] == ["consent_refused"]
    assert await consents.standing("default", "ada") == {"camera": "never"}
    state = await stage.say("Describe the rest of the photos")
    assert state["outcome"]["status"] == "done" and await asked(stage) == []


async def test_a_plain_no_holds_for_this_run_only(theatre: Opener) -> None:
    plan = PHOTOS.model_copy(update={"steps": [step("look", consent=["camera"], on_failure="stop")]})
    stage = theatre(Troupe(plans=[plan]))
    consents = consenting(stage)
    await stage.say("Describe the photos")
    state = await stage.answer({"type": "reject"})
    assert state["outcome"]["failure"]["code"] == "consent_refused"
    assert state["outcome"]["answer"] == "This did not finish: step 'look': no consent was given to camera."
    assert await consents.history("default") == []
    await stage.say("Describe the photos now")
    assert [request["id"] for request in await asked(stage)] == ["consent:camera"]


async def test_a_refused_consent_is_no_failure_of_the_sequence(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("look", consent=["camera"], on_failure="stop")])]))
    consenting(stage)
    await stage.say("Describe the photos")
    await stage.answer({"type": "approve"})
    before = await stage.services.memory.list("default")
    await stage.say("Describe the photos")
    state = await stage.answer({"type": "reject"})
    assert state["outcome"]["failure"]["code"] == "consent_refused"
    assert await stage.services.memory.list("default") == before and before[0].successes == 1
    assert await stage.services.lessons.critiques.attempts("default") == []
    refused, done = await stage.services.lessons.episodes.recent("default")
    assert (refused.telling, done.telling, refused.task) == (False, True, before[0].id)


async def test_why_a_consent_was_refused_stands_in_the_answer(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("look", consent=["camera", "place"], on_failure="stop")])]))
    consenting(stage)
    await stage.say("Describe the photos")
    refused = {"type": "reject", "message": "Not in the bedroom."}
    state = await stage.answer(refused, {"type": "approve"})
    assert state["outcome"]["answer"] == (
        "This did not finish: step 'look': no consent was given to camera (Not in the bedroom)."
    )


async def test_several_steps_and_later_ones_ask_once(theatre: Opener) -> None:
    steps = [
        step("a", consent=["camera"]), step("b", consent=["Camera", "place"]),
        step("c", "reader", "a", consent=["camera", "mail"]), step("w", "writer", "a", "b", "c"),
    ]  # fmt: skip
    stage = theatre(Troupe(plans=[Plan(steps=steps)]))
    consenting(stage)
    await stage.say("Describe the photos")
    requests = await asked(stage)
    assert [request["id"] for request in requests] == ["consent:camera", "consent:place", "consent:mail"]
    assert all(f"do {name}" in requests[0]["description"] for name in "abc")
    answers = [{"type": "approve"}] * 3
    state = await stage.answer(*answers)
    assert state["outcome"]["status"] == "done"


async def test_what_is_taken_back_is_asked_again(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[PHOTOS]))
    consents = consenting(stage)
    await consents.give("default", "ada", "camera", by="ada")
    assert (await stage.say("Describe the photos"))["outcome"]["status"] == "done"
    await consents.revoke("default", "ada", "camera", by="ada")
    await stage.say("Describe the other ones")
    assert [request["id"] for request in await asked(stage)] == ["consent:camera"]


async def test_the_consent_of_another_person_or_workspace_does_not_count(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[PHOTOS]))
    consents = consenting(stage)
    await consents.give("default", "bob", "camera", by="bob")
    await consents.give("other", "ada", "camera", by="ada")
    await stage.say("Describe the photos")
    assert len(await asked(stage)) == 1


async def test_an_answer_that_is_none_leaves_the_question_open(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[PHOTOS]))
    consenting(stage)
    await stage.say("Describe the photos")
    await stage.answer({"type": "edit", "args": {"answer": "maybe"}})
    assert len(await asked(stage)) == 1 and "look" not in stage.troupe.asked
    assert (await stage.say("yes"))["outcome"]["status"] == "done"


async def test_a_tool_that_a_specialist_comes_to_asks_then_and_the_step_begins_anew(theatre: Opener) -> None:
    shot: list[str] = []

    async def shoot(_: Nothing) -> ToolOutput:
        shot.append("click")
        return ToolOutput("a picture")

    async def perform(request: Assignment) -> StepResult:
        text = (await request.tools.get("shoot").call({})).text if request.step.id == "look" else "written"
        return StepResult(step=request.step.id, agent=request.specialist.name, text=text)

    camera = Tool("shoot", "Takes a picture.", Nothing, shoot, effect="read", consent=("camera",))
    stage = theatre(Troupe(plans=[Plan(steps=[step("look"), step("write", "writer", "look")])], perform=perform))
    reader, writer = stage.services.team.specialists
    reader = reader.model_copy(update={"tools": ("shoot",)})
    team = stage.services.team.model_copy(update={"specialists": (reader, writer)})
    tools = stage.services.tools.with_tools([camera])
    stage.services = replace(stage.services, team=team, tools=tools)
    consents = consenting(stage)
    await stage.say("Describe the photos")
    assert [request["id"] for request in await asked(stage)] == ["consent:camera"]
    assert shot == []
    state = await stage.answer({"type": "approve"})
    assert (state["outcome"]["status"], shot) == ("done", ["click"])
    await consents.refuse("default", "ada", "camera", by="ada")
    state = await stage.say("Describe the photos again")
    assert shot == ["click"] and state["results"].get("look", {}).get("status") != "done"


async def test_a_tool_of_a_plan_brings_its_scopes(theatre: Opener) -> None:
    plan = Plan(steps=[step("s", "writer", tool="save", effect="write", args={"path": "a.md", "text": "x"})])
    stage = theatre(Troupe(plans=[plan]))
    save = replace(stage.services.tools.get("save"), consent=("publish",))
    stage.services = replace(stage.services, tools=Toolbox.of([save]))
    consenting(stage)
    await stage.say("Save x to a.md with save")
    assert "consent:publish" in [request["id"] for request in await asked(stage)]
    assert stage.troupe.saved == []


async def test_every_move_is_in_the_audit(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[PHOTOS]))
    consents = consenting(stage)
    audit = stage.services.audit
    assert audit is not None
    await consents.give("default", "ada", "camera", by="root")
    await consents.give("default", "ada", "camera", by="root")
    await consents.revoke("default", "ada", "camera", by="root")
    await consents.revoke("default", "ada", "camera", by="root")
    entries = [noted async for page in audit.pages("default") for noted in page]
    told = [(n.entry.kind, n.entry.who, n.entry.data["move"]) for n in entries]
    assert told == [("consent", "root", "always"), ("consent", "root", "revoked")]


@pytest.mark.parametrize(("answer", "later", "asked_again"), [
    ("always", "revoke", True), ("always", "refuse", False), ("this time", "refuse", False),
])  # fmt: skip
async def test_what_is_taken_back_during_a_run_no_longer_holds_in_it(
    theatre: Opener, answer: str, later: str, asked_again: bool
) -> None:
    async def perform(request: Assignment) -> StepResult:
        if request.step.id == "look":
            await getattr(consents, later)("default", "ada", "camera", by="ada")
        return StepResult(step=request.step.id, agent=request.specialist.name, text="seen")

    again = step("again", "reader", "look", consent=["camera"], on_failure="stop")
    stage = theatre(Troupe(plans=[Plan(steps=[step("look", consent=["camera"]), again])], perform=perform))
    consents = consenting(stage)
    await stage.say("Describe the photos")
    await stage.say(answer)
    assert "look" in stage.troupe.asked and "again" not in stage.troupe.asked
    assert bool(await asked(stage)) is asked_again
    if asked_again:
        assert (await stage.say("yes"))["outcome"]["status"] == "done"
        assert "again" in stage.troupe.asked


async def test_a_no_in_the_run_goes_before_a_yes_for_good(theatre: Opener) -> None:
    """Somebody has agreed elsewhere while the question was open, and then answered it with no."""
    stage = theatre(Troupe(plans=[Plan(steps=[step("look", consent=["camera"], on_failure="stop")])]))
    consents = consenting(stage)
    await stage.say("Describe the photos")
    await consents.give("default", "ada", "camera", by="ada")
    state = await stage.answer({"type": "reject"})
    assert state["outcome"]["failure"]["code"] == "consent_refused" and "look" not in stage.troupe.asked


async def test_a_step_for_many_items_asks_once_and_says_so_once(theatre: Opener) -> None:
    async def perform(request: Assignment) -> StepResult:
        items = {"items": [str(n) for n in range(12)]}
        return StepResult(step=request.step.id, agent=request.specialist.name, text="seen", data=items)

    steps = [
        step("find"),
        step("look", "reader", "find", consent=["camera"], foreach={"step": "find", "field": "items"}),
    ]
    stage = theatre(Troupe(plans=[Plan(steps=steps)], perform=perform))
    consenting(stage)
    await stage.say("Describe the photos")
    (request,) = await asked(stage)
    assert request["description"].splitlines()[0] == "Your consent to 'camera' is needed: reader is to do look."
    await stage.answer({"type": "approve"})
    assert len([name for name in stage.troupe.asked if name.startswith("look")]) == 12


def test_the_purposes_of_a_consent_are_told_once_each_and_not_without_end() -> None:
    found = asked_once(request for n in (0, 1, 1, 0) for request in questions(["camera"], step(f"s{n}")))
    assert [request.description.splitlines()[0] for request in found] == [
        "Your consent to 'camera' is needed: reader is to do s0; reader is to do s1."
    ]
    (many,) = asked_once(request for n in range(100) for request in questions(["camera"], step(f"s{n}")))
    assert many.description.splitlines()[0].endswith("do s7; and more.")
