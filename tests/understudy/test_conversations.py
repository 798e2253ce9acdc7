"""Conversations through the front door: told while they come, asked about, followed up, named and exported."""

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from agents.team import Quality
from domain.errors import InvalidGoal, UnknownThread
from domain.events import ApprovalRequested, Explained, Stamped, StepStarted, TextStreamed, Whispered
from domain.goals import MAX_GOAL_CHARS
from domain.questions import Question
from evals.scripted import ScriptedServer
from understudy.auditing import Wanted
from understudy.exporting import escaped, exported_markdown, markdown_of, quotation
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings, load_settings

ENERGY = Path(__file__).parents[2] / "examples" / "energy"
BRIEF = "Write a brief about wind power in Iowa"
GROWTH = "Which source of electricity grew most, and by how much?"
SECRET = "planted-secret-77d1"
TEXT = f"Renewables grew most [iowa_electricity]. The token is {SECRET}, which nobody should see here at all."


@pytest.fixture
async def by_rules(tmp_path: Path) -> AsyncIterator[Orchestrator]:
    settings = load_settings(home=tmp_path / "home", data=ENERGY, out=tmp_path / "out", workspace="w", user="ada")
    async with Orchestrator(settings) as orchestrator:
        yield orchestrator


def with_model(folder: Path, server: ScriptedServer, **more: Any) -> Settings:
    return load_settings(
        home=folder / "home", data=ENERGY, out=folder / "out", workspace="w", model="openai:scripted",
        openai_base_url=server.base_url, openai_api_key=SECRET, **more,
    )  # fmt: skip


async def listened(orchestrator: Orchestrator, thread: str, goal: str) -> tuple[list[Stamped], list[TextStreamed]]:
    """Return the events of a goal, and what was whispered to who followed its thread."""
    heard: list[TextStreamed] = []
    over = asyncio.Event()

    async def follow() -> None:
        async for told in orchestrator.follow(thread):
            if isinstance(told, Whispered):
                heard.append(told.event)
            elif told.event.type == "run_finished":
                over.set()

    following = asyncio.create_task(follow())
    events = [stamped async for stamped in orchestrator.stream(goal, thread=thread)]
    await over.wait()
    following.cancel()
    return events, heard


PLAN = {"steps": [{"id": "find", "agent": "search", "task": "Find it."}]}
SCRIPT: list[dict[str, Any]] = [
    {"match": "You are the supervisor", "content": {"route": "plan", "kind": "analysis", "message": "", "reason": "r"}},
    {"match": "You plan the work", "content": {"alternatives": [PLAN]}},
    {"match": "You review a plan", "content": {"problems": []}},
    {"match": "You are `search`", "content": TEXT},
    {"match": "You judge a draft", "content": {"aspects": dict.fromkeys(Quality().critique_aspects, 1), "issues": []}},
]


async def test_what_a_model_writes_is_told_to_who_watches_and_is_not_stored(tmp_path: Path) -> None:
    with ScriptedServer(SCRIPT) as server:
        async with Orchestrator(with_model(tmp_path, server)) as orchestrator:
            events, heard = await listened(orchestrator, "t", GROWTH)
            stored = await orchestrator.events("t")
    assert [piece.first for piece in heard] == [True] + [False] * (len(heard) - 1)
    assert {(piece.role, piece.step) for piece in heard} == {("specialist", "find")}
    assert "".join(piece.text for piece in heard) == TEXT.replace(SECRET, "[secret]")
    assert stored == events
    assert "text_streamed" not in {str(stamped.event.type) for stamped in stored}
    assert [stamped.seq for stamped in stored] == list(range(1, len(stored) + 1))


async def test_with_streaming_switched_off_nothing_is_whispered(tmp_path: Path) -> None:
    reply = {"content": {"route": "reply", "kind": "conversation", "message": "Hello to you, too.", "reason": "r"}}
    with ScriptedServer([reply]) as server:
        async with Orchestrator(with_model(tmp_path, server, stream=False)) as orchestrator:
            _, heard = await listened(orchestrator, "t", "Hello there, how is it going?")
        assert server.requests()[0]["stream"] is False
    assert heard == []


