import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from evals.results import InvalidResults, SuiteResult, TaskResult, TurnScores, as_json
from evals.scoring.expectations import right
from tests.understudy.console.browser import Console, problems
from tests.understudy.console.lived_in import go
from understudy.console import evaluation_files as files

HOSTILE = "</iframe><script>document.title='owned'</script>"


def written(path: Path, wrong: set[int]) -> Path:
    results = [
        TaskResult(
            suite="documents",
            task=f"task-{number}",
            turns=[TurnScores(turn=1, scores=[right("final_answer", number not in wrong, HOSTILE)])],
        )
        for number in range(6)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_json([SuiteResult(name="documents", results=results)]), indent=1))
    return path


@pytest.fixture(scope="module")
def console(console: Console) -> Console:
    """Where the folder of deliveries belongs to: no other workspace sees what is in it."""
    return console.within(console.settings.workspace)


@pytest.fixture
def out(console: Console) -> Path:
    written(console.out / "first" / "results.json", {0, 1})
    written(console.out / "second.json", {1})
    (console.out / "broken.json").write_text('{"suites": 5}')
    return console.out


def test_without_results_it_says_how_to_get_some(page: Page, console: Console) -> None:
    go(page, console, "/evaluation")
    expect(page.get_by_text("understudy eval run --json")).to_be_visible()


def test_results_are_listed_with_what_passed_and_what_cannot_be_read(page: Page, console: Console, out: Path) -> None:
    go(page, console, "/evaluation")
    rows = page.get_by_role("table", name="Results").locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="first/results.json")).to_contain_text("4 of 6")
    expect(rows.filter(has_text="broken.json")).to_contain_text("these are no results")


def test_a_report_is_shown_in_a_frame_that_may_do_nothing(page: Page, console: Console, out: Path) -> None:
    go(page, console, "/evaluation")
    page.get_by_role("link", name="out/second.json").click()
    frame = page.locator("iframe")
    expect(frame).to_have_attribute("sandbox", "")
    inside = page.frame_locator("iframe")
    expect(inside.get_by_text("5 of 6 tasks pass")).to_be_visible()
    expect(inside.get_by_text(HOSTILE).first).to_be_visible()
    assert page.title() != "owned"


def test_two_results_are_compared(page: Page, console: Console, out: Path) -> None:
    go(page, console, "/evaluation")
    page.get_by_label("First", exact=True).select_option("out/first/results.json")
    page.get_by_label("Compared with it", exact=True).select_option("out/second.json")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("out/second.json against out/first/results.json")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_text("now passes")).to_be_visible()


def test_only_listed_files_are_read(page: Page, console: Console) -> None:
    go(page, console, "/evaluation/report?name=out/../home/records.sqlite")
    expect(page.get_by_role("alert")).to_contain_text("there are no results")


def test_links_and_what_does_not_look_like_results_are_passed_over(tmp_path: Path) -> None:
    kept = written(tmp_path / "in" / "a.json", set())
    elsewhere = written(tmp_path / "elsewhere" / "secret.json", set())
    (tmp_path / "in" / "link.json").symlink_to(elsewhere)
    (tmp_path / "in" / "dir").symlink_to(elsewhere.parent)
    (tmp_path / "in" / "other.json").write_text('{"tasks": 1}')
    found = files.results_in({"in": tmp_path / "in", "gone": tmp_path / "gone"})
    assert [(file.name, file.path) for file in found] == [("in/a.json", kept)]
    with pytest.raises(InvalidResults, match="no results 'in/link.json'"):
        files.named({"in": tmp_path / "in"}, "in/link.json")


def test_another_workspace_does_not_see_the_output_folder(console: Console) -> None:
    assert set(files.folders_of(console.settings, "default", "default")) == {"evaluations", "out"}
    assert set(files.folders_of(console.settings, "default", "other")) == {"evaluations"}


@pytest.mark.parametrize(("name", "path"), [("evaluation", ""), ("evaluation-report", "/report?name=out/second.json")])
def test_it_is_accessible_in_both_themes_and_fits_phones(
    page: Page, console: Console, out: Path, name: str, path: str
) -> None:
    go(page, console, f"/evaluation{path}")
    assert problems(page, name) == []
