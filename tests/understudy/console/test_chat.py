"""A conversation in the browser, with a team without models: to its answer, through questions, with documents."""

import asyncio
import re
from pathlib import Path

import pytest
from nicegui import core
from playwright.sync_api import BrowserContext, Page, expect

from tests.understudy.console.browser import Console, alive, opened, problems, shot
from tests.understudy.console.lived_in import go

GOAL = "How did the share of wind power in Iowa change between 2001 and 2017?"
SAVE = "Summarise how wind power was built out in Iowa and save it as wind.md"
HOSTILE = '<img src=x onerror="window.hit=1"> <script>window.hit=1</script> [x](javascript:window.hit=1) {{1+1}} ${1} `'
SLOW = 30_000
"""Milliseconds that a whole run may take on a busy machine."""


@pytest.fixture
def page(page: Page, console: Console) -> Page:
    """A new conversation."""
    go(page, console, "/")
    return page


def say(page: Page, words: str) -> None:
    """Send a message with the keyboard alone."""
    page.keyboard.press("/")
    page.keyboard.insert_text(words)
    page.keyboard.press("Control+Enter")


def test_a_goal_is_answered_live_with_route_plan_and_steps(page: Page) -> None:
    say(page, GOAL)
    expect(page.locator(".goal")).to_have_text(GOAL)
    expect(page.locator(".answer-text")).to_contain_text("2017", timeout=SLOW)
    expect(page.locator(".part.head")).to_contain_text("Done")
    graph = page.get_by_role("img", name=re.compile("^Plan of"))
    expect(graph).to_be_visible()
    assert graph.locator("g.plan-step.done").count() == graph.locator("g.plan-step").count() > 1
    page.get_by_text("Why this route").click()
    expect(page.locator(".part.why")).to_contain_text("Way:")
    step = page.locator(".step").first
    step.locator("summary").first.click()
    expect(step).to_contain_text("confidence")
    assert "/console/c/" in page.url
    shot(page, "chat-answer-light")


def test_a_reload_and_a_second_tab_show_the_same(page: Page, console: Console, window: BrowserContext) -> None:
    say(page, GOAL)
    expect(page.locator(".part.head")).to_contain_text("Done", timeout=SLOW)
    expect(page.get_by_role("link", name="Trace")).to_be_visible()
    live = _told(page)
    second = opened(window, page.url)
    page.reload()
    alive(page)
    assert _told(second) == _told(page) == live


def _told(page: Page) -> list[str]:
    """Return what a conversation says, piece by piece."""
    return page.locator(".goal, .part.head, .step-summary, .plan-graph title, .answer-text").all_text_contents()


def test_what_waits_is_edited_approved_and_done_so(page: Page, console: Console) -> None:
    say(page, SAVE)
    card = page.locator(".asked")
    expect(card).to_contain_text("write_file", timeout=SLOW)
    expect(card.locator(".due")).to_contain_text("due in")
    shot(page, "chat-question-light")
    card.get_by_role("button", name="Edit").click()
    card.get_by_label("Path", exact=True).fill("changed/wind-notes.md")
    expect(card.locator("ins").first).to_have_text("changed/wind-notes.md")
    shot(page, "chat-edit-light")
    card.get_by_role("button", name="Approve with changes").click()
    expect(page.locator(".part.head")).to_contain_text("Done", timeout=SLOW)
    assert (console.out / "changed" / "wind-notes.md").read_text().startswith("#")
    expect(page.locator(".asked")).to_have_count(0)


def test_an_edit_that_does_not_fit_says_why_and_leaves_the_question_open(page: Page) -> None:
    say(page, SAVE)
    card = page.locator(".asked")
    card.get_by_role("button", name="Edit").click(timeout=SLOW)
    card.get_by_label("Path", exact=True).fill("")
    expect(card.locator(".wrong")).to_contain_text("path")
    card.get_by_role("button", name="Approve with changes").click()
    expect(page.locator(".toast.bad")).to_contain_text("path")
    card.get_by_role("button", name="Back").click()
    card.get_by_role("button", name="Reject").click()
    card.get_by_label("Why not?").fill("not now")
    card.get_by_role("button", name="Reject").click()
    expect(page.locator(".part.notes")).to_contain_text("not now", timeout=SLOW)


def test_an_answer_is_rated_and_corrected(page: Page, console: Console) -> None:
    say(page, GOAL)
    page.get_by_role("button", name="Rate 4 of 5").click(timeout=SLOW)
    expect(page.locator(".toast.good")).to_contain_text("Rated 4 of 5")
    page.get_by_text("Correct it").click()
    page.get_by_label("What should it have been?").fill("Say it in one sentence.")
    page.get_by_role("button", name="Send correction").click()
    expect(page.locator(".toast.good").last).to_contain_text("correction was taken")
    run = page.get_by_role("link", name="Trace").get_attribute("href")
    assert run is not None
    kept = console.do(
        console.orchestrator.lessons.feedback.get(console.workspace, run.partition("?")[0].rsplit("/", 1)[-1])
    )
    assert kept is not None
    assert kept.correction == "Say it in one sentence."


def test_hostile_text_is_shown_and_does_nothing(page: Page) -> None:
    say(page, f"Summarise {HOSTILE}")
    expect(page.locator(".goal")).to_contain_text("<script>window.hit=1</script>")
    expect(page.locator(".part.head .badge").first).not_to_have_text("Working", timeout=SLOW)
    assert page.evaluate("window.hit") is None
    assert page.locator("#turns img, #turns script, #turns a[href^=javascript]").count() == 0


def test_a_dropped_document_is_read_by_the_run(page: Page, console: Console, tmp_path: Path) -> None:
    note = tmp_path / "zephyr-project.md"
    note.write_text("# Zephyr project\n\nThe Zephyr project of Brunhilde built seventeen purple windmills.\n")
    page.locator("input[type=file]").set_input_files(note)
    expect(page.locator(".chip")).to_contain_text("zephyr-project.md")
    say(page, "What did the Zephyr project of Brunhilde build?")
    expect(page.locator(".answer-text")).to_contain_text("seventeen purple windmills", timeout=SLOW)
    page.reload()
    alive(page)
    expect(page.locator(".chip")).to_contain_text("zephyr-project.md")
    shot(page, "chat-document-light")


def test_what_cannot_be_a_document_is_refused(page: Page, tmp_path: Path) -> None:
    program = tmp_path / "run.exe"
    program.write_bytes(b"MZ")
    page.locator("input[type=file]").set_input_files(program)
    expect(page.locator(".toast.bad")).to_contain_text("cannot be read")
    expect(page.locator(".chip")).to_have_count(0)


def test_it_is_accessible_in_both_themes_and_fits_phones(page: Page) -> None:
    say(page, SAVE)
    expect(page.locator(".asked")).to_be_visible(timeout=SLOW)
    assert problems(page, "chat-question") == []


def test_an_answer_is_accessible_in_both_themes_and_fits_phones(page: Page) -> None:
    say(page, GOAL)
    expect(page.locator(".answer-text")).to_be_visible(timeout=SLOW)
    assert problems(page, "chat-answer") == []


def test_a_closed_tab_leaves_no_task_behind(
    console: Console, window: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.app.config, "reconnect_timeout", 0.1)
    tasks = console.app.state.console_tasks
    page = opened(window, console.at("/c/left-behind"))
    following = [task for task in tasks if task.get_name() == "follow left-behind"]
    assert len(following) == 1
    page.close()
    assert console.do(_ended(following[0]))


async def _ended(task: "asyncio.Task[None]") -> bool:
    await asyncio.wait([task], timeout=30)
    return task.cancelled()
