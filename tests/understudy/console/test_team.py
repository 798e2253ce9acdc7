import pytest
from playwright.sync_api import Page, expect

from agents.delegation.standings import Standing
from domain.outcomes import Usage
from memory.episodes import Episode
from memory.provenance import Provenance
from tests.understudy.console.browser import Console, problems
from tests.understudy.console.lived_in import QUESTION, go, run_of
from understudy.console import pareto
from understudy.console.team_multiples import courses
from understudy.orchestrator import Orchestrator

VIEWS = ("", "/performance", "/front", "/front?of=agents&against=cost", "/tools", "/trials")


async def lived_in(orchestrator: Orchestrator) -> None:
    for goal in (QUESTION, "When was Duane Arnold closed?"):
        await run_of(orchestrator, goal)
    await (await orchestrator.trials()).start("shorter", "search>analyse>write", "search>write")


@pytest.fixture(scope="module")
def console(console: Console) -> Console:
    """One that something has been done with."""
    console.do(lived_in(console.orchestrator))
    return console


def episode(number: int, sequence: list[str], *, good: bool = True, quality: float | None = 0.8) -> Episode:
    return Episode(
        run=f"r{number}", started=float(number), team="t", goal="g", task="t", sequence=sequence,
        status="done" if good else "failed", success=good, quality=quality, seconds=float(number + 1),
        usage=Usage(calls=1, dollars=None if number == 3 else 0.5), provenance=Provenance(writer="person"),
    )  # fmt: skip


def test_only_whom_nobody_beats_is_on_the_front() -> None:
    names = {"cheap": (0.5, 1.0), "good": (0.9, 3.0), "worse": (0.4, 2.0), "slow": (0.9, 4.0)}
    choices = [pareto.Choice(name, 1, quality, seconds, None) for name, (quality, seconds) in names.items()]
    assert pareto.front(choices, "seconds") == [True, True, False, False]
    assert pareto.front(choices, "dollars") == [False] * 4


def test_a_sequence_is_its_mean_and_a_failure_counts_as_nothing() -> None:
    found = pareto.sequences([episode(0, ["a"]), episode(1, ["a"], good=False), episode(3, ["b"], quality=None)])
    assert found == [pareto.Choice("a", 2, 0.4, 1.5, 0.5), pareto.Choice("b", 1, 1.0, 4.0, None)]


def test_agents_are_compared_at_one_kind_of_step() -> None:
    standings = [Standing("search", "a", 3, 3, 0.9, 1, 0), Standing("write", "b", 9, 9, 0.9, 1, 0)]
    assert [choice.name for choice in pareto.agents(standings, "search")] == ["a"]


def test_a_course_follows_time_and_rolls_over_the_latest_runs() -> None:
    runs = [episode(number, ["a", "a"], good=number != 0) for number in (2, 0, 1)]
    [course] = courses(runs)
    assert course.successes == [False, True, True]
    assert course.rolling == pytest.approx([0, 1 / 2, 2 / 3])


def test_the_team_and_its_specialists_are_shown(page: Page, console: Console) -> None:
    go(page, console, "/team")
    rows = page.get_by_role("table", name="Specialists").locator("tbody tr")
    expect(rows.filter(has_text="Writes").or_(rows.filter(has_text="write")).first).to_contain_text("write_file")


def test_success_over_time_is_drawn_for_each_agent_on_one_scale(page: Page, console: Console) -> None:
    go(page, console, "/team/performance")
    search = page.locator(".multiple").filter(has=page.get_by_role("heading", name="search", exact=True))
    expect(search).to_contain_text("2 of 2 runs succeeded; 95 % interval 34% to 100%")
    boxes = {picture.get_attribute("viewBox") for picture in page.locator(".multiple svg").all()}
    assert len(boxes) == 1


def test_points_of_the_front_are_the_rows_of_its_table(page: Page, console: Console) -> None:
    go(page, console, "/team/front")
    rows = page.get_by_role("table", name="Sequences of agents").locator("tbody tr")
    numbers = sorted(page.locator("svg.chart text.inside").all_text_contents())
    assert numbers == sorted(row.locator("td").first.inner_text() for row in rows.all())
    expect(rows.filter(has_text="on the front").first).to_be_visible()
    page.get_by_label("What is compared").select_option("agents")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Kind of step")).to_be_visible()


def test_tools_are_shown_with_what_is_expected_of_them(page: Page, console: Console) -> None:
    go(page, console, "/team/tools")
    row = (
        page.get_by_role("table", name="Tools")
        .locator("tbody tr")
        .filter(has=page.locator("summary", has_text="search_documents"))
    )
    expect(row).to_contain_text("expected")
    expect(row).to_contain_text("closed")


def test_a_trial_is_shown_and_ended_after_asking(page: Page, console: Console) -> None:
    go(page, console, "/team/trials")
    card = page.locator(".card").filter(has_text="shorter")
    expect(card).to_contain_text("Too early to tell")
    card.get_by_role("button", name="End the trial").click()
    card.get_by_role("button", name="End the trial").click()
    expect(card).to_contain_text("The trial has ended")

    async def state() -> str:
        return (await (await console.orchestrator.trials()).show("shorter")).trial.state

    assert console.do(state()) == "stopped"


@pytest.mark.parametrize("view", VIEWS)
def test_it_is_accessible_in_both_themes_and_fits_phones(page: Page, console: Console, view: str) -> None:
    go(page, console, f"/team{view}")
    assert problems(page, f"team{view.replace('/', '-').partition('&')[0].replace('?of=', '-')}") == []
