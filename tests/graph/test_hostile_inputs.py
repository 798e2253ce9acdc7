"""Hostile texts through every input of a run, with a cast that obeys each of them: no effect without a person."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, SystemMessage, ToolMessage

from agents.contracts import Assignment, Planning, PlanningRequest
from domain.briefings import Material
from domain.checkpoints import Checkpoint
from domain.outcomes import StepResult
from domain.plans import Plan, Step
from memory.constraints import parsed_rule
from memory.profiles import with_entry
from memory.provenance import Provenance
from memory.tasks import TaskRecord
from tests.graph.conftest import Opener, Theatre, Troupe, step
from tests.graph.hostile_corpus import ENCODINGS, FAMILIES, ORDER, texts

GOAL = "What do the tables say about exports of wind power?"
PERSON = Provenance(writer="person", user="ada")
TEXTS = dict(texts())


def evil() -> Step:
    return step("evil", "writer", tool="save", effect="write", args={"path": "evil.md", "text": "all there is"})


@dataclass
class Obedient(Troupe):
    """Does what any text says that it is shown: the planner adds the call that is wanted."""

    hostile: str = ""
    obeyed: int = 0

    async def planner(self, request: PlanningRequest) -> Planning:
        planning = await super().planner(request)
        shown = repr((request.briefing, request.recall, request.results, request.failures, request.problems))
        if repr(self.hostile)[1:40] not in shown:
            return planning
        self.obeyed += 1
        (plan,) = planning.alternatives
        return Planning(alternatives=[plan.model_copy(update={"steps": [*plan.steps, evil()], "continues": False})])


Plant = Callable[[Theatre, str], Awaitable[None]]


async def as_title(stage: Theatre, text: str) -> None:
    async def materials() -> list[Material]:
        return [Material(name="wind.md", kind="document", summary=text)]

    _with(stage, materials=materials)


async def as_file_name(stage: Theatre, text: str) -> None:
    async def materials() -> list[Material]:
        return [Material(name=f"{text}.md", kind="document", summary="Wind power")]

    _with(stage, materials=materials)


async def as_memory(stage: Theatre, text: str) -> None:
    plan = Plan(steps=[step("read")])
    await stage.services.memory.remember(
        TaskRecord(
            workspace="default",
            team="test",
            goal=f"{GOAL} {text}"[:4000],
            sequence=plan.sequence,
            plan=plan,
            successes=9,
            last_success=True,
            quality=0.95,
            origin="import",
        )  # fmt: skip
    )


async def as_remembered_step(stage: Theatre, text: str) -> None:
    plan = Plan(steps=[step("read"), evil().model_copy(update={"task": text})])
    await stage.services.memory.remember(
        TaskRecord(
            workspace="default",
            team="test",
            goal=GOAL,
            sequence=plan.sequence,
            plan=plan,
            successes=9,
            last_success=True,
            quality=0.95,
            origin="import",
        )  # fmt: skip
    )


async def as_correction(stage: Theatre, text: str) -> None:
    await stage.say(GOAL)
    (episode,) = await stage.services.lessons.episodes.recent("default")
    await stage.services.lessons.feedback.give("default", episode.run, PERSON, rating=2, correction=text)


async def as_profile(stage: Theatre, text: str) -> None:
    profiles = stage.services.lessons.profiles
    await profiles.put("default", with_entry(await profiles.get("default"), "preferences.style", text, PERSON))


async def as_earlier_answer(stage: Theatre, text: str) -> None:
    await stage.graph.aupdate_state(stage.config, {"messages": [("user", "hello"), AIMessage(text)]})


def _with(stage: Theatre, **services: Any) -> None:
    stage.services = replace(stage.services, **services)
    stage.reopen()


PLANTS: Sequence[Plant] = (
    as_title, as_file_name, as_memory, as_remembered_step, as_correction, as_profile, as_earlier_answer,
)  # fmt: skip
SHARE = 4
"""Texts that each input is tried with; together they are tried with all of them."""


def shares() -> list[Any]:
    """Return every input with its share of the texts."""
    names = itertools.cycle(TEXTS)
    return [pytest.param(p, TEXTS[n], id=f"{p.__name__}: {n}") for p in PLANTS for n in itertools.islice(names, SHARE)]


def asked_about(question: dict[str, Any] | None) -> list[str]:
    return [request["id"] for request in question["action_requests"]] if question else []


@pytest.mark.parametrize(("plant", "text"), shares())
async def test_a_text_that_a_planner_is_shown_and_obeys_has_no_effect(theatre: Opener, plant: Plant, text: str) -> None:
    troupe = Obedient(plans=[Plan(steps=[step("read")])], hostile=text)
    stage = theatre(troupe)
    await plant(stage, text)
    state = await stage.say(GOAL)
    assert "evil" in [planned["id"] for planned in state["plan"]["steps"]], "the text was not obeyed"
    assert (asked_about(await stage.question()), troupe.saved) == (["evil"], [])
    await stage.answer({"type": "reject"})
    assert troupe.saved == []


@pytest.mark.parametrize("text", list(TEXTS.values())[::3], ids=list(TEXTS)[::3])
async def test_a_text_in_a_tools_output_has_no_effect(theatre: Opener, text: str) -> None:
    async def perform(request: Assignment) -> StepResult:
        return StepResult(step=request.step.id, agent="reader", text=text, data={"path": text, "next": "approve"})

    first = Plan(steps=[step("read")], continues=True, strategy="adaptive")
    troupe = Obedient(plans=[first, Plan(steps=[step("write", "writer", "read")])], hostile=text, perform=perform)
    stage = theatre(troupe)
    await stage.say(GOAL)
    assert troupe.obeyed, "the text was not obeyed"
    assert (asked_about(await stage.question()), troupe.saved) == (["evil"], [])


@pytest.mark.parametrize("text", list(TEXTS.values())[1::4], ids=list(TEXTS)[1::4])
async def test_a_text_does_not_change_what_the_goal_asked_for(theatre: Opener, text: str) -> None:
    """What a run does to the world with hostile content in everything it reads is what it does without."""

    async def perform(request: Assignment) -> StepResult:
        return StepResult(step=request.step.id, agent="reader", text=text)

    deliver = step("deliver", "writer", "read", tool="save", effect="write", args={"path": "wind.md", "text": "Wind."})
    troupe = Troupe(plans=[Plan(steps=[step("read"), deliver])], perform=perform)
    stage = theatre(troupe)
    await as_title(stage, text)
    state = await stage.say("Write a brief on wind power to wind.md")
    assert (state["outcome"]["status"], await stage.question()) == ("done", None)
    assert [note.path for note in troupe.saved] == ["wind.md"]
    effects = await stage.services.effects.of_run("default", state["run"])
    assert [each.effect.args for each in effects] == [{"path": "wind.md", "text": "Wind."}]


@pytest.mark.parametrize("text", list(TEXTS.values())[2::6], ids=list(TEXTS)[2::6])
async def test_a_goal_talks_its_way_past_no_rule_and_no_checkpoint(theatre: Opener, text: str) -> None:
    asks = Checkpoint(name="before_writing", condition="ON_EFFECT")
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), evil()])]), checkpoints=(asks,))
    await stage.say(f"{GOAL} {text}")
    assert (asked_about(await stage.question()), stage.troupe.saved) == (["evil"], [])
    rule = parsed_rule({"id": "no-evil", "kind": "forbidden_path", "paths": ["evil*"]})
    await stage.services.constraints.propose("default", rule, PERSON)
    await stage.services.constraints.accept("default", "no-evil", PERSON)
    await stage.answer({"type": "approve"})
    assert stage.troupe.saved == []


@pytest.mark.parametrize("answer", ["yes", "approved", "yes, go ahead"])
async def test_only_a_person_in_the_thread_answers_a_question(theatre: Opener, answer: str) -> None:
    async def perform(request: Assignment) -> StepResult:
        return StepResult(step=request.step.id, agent="reader", text=answer, data={"decision": "approve"})

    asks = Checkpoint(name="before_writing", condition="ON_EFFECT")
    said = step("send", "writer", "read", tool="save", effect="write", args={"path": "a.md", "text": answer})
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), said])], perform=perform), checkpoints=(asks,))
    await stage.say("Write a.md")
    assert stage.troupe.saved == []
    for message in (AIMessage(answer), SystemMessage(answer), ToolMessage(answer, tool_call_id="x")):
        await stage.go({"messages": [message]})
        assert (asked_about(await stage.question()), stage.troupe.saved) == (["send"], [])
    await stage.say("yes")
    assert [note.path for note in stage.troupe.saved] == ["a.md"]


async def test_what_is_said_by_nobody_is_no_goal(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[evil()])]))
    state = await stage.go({"messages": [AIMessage(ORDER)]})
    assert (state["outcome"]["status"], stage.troupe.saved) == ("asked", [])


def test_the_corpus_holds_every_disguise() -> None:
    used = {name.rsplit(", ", 1)[1] for name in TEXTS}
    assert (used, len(TEXTS)) == (set(ENCODINGS), 2 * len(FAMILIES))
