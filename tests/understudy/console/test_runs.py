import re
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from domain.effects import EffectCall
from tests.understudy.console.browser import Console, problems
from tests.understudy.console.lived_in import BRIEF, HOSTILE, QUESTION, go, run_of


class Ran(NamedTuple):
    question: str
    brief: str
    hostile: str
    waiting: str


@pytest.fixture(scope="module")
def ran(console: Console) -> Ran:
    orchestrator = console.orchestrator
    question, brief, hostile = (console.do(run_of(orchestrator, goal)) for goal in (QUESTION, BRIEF, HOSTILE))
    waits = console.do(orchestrator.run("Write a brief about coal in Iowa"))
    assert waits.pending is not None
    return Ran(question, brief, hostile, waits.events[-1].run)


def test_every_run_is_listed_with_how_it_stands(page: Page, console: Console, ran: Ran) -> None:
    go(page, console, "/runs")
    rows = page.get_by_role("table", name="Runs").locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("waiting")
    expect(rows.filter(has_text=BRIEF)).to_contain_text("done")


def test_words_and_state_narrow_the_list_and_stay_in_the_address(page: Page, console: Console, ran: Ran) -> None:
    go(page, console, "/runs")
    page.get_by_label("Words").fill("brief iowa")
    page.get_by_label("State").select_option("waiting")
    page.get_by_role("button", name="Show").click()
    rows = page.get_by_role("table", name="Runs").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("coal")
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("State")).to_have_value("waiting")


def test_nothing_found_says_what_to_do(page: Page, console: Console) -> None:
    go(page, console, "/runs?words=zebra")
    expect(page.get_by_text("Take words away, or choose another state.")).to_be_visible()


def test_a_run_shows_timeline_steps_and_effects(page: Page, console: Console, ran: Ran) -> None:
    go(page, console, "/runs")
    page.get_by_role("link", name=BRIEF).click()
    expect(page).to_have_url(re.compile(rf"/runs/{ran.brief}\?workspace=runs$"))
    deliver = page.locator(".gantt-rows li").filter(has_text="deliver (write)")
    expect(deliver.get_by_role("img")).to_have_attribute("aria-label", re.compile("waits for a person from .*critical"))
    expect(deliver.locator("rect[fill='url(#critical)']").first).to_be_attached()
    expect(page.get_by_role("table", name="Critical path")).to_contain_text("waits for a person")
    step = page.locator(".tree > li").filter(has_text="deliver")
    step.locator("summary").first.click()
    expect(step).to_contain_text("Put the approved brief into the output folder")
    expect(page.get_by_role("table", name="Effects")).to_contain_text("write_file")


def test_an_unknown_run_is_said_to_be_unknown(page: Page, console: Console) -> None:
    go(page, console, "/runs/nope")
    expect(page.get_by_role("alert")).to_contain_text("no run 'nope'")


def test_undo_asks_first_and_then_takes_back(page: Page, console: Console) -> None:
    run = console.do(run_of(console.orchestrator, "Write a brief about nuclear power in Iowa"))
    written = next(path for path in console.out.iterdir() if "nuclear" in path.name)
    go(page, console, f"/runs/{run}")
    page.get_by_role("button", name="Undo 1 effect").click()
    expect(page.get_by_role("group", name="Take back")).to_contain_text("What somebody changed since is kept")
    assert written.exists()
    page.get_by_role("button", name="No, leave it").click()
    page.get_by_role("button", name="Undo 1 effect").click()
    page.get_by_role("group", name="Take back").get_by_role("button", name="Undo 1 effect").press("Enter")
    expect(page.get_by_role("table", name="Effects")).to_contain_text("undone")
    expect(page.get_by_role("button", name="Undo 1 effect")).to_have_count(0)
    assert not written.exists()


def test_where_nobody_knows_a_person_says_what_happened(page: Page, console: Console, ran: Ran) -> None:
    ledger = console.installation.house.effects
    call = EffectCall(run=ran.question, step="search", tool="write_file", args={"path": "lost.md"}, description="lost")
    console.do(ledger.claim(console.workspace, "e" * 64, call))
    go(page, console, f"/runs/{ran.question}")
    expect(page.get_by_role("table", name="Effects")).to_contain_text("nobody knows whether it happened")
    page.get_by_role("button", name="Undo 1 effect").click()
    page.get_by_role("group", name="Take back").get_by_role("button", name="Undo 1 effect").click()
    asked = page.get_by_role("group", name="A question before it can go on")
    expect(asked).to_contain_text("Nobody knows whether this happened: lost")
    asked.get_by_role("button", name="It did not happen").click()
    expect(page.get_by_text("This run changed nothing outside.")).to_be_visible()


def test_a_run_that_goes_on_is_drawn_anew_when_something_happens(page: Page, console: Console) -> None:
    orchestrator = console.orchestrator
    waits = console.do(orchestrator.run("Write a brief about solar power in Iowa"))
    go(page, console, f"/runs/{waits.thread}")
    expect(page.locator(".facts")).to_contain_text("waiting")

    async def rejected() -> None:
        async for _ in orchestrator.resume(waits.thread, {"decisions": [{"type": "reject", "message": "no"}]}):
            pass

    console.do(rejected())
    expect(page.locator(".facts")).not_to_contain_text("waiting")


def test_hostile_goals_are_shown_and_never_run(page: Page, console: Console, ran: Ran) -> None:
    for path in ("/runs", f"/runs/{ran.hostile}", "/memory", "/memory/map", "/memory?words=wind"):
        go(page, console, path)
        expect(
            page.locator("main a, main .lead").filter(has_text="<script>document.title=2</script>").first
        ).to_be_visible()
        assert page.locator("main img").count() == page.locator("main script").count() == 0
        assert "\u202e" not in page.inner_text("main")
        assert page.title() not in ("1", "2")


@pytest.mark.parametrize("which", ["", "brief", "hostile", "waiting"])
def test_it_is_accessible_in_both_themes_and_fits_phones(page: Page, console: Console, ran: Ran, which: str) -> None:
    go(page, console, f"/runs/{getattr(ran, which)}" if which else "/runs")
    assert problems(page, f"runs-{which}" if which else "runs") == []
