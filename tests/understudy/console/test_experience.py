from playwright.sync_api import Page, expect

from tests.understudy.console.browser import Console, problems
from tests.understudy.console.lived_in import BRIEF, go, run_of


def test_before_the_first_run_nothing_is_made_up(page: Page, console: Console) -> None:
    go(page, console, "/experience")
    expect(page.get_by_text("Nothing was measured yet.")).to_be_visible()
    expect(page.get_by_text("Nobody was asked or told anything in these weeks.")).to_be_visible()
    assert "missed" not in page.inner_text("main")


def test_figures_stand_against_their_targets_and_what_was_not_measured_is_said(page: Page, console: Console) -> None:
    go(page, console, "/experience")
    console.do(run_of(console.orchestrator, BRIEF))
    page.reload()
    friction = page.get_by_role("table", name="Friction: how seldom people are bothered")
    taps = friction.locator("tbody tr").filter(has_text="taps a week")
    expect(taps).to_contain_text("≤ 2")
    expect(taps).to_contain_text("met")
    set_up = friction.locator("tbody tr").filter(has_text="steps of the set-up")
    expect(set_up).to_contain_text("≤ 3")
    expect(set_up.locator("td").nth(1)).to_have_text("not measured")
    week = page.get_by_role("table", name="Friction by user and week").locator("tbody tr")
    expect(week).to_contain_text("ada")
    expect(page.get_by_role("table", name="Speed")).to_contain_text("≤ 150 ms")


def test_the_weeks_are_chosen_and_nonsense_is_not_followed(page: Page, console: Console) -> None:
    go(page, console, "/experience")
    page.get_by_label("Weeks of friction").select_option("52")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Weeks of friction")).to_have_value("52")
    go(page, console, "/experience?weeks=-1")
    expect(page.get_by_label("Weeks of friction")).to_have_value("4")


def test_it_is_accessible_in_both_themes_and_fits_phones(page: Page, console: Console) -> None:
    go(page, console, "/experience")
    assert problems(page, "experience") == []
