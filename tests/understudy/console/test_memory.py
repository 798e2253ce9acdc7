import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from domain.standing import Scope
from memory.constraints import parsed_rule
from memory.tasks import TaskRecord
from tests.understudy.console.browser import Console, problems
from tests.understudy.console.lived_in import BRIEF, HOSTILE, QUESTION, go, run_of
from understudy.console.map_points import plane_of
from understudy.orchestrator import Orchestrator

GOALS = (QUESTION, BRIEF, HOSTILE, "When was Duane Arnold closed?")
VIEWS = ("", "?words=wind", "/map", "/recipes", "/rules", "/state")


def scope(tool: str) -> Scope:
    return Scope(tool=tool, names=("to", "text"), recipients=("ann@example.org",), free=("text",))


async def lived_in(orchestrator: Orchestrator) -> None:
    for goal in GOALS:
        await run_of(orchestrator, goal)
    rules = await orchestrator.rules()
    await rules.propose("mail-ann", scope("send_mail"), days=30)
    await rules.propose("post-ann", scope("post"), days=30)
    rule = parsed_rule({"id": "no-mail", "kind": "forbidden_tool", "tools": ["send_mail"], "why": "<b>nobody</b>"})
    await orchestrator.constraints.propose(orchestrator.context.workspace, rule, orchestrator.person)


@pytest.fixture(scope="module")
def console(console: Console) -> Console:
    """One that something has been done with."""
    console.do(lived_in(console.orchestrator))
    return console


def test_words_find_the_nearest_tasks_and_say_how_sure_reuse_would_be(page: Page, console: Console) -> None:
    go(page, console, "/memory")
    page.get_by_label("A goal, in any words").fill("Which year had most wind power in Iowa?")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="What would be recalled")).to_be_visible()
    rows = page.get_by_role("table", name="Nearest tasks").locator("tbody tr")
    expect(rows).to_have_count(len(GOALS))
    expect(rows.first).to_contain_text(QUESTION)
    assert re.search(r"with confidence 0\.\d\d", page.inner_text("main"))
    assert float(rows.first.locator("td").nth(1).inner_text()) > 0.8


def test_a_goal_that_cannot_be_is_refused_in_words(page: Page, console: Console) -> None:
    go(page, console, f"/memory?words={'x' * 40_000}")
    expect(page.get_by_role("alert")).to_contain_text("the goal has")


def test_a_point_of_the_map_is_reached_and_opened_by_keyboard(page: Page, console: Console) -> None:
    go(page, console, "/memory/map")
    points = page.locator("svg.map a")
    expect(points).to_have_count(len(GOALS))
    page.get_by_role("link", name="Skip the points").focus()
    page.keyboard.press("Tab")
    expect(points.first).to_be_focused()
    named = points.first.get_attribute("aria-label") or ""
    page.keyboard.press("Enter")
    expect(page.locator(".lead")).to_be_visible()
    assert page.inner_text(".lead")[:12] in named


def test_the_table_beside_the_map_has_the_same_tasks(page: Page, console: Console) -> None:
    go(page, console, "/memory/map")
    drawn = {link.get_attribute("href") for link in page.locator("svg.map a").all()}
    listed = {link.get_attribute("href") for link in page.get_by_role("table").locator("a").all()}
    assert drawn == listed


def task(number: int) -> TaskRecord:
    return TaskRecord(id=f"t{number}", workspace="w", team="t", goal="g", sequence=["a"], last_success=True)


def test_the_map_is_the_same_in_any_order_and_keeps_neighbours_together() -> None:
    vectors = np.array([[1, 0, 0], [0.99, 0.05, 0], [0, 1, 0], [0, 0.9, 0.1]], np.float32)
    tasks = [task(number) for number in range(4)]
    one = {point.task.id: (point.x, point.y) for point in plane_of(tasks, vectors).points}
    other = {point.task.id: (point.x, point.y) for point in plane_of(tasks[::-1], vectors[::-1]).points}
    assert np.allclose([one[name] for name in sorted(one)], [other[name] for name in sorted(other)])

    def far(first: str, second: str) -> float:
        return float(np.hypot(one[first][0] - one[second][0], one[first][1] - one[second][1]))

    assert far("t0", "t1") < 0.2 < 0.8 < far("t0", "t2")


