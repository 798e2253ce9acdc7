from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from domain.audit import AuditEntry
from domain.audit_chain import checked_export
from domain.errors import UserError
from tests.understudy.console.browser import Console, problems
from tests.understudy.console.lived_in import BRIEF, go, run_of
from understudy.console.audit_view import since_of, wanted_of

NOW = 1_000_000.0


@pytest.fixture(scope="module")
def run(console: Console) -> str:
    return console.do(run_of(console.orchestrator, BRIEF))


@pytest.mark.parametrize(("text", "since"), [("", 0), ("30m", NOW - 1800), (" 2d ", NOW - 172_800)])
def test_a_span_of_time_is_understood(text: str, since: float) -> None:
    assert since_of(text, NOW) == since


def test_what_is_no_time_is_refused_and_limits_are_kept() -> None:
    with pytest.raises(UserError, match="is no time"):
        since_of("yesterday", NOW)
    wanted = wanted_of(run=" r ", thread="", kind="nonsense", who="", since="", limit=10**9, now=NOW)
    assert (wanted.run, wanted.kind, wanted.limit) == ("r", "", 1000)


def test_entries_are_shown_and_found_by_kind(page: Page, console: Console, run: str) -> None:
    go(page, console, "/audit")
    rows = page.get_by_role("table", name="Entries of the audit").locator("tbody tr")
    expect(rows.first).to_be_visible()
    page.get_by_label("Kind").select_option("effect")
    page.get_by_label("Run").fill(run)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("done write_file")
    expect(rows.last).to_contain_text("begun write_file")


def test_nothing_found_and_a_time_that_is_none_say_so(page: Page, console: Console) -> None:
    go(page, console, "/audit?who=nobody")
    expect(page.get_by_text("No entry fits this.")).to_be_visible()
    go(page, console, "/audit?since=yesterday")
    expect(page.get_by_role("alert")).to_contain_text("is no time")


def test_the_chain_is_verified_against_a_place_that_was_kept(page: Page, console: Console) -> None:
    go(page, console, "/audit")
    audit = console.orchestrator.audit
    head = console.do(audit.head())
    page.get_by_label("A place that was kept").fill(str(head))
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".outcome")).to_contain_text("sound")
    expect(page.locator(".outcome")).to_contain_text(head.hash)
    page.get_by_label("A place that was kept").fill(f"{head.seq}:{'0' * 64}")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".outcome")).to_contain_text("not sound")
    expect(page.locator(".outcome li")).to_contain_text(str(head.seq))


def test_a_place_that_is_none_is_said_to_be_none(page: Page, console: Console) -> None:
    go(page, console, "/audit")
    page.get_by_label("A place that was kept").fill("here")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".toast")).to_contain_text("is no anchor")


def test_an_export_is_a_file_that_can_be_checked_and_is_noted(page: Page, console: Console) -> None:
    go(page, console, "/audit")
    with page.expect_download() as begun:
        page.get_by_role("button", name="Export").click()
    lines = Path(begun.value.path()).read_text().removesuffix("\n").split("\n")
    assert begun.value.suggested_filename == f"audit-{console.workspace}.jsonl"
    workspace, checked = checked_export(lines)
    assert (workspace, checked.sound) == (console.workspace, True)
    go(page, console, "/audit?kind=export")
    expect(page.get_by_role("table", name="Entries of the audit")).to_contain_text("audit exported")


def test_older_entries_are_shown_on_demand(page: Page, console: Console) -> None:
    async def noted() -> None:
        for number in range(60):
            entry = AuditEntry(kind="notice", who=f"<b>{number}</b>", why="filled up", run="many")
            await console.installation.house.audit.note(console.workspace, entry)

    console.do(noted())
    go(page, console, "/audit?run=many")
    rows = page.get_by_role("table", name="Entries of the audit").locator("tbody tr")
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text("<b>59</b>")
    page.get_by_role("link", name="Show older ones, too").click()
    expect(rows).to_have_count(60)


def test_it_is_accessible_in_both_themes_and_fits_phones(page: Page, console: Console, run: str) -> None:
    go(page, console, "/audit")
    assert problems(page, "audit") == []