async def test_a_follow_up_is_answered_by_the_model_from_what_was_found(tmp_path: Path) -> None:
    table = "| source |\n| --- |\n| Renewables |"
    reply = {"route": "reply", "kind": "conversation", "message": table, "reason": "known"}
    with ScriptedServer([*SCRIPT, {"match": "Reply from these results", "content": reply}]) as server:
        async with Orchestrator(with_model(tmp_path, server)) as orchestrator:
            await orchestrator.run(GROWTH, thread="t")
            result = await orchestrator.run("and as a table?", thread="t")
    assert result.outcome is not None
    assert (result.outcome.status, result.outcome.answer) == ("replied", table)
    assert not [stamped for stamped in result.events if isinstance(stamped.event, StepStarted)]


async def test_follow_ups_are_answered_by_rules_without_new_work(by_rules: Orchestrator) -> None:
    await by_rules.run(GROWTH, thread="t")
    for follow_up, wanted in (("and as a table?", "| source | 2001 | 2017 |"), ("what was the second row?", "Fossil")):
        result = await by_rules.run(follow_up, thread="t")
        assert result.outcome is not None
        assert wanted in result.outcome.answer
        assert [s.event.type for s in result.events] == [
            "run_started", "memory_recalled", "route_decided", "run_finished",
        ]  # fmt: skip


async def waiting(orchestrator: Orchestrator, thread: str) -> Question:
    """Have a run wait for a person, and return its question."""
    events = [stamped async for stamped in orchestrator.stream(BRIEF, thread=thread)]
    assert isinstance(events[-1].event, ApprovalRequested)
    return await orchestrator.question(thread)


def written(folder: Path) -> int:
    return len(list(folder.glob("out/*")))


async def test_a_question_while_a_run_waits_is_answered_and_changes_nothing(
    by_rules: Orchestrator, tmp_path: Path
) -> None:
    question, snapshot = await waiting(by_rules, "t"), await by_rules.snapshot("t")
    events = [stamped async for stamped in by_rules.stream("why do you ask me?", thread="t")]
    assert [stamped.event.type for stamped in events] == ["explained"]
    told = events[0].event
    assert isinstance(told, Explained)
    assert "before_writing" in told.answer
    assert await by_rules.question("t") == question
    assert (await by_rules.snapshot("t")).config == snapshot.config
    assert written(tmp_path) == 0
    result = await by_rules.run("yes", thread="t")
    assert result.outcome is not None and result.outcome.status == "done"
    assert written(tmp_path) == 1


async def test_no_because_still_rejects_and_an_order_is_still_not_taken(by_rules: Orchestrator) -> None:
    await waiting(by_rules, "t")
    ordered = await by_rules.run("Write about solar power in its place", thread="t")
    assert ordered.pending is not None
    assert "Your message was not taken" in ordered.pending.requests[0].description
    result = await by_rules.run("no, because it is too early", thread="t")
    assert result.outcome is not None and result.outcome.status == "rejected"


async def test_a_question_is_answered_by_the_model_from_what_is_known(tmp_path: Path) -> None:
    async with Orchestrator(
        load_settings(home=tmp_path / "home", data=ENERGY, out=tmp_path / "out", workspace="w")
    ) as o:
        await waiting(o, "t")
    answer = {"match": "What is known of the run", "content": "It costs nothing so far."}
    with ScriptedServer([answer, {"status": 500}]) as server:
        settings = with_model(tmp_path, server, model_retries=0)
        async with Orchestrator(settings) as orchestrator:
            told = await orchestrator.ask_about("t", "What does it cost?")
            assert (told.answer, told.by) == ("It costs nothing so far.", "openai:scripted")
            assert "before_writing" in str(server.requests()[0]["messages"])
            failed = await orchestrator.ask_about("t", "What does it cost?")
            assert failed.by == "rules"
            assert "model" in failed.answer