def test_tasks_at_one_place_stand_apart_and_few_make_a_plane() -> None:
    same = np.ones((3, 4), np.float32)
    assert len({(p.x, p.y) for p in plane_of([task(n) for n in range(3)], same).points}) == 3
    assert plane_of([task(0)], same[:1]).points[0][1:] == (0.5, 0.5)
    assert plane_of([], same[:0]).points == []


def test_a_rule_is_accepted_and_revoked_after_asking(page: Page, console: Console) -> None:
    go(page, console, "/memory/rules")
    card = page.locator(".card").filter(has_text="mail-ann")
    expect(card).to_contain_text("proposed")
    card.get_by_role("button", name="Accept").click()
    card.get_by_role("button", name="Accept").click()
    expect(card).to_contain_text("active")
    card.get_by_role("button", name="Revoke").click()
    card.get_by_role("button", name="No, leave it").click()
    expect(card).to_contain_text("active")
    card.get_by_role("button", name="Revoke").click()
    card.get_by_role("button", name="Revoke").click()
    expect(card).to_contain_text("retired")

    async def moves() -> list[str]:
        rules = await console.orchestrator.rules()
        return [change.move for change in await rules.history("mail-ann")]

    assert console.do(moves()) == ["proposed", "accepted", "retired"]


def test_a_rule_that_somebody_else_settled_meanwhile_is_said_to_be(page: Page, console: Console) -> None:
    go(page, console, "/memory/rules")
    card = page.locator(".card").filter(has_text="post-ann")
    card.get_by_role("button", name="Refuse").click()

    async def refused() -> None:
        await (await console.orchestrator.rules()).retire("post-ann")

    console.do(refused())
    card.get_by_role("button", name="Refuse").click()
    expect(page.locator(".toast")).to_contain_text("post-ann")


def test_a_constraint_is_put_in_force_and_its_words_are_words(page: Page, console: Console) -> None:
    go(page, console, "/memory/rules")
    card = page.locator(".card").filter(has_text="no-mail")
    expect(card).to_contain_text("<b>nobody</b>")
    card.get_by_role("button", name="Accept").click()
    card.get_by_role("button", name="Accept").click()
    expect(card.get_by_role("button", name="Retire")).to_be_visible()
    policy = console.do(console.orchestrator.constraints.active(console.workspace))
    assert [rule.id for rule in policy.rules] == ["no-mail"]


def test_patterns_are_listed_with_their_examples(page: Page, console: Console) -> None:
    go(page, console, "/memory/recipes")
    row = page.get_by_role("table").locator("tbody tr").filter(has_text="duane arnold")
    row.locator("summary").click()
    expect(row).to_contain_text("When was Duane Arnold closed?")


def test_no_state_says_where_it_would_come_from(page: Page, console: Console) -> None:
    go(page, console, "/memory/state")
    expect(page.get_by_text("No state is kept.")).to_be_visible()


def test_a_task_is_forgotten_after_asking(page: Page, console: Console) -> None:
    orchestrator = console.orchestrator
    console.do(run_of(orchestrator, "What is a derecho?"))
    [task] = [t for t in console.do(orchestrator.memory.list(console.workspace)) if "derecho" in t.goal]
    go(page, console, f"/memory/tasks/{task.id}")
    expect(page.get_by_role("table", name="Runs")).to_contain_text("done")
    page.get_by_role("button", name="Forget this task").click()
    assert console.do(orchestrator.memory.get(console.workspace, task.id)) is not None
    page.get_by_role("group", name="Forget").get_by_role("button", name="Forget this task").click()
    expect(page.get_by_text("It is forgotten.")).to_be_visible()
    assert console.do(orchestrator.memory.get(console.workspace, task.id)) is None
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("may have been forgotten")


@pytest.mark.parametrize("view", VIEWS)
def test_it_is_accessible_in_both_themes_and_fits_phones(page: Page, console: Console, view: str) -> None:
    go(page, console, f"/memory{view}")
    assert problems(page, f"memory{view.replace('/', '-').partition('?')[0] or '-found' * ('?' in view)}") == []
