"""The inbox in the browser: what waits, for how long, decided with the keyboard."""

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.understudy.console.browser import Console, looking, opened, problems, shot
from understudy.console import inbox

SAVE = "Summarise how wind power was built out in Iowa and save it as wind.md"


@pytest.fixture(scope="module")
def console(console: Console) -> Console:
    """A console in which three runs wait for a person."""
    for name in ("one", "two", "three"):
        console.run(SAVE if name != "two" else SAVE.replace("wind.md", "two.md"), name)
    return console


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others decide is seen soon."""
    monkeypatch.setattr(inbox, "LOOK", 0.2)


def test_questions_are_shown_with_their_time_and_filtered(console: Console, window: BrowserContext) -> None:
    page = opened(window, console.at("/inbox"))
    expect(page.locator(".question")).to_have_count(3)
    expect(page.locator(".due").first).to_contain_text("due in")
    shot(page, "inbox-light")
    page.get_by_label("Filter questions by words").fill("two.md")
    expect(page.locator(".question")).to_have_count(1)
    page.get_by_label("Filter questions by words").fill("nobody wrote this")
    expect(page.locator(".empty")).to_contain_text("No question has these words")
    page.get_by_label("Filter questions by words").fill("")
    expect(page.locator(".question")).to_have_count(3)


def test_it_is_accessible_in_both_themes_and_fits_phones(console: Console, window: BrowserContext) -> None:
    page = opened(window, console.at("/inbox"))
    page.locator(".asked").first.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Path", exact=True)).to_be_focused()
    assert problems(page, "inbox-edit") == []


def test_the_keyboard_moves_approves_and_rejects(console: Console, window: BrowserContext) -> None:
    page = opened(window, console.at("/inbox"))
    expect(page.locator(".question")).to_have_count(3)
    page.keyboard.press("j")
    expect(page.locator(".asked").first).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator(".question")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.get_by_label("Why not?").fill("not today")
    page.get_by_role("button", name="Reject").first.click()
    expect(page.locator(".question")).to_have_count(1)
    page.get_by_role("button", name="Closed").click()
    expect(page.locator(".question")).to_have_count(2)
    expect(page.locator(".questions")).to_contain_text("not today")
    shot(page, "inbox-closed-light")


def test_a_question_that_is_answered_elsewhere_leaves_the_page(console: Console, window: BrowserContext) -> None:
    console.run(SAVE, "elsewhere")
    page = opened(window, console.at("/inbox"))
    mine = page.locator(".question", has=page.locator("a[href*='/c/elsewhere']"))
    expect(mine).to_have_count(1)
    orchestrator = console.orchestrator
    question = console.do(orchestrator.question("elsewhere"))
    console.do(orchestrator.answer(question.id, {"type": "reject", "message": "no"}))
    expect(mine).to_have_count(0)
    assert console.do(orchestrator.question(question.id)).status == "decided"


def test_a_stale_card_is_refused_in_clear_words(
    console: Console, window: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LOOK", 3600.0)  # the page does not see that another decides
    console.run(SAVE, "stale")
    page = opened(window, console.at("/inbox"))
    mine = page.locator(".question", has=page.locator("a[href*='/c/stale']"))
    orchestrator = console.orchestrator
    question = console.do(orchestrator.question("stale"))
    console.do(orchestrator.answer(question.id, {"type": "reject", "message": "no"}, by="bob"))
    mine.get_by_role("button", name="Approve", exact=True).click()
    expect(page.locator(".toast.bad")).to_contain_text("bob")
    assert console.do(orchestrator.question(question.id)).closed_by == "bob"


def test_help_names_the_keys(console: Console, window: BrowserContext) -> None:
    page = opened(window, console.at("/inbox"))
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_contain_text("approve, edit, reject")
    shot(page, "help-light")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_the_theme_is_kept(console: Console, browser: Browser) -> None:
    with looking(browser) as window:
        page = opened(window, console.at("/inbox"))
        page.keyboard.press("t")
        page.keyboard.press("t")
        expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
        again = opened(window, console.at("/inbox"))
        expect(again.get_by_role("button", name="Theme: dark")).to_be_visible()
        assert again.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