async def test_a_question_while_a_run_goes_on_is_answered_and_it_goes_on(by_rules: Orchestrator) -> None:
    answers = []
    async for stamped in by_rules.stream(GROWTH, thread="t"):
        if isinstance(stamped.event, StepStarted):
            answers.append(await by_rules.ask_about("t", "what are you doing right now?"))
    events = await by_rules.events("t")
    assert answers and all("No step has ended yet" in told.answer or "Done" in told.answer for told in answers)
    assert events[-1].event.type == "run_finished"
    assert not [stamped for stamped in events if isinstance(stamped.event, Explained)]


async def test_questions_that_cannot_be_answered_are_told(by_rules: Orchestrator) -> None:
    with pytest.raises(UnknownThread):
        await by_rules.ask_about("nowhere", "what?")
    await by_rules.run("Hello", thread="t")
    for text in ("", " ", "x" * (MAX_GOAL_CHARS + 1)):
        with pytest.raises(InvalidGoal):
            await by_rules.ask_about("t", text)


async def test_two_questions_at_once_are_both_answered(by_rules: Orchestrator) -> None:
    await waiting(by_rules, "t")
    told = await asyncio.gather(*(by_rules.ask_about("t", text) for text in ("what next?", "what does it cost?")))
    assert "deliver" in told[0].answer and "So far" in told[1].answer


async def test_a_conversation_has_a_name_of_its_own_until_it_is_forgotten(by_rules: Orchestrator) -> None:
    await by_rules.run("Hello", thread="t")
    await by_rules.rename_thread("t", "  The   first one ")
    assert await by_rules.titles() == {"t": "The first one"}
    await by_rules.run("Hello", thread="t")
    assert await by_rules.titles() == {"t": "The first one"}
    with pytest.raises(UnknownThread):
        await by_rules.rename_thread("other", "x")
    for title in ("x" * 201, "a\x00b"):
        with pytest.raises(InvalidGoal):
            await by_rules.rename_thread("t", title)
    await by_rules.forget_thread("t")
    assert await by_rules.titles() == {}


async def test_an_export_has_the_whole_conversation(by_rules: Orchestrator) -> None:
    await waiting(by_rules, "t")
    await by_rules.run("what will it cost?", thread="t")
    await by_rules.run("yes", thread="t")
    await by_rules.run("<b>thanks</b>", thread="t")
    text = await exported_markdown(by_rules, "t")
    assert text.startswith(f"# {BRIEF}\n")
    for part in (
        "### Plan (planner", "| deliver | write |", "- deliver \\(write\\_file\\): approve by ada", "### Critique",
        "### Asked in between: what will it cost?", "### Result: done", "### Sources",
        "- wind-build-out.md, Transmission",
        "## &lt;b\\>thanks&lt;/b\\>",
    ):  # fmt: skip
        assert part in text, part
    with pytest.raises(UnknownThread):
        await by_rules.export_thread("nowhere")
    noted = await by_rules.audit.shown(Wanted(kind="export"))
    assert [(one.entry.who, one.entry.data["what"]) for one in noted] == [("ada", "thread")]


def test_an_empty_conversation_is_exported_by_its_name() -> None:
    assert markdown_of([], thread="a_b") == "# a\\_b\n\nConversation a\\_b\n"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>", "```\n</code><img src=x onerror=alert(1)>", "![x](http://evil/pixel.png)",
        "[a](javascript:alert(1))", "[a](javascript\\:alert(1))", "[a](JaVaScRiPt:alert(1))", "<!-- ", "<svg/onload=x>",
        "[a](data:text/html,x)", "[a](&#106;avascript:alert(1))", "[x]: javascript:alert(1)", "\u202egnp.exe\x1b[31m",
    ],
)  # fmt: skip
def test_hostile_text_does_nothing_in_an_export(hostile: str) -> None:
    html = MarkdownIt("commonmark", {"html": True}).render(f"{quotation(hostile)}\n\n# {escaped(hostile)}\n")
    assert set(re.findall(r"</?(\w+)", html)) <= {"blockquote", "p", "h1", "pre", "code", "a"}
    targets = [unescape(target) for target in re.findall(r'(?:href|src)="([^"]*)"', html)]
    assert not [target for target in targets if re.match(r"(?i)\s*(?!http)\w+:", target)]
    assert not re.search(r"[\x1b\u202e]", html)
    assert html.rstrip().endswith("</h1>")
